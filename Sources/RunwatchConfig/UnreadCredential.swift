package import RunwatchCore

extension Secret {
    /// No secret that was read begins so: control characters are refused in them.
    private static let mark = "\u{1}"

    /// Stands for a credential that this process is not given.
    static func unread(_ credential: String) -> Secret { Secret(mark + credential) }

    /// The name of the credential that this stands for; `nil` when it is the secret itself.
    package var unreadCredential: String? {
        let text = reveal()
        return text.hasPrefix(Secret.mark) ? String(text.dropFirst()) : nil
    }
}

extension ServiceSettings {
    /// The credential without which the service cannot be asked, and that this process is not given.
    package var unreadCredential: String? {
        switch kind {
        case .krixik(let krixik): krixik.apiKey.unreadCredential
        case .kinetica(let kinetica):
            switch kinetica.credentials {
            case .none: nil
            case .basic(_, let secret), .bearer(let secret): secret.unreadCredential
            }
        }
    }
}
