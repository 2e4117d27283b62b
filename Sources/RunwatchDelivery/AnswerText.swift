import RunwatchCore
import RunwatchHTTP

/// What came back from a receiver, or why nothing did, in a few printable words without secrets.
struct AnswerText: Sendable {
    /// How much of an answer is kept for people, in bytes.
    static let excerpt = 200

    /// The longest first, so that none is missed for a part of it being hidden already.
    private let hidden: [Secret]

    /// - Parameters:
    ///   - url: With many receivers its path is the key, so its parts are secrets too.
    ///   - secrets: Whatever else must not be shown.
    init(hiding url: Secret, _ secrets: [Secret]) {
        let texts =
            AnswerText.parts(ofURL: url.reveal())
            + secrets.flatMap { AnswerText.parts(ofSecret: $0.reveal()) }
        hidden = Set(texts).sorted { ($1.utf8.count, $1) < ($0.utf8.count, $0) }.map { Secret($0) }
    }

    /// `HTTP 503: the first words of the answer`.
    func of(_ response: HTTPResponse) -> String {
        var message = "HTTP \(response.status)"
        if (300..<400).contains(response.status) {
            message += " (redirects are not followed; configure the final URL)"
        }
        let text = String(decoding: response.body, as: UTF8.self)
        // Secrets first: one may hold a space.
        let words = PrintableText.escaped(
            hiding(text).split { $0.isWhitespace }.joined(separator: " "))
        guard !words.isEmpty else { return message }
        return message + ": " + PrintableText.truncated(words, to: AnswerText.excerpt)
    }

    /// The failure's words, after `HTTP 503, but` when at least that much came.
    func of(_ failure: HTTPFailure) -> String {
        let start = failure.status.map { "HTTP \($0), but " } ?? ""
        let words = PrintableText.escaped(hiding(failure.message))
        return start + PrintableText.truncated(words, to: 2 * AnswerText.excerpt)
    }

    private func hiding(_ text: String) -> String {
        hidden.reduce(text) { $1.redacted(from: $0) }
    }

    /// A server shows the whole URL, or the path, or a part of it between slashes; the host is no secret.
    private static func parts(ofURL url: String) -> [String] {
        guard let scheme = url.firstRange(of: "://") else { return [url] }
        let rest = url[scheme.upperBound...]
        let tail = rest.drop { $0 != "/" && $0 != "?" }
        guard tail.utf8.count > 1 else { return [url] }
        let path = tail.prefix { $0 != "?" }
        var keys = tail.split { "/?&=".contains($0) }.filter { $0.utf8.count >= 8 }
        if let last = path.split(separator: "/").last { keys.append(last) }
        let decoded = keys.compactMap { PercentEncoding.decode($0) }
        return [url] + ([rest, tail, path] + keys).map { String($0) } + decoded
    }

    /// `whsec_` and a scheme such as `Bearer` say nothing; what follows them is the secret.
    private static func parts(ofSecret secret: String) -> [String] {
        var parts = [secret]
        if secret.hasPrefix("whsec_") { parts.append(String(secret.dropFirst(6))) }
        if let space = secret.firstIndex(of: " ") {
            parts.append(String(secret[secret.index(after: space)...]))
        }
        return parts
    }
}
