import CCrypto
package import RunwatchCore

/// Signs webhooks as Standard Webhooks asks: HMAC-SHA256 over `id.timestamp.body`.
///
/// The scheme: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
package struct WebhookSignature: Sendable {
    /// Why a secret cannot sign; names no part of it.
    package struct SecretError: Error, Equatable, CustomStringConvertible {
        package var description: String

        init(_ description: String) {
            self.description = description
        }
    }

    private static let prefix = "whsec_"

    private let keys: [[UInt8]]

    /// - Parameter secrets: `whsec_` and base64 of the key, or any other text, whose bytes are the key.
    ///   Each signs, so that a receiver may know only one of them during a rotation.
    package init(secrets: [Secret]) throws(SecretError) {
        keys = try secrets.map { (secret) throws(SecretError) in
            try WebhookSignature.key(of: secret.reveal())
        }
    }

    /// The value of `webhook-signature`: one `v1,…` for each secret, with spaces between; `nil` without
    /// a secret.
    ///
    /// - Parameter timestamp: Seconds since 1970, as in `webhook-timestamp`.
    package func header(id: String, timestamp: Int64, body: [UInt8]) -> String? {
        guard !keys.isEmpty else { return nil }
        let content = Array("\(id).\(timestamp).".utf8) + body
        return keys.map { key in
            "v1," + Base64.encode(WebhookSignature.authenticationCode(of: content, key: key))
        }.joined(separator: " ")
    }

    private static func key(of secret: String) throws(SecretError) -> [UInt8] {
        guard secret.hasPrefix(prefix) else {
            guard !secret.isEmpty else { throw SecretError("the secret is empty") }
            return Array(secret.utf8)
        }
        guard let key = Base64.decode(secret.dropFirst(prefix.count)), !key.isEmpty else {
            throw SecretError(
                "what follows 'whsec_' in the secret is not base64; copy the secret again")
        }
        return key
    }

    private static func authenticationCode(of content: [UInt8], key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: 32)
        let made = HMAC(
            EVP_sha256(), key, Int32(clamping: key.count), content, content.count, &code, nil)
        guard made != nil else {
            preconditionFailure("HMAC-SHA256 has no cause to fail but lack of memory")
        }
        return code
    }
}
