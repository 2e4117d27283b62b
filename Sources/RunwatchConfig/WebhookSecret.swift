import RunwatchCore

/// What Standard Webhooks says of signing secrets.
enum WebhookSecret {
    /// What is wrong with a secret, which is never quoted; `nil` when nothing is.
    static func fault(_ text: String) -> String? {
        let prefix = "whsec_"
        guard text.hasPrefix(prefix) else {
            return text.utf8.count >= 8
                ? nil
                : "is shorter than 8 bytes; take 'whsec_' and the base64 of 24 to 64 random bytes"
        }
        guard let key = Base64.decode(text.dropFirst(prefix.count)) else {
            return "has no base64 after 'whsec_' (the alphabet with '+' and '/', padded by '=')"
        }
        return key.isEmpty ? "holds nothing after 'whsec_'" : nil
    }

    /// Why a secret that can be used should be longer or shorter; `nil` when it is as it should be.
    static func weakness(_ text: String) -> String? {
        let prefix = "whsec_"
        guard text.hasPrefix(prefix), let key = Base64.decode(text.dropFirst(prefix.count)),
            !(24...64).contains(key.count)
        else { return nil }
        return "holds \(key.count) bytes after 'whsec_'; Standard Webhooks asks for 24 to 64"
    }
}
