import RunwatchCore

/// How an attempt at a delivery went, in words.
enum AttemptText {
    /// What came back and how long it took: `HTTP 503 in 12ms: try later`; empty when nothing is known.
    static func words(_ attempt: AttemptView) -> String {
        let message = attempt.message ?? ""
        let lasted = attempt.duration.map { DurationText.glance($0) }
        let repeated = attempt.status.map { "HTTP \($0)" } ?? ""
        guard isHTTP(attempt) else {
            guard !message.isEmpty else { return lasted.map { "in \($0)" } ?? "" }
            return message + (lasted.map { " (after \($0))" } ?? "")
        }
        let rest = message.hasPrefix(repeated) ? message.dropFirst(repeated.count) : message[...]
        let isJoined = rest.isEmpty || rest.first == ":" || rest.first == " "
        return repeated + (lasted.map { " in \($0)" } ?? "") + (isJoined ? "" : ": ") + rest
    }

    /// Mail servers and programs have a status too, and their messages say what it means.
    private static func isHTTP(_ attempt: AttemptView) -> Bool {
        guard let status = attempt.status else { return false }
        let message = attempt.message ?? ""
        return message.isEmpty || message.hasPrefix("HTTP \(status)")
    }

    /// What became of it, and its words: `delivered, HTTP 200 in 12ms`, `delivered in 1ms`.
    static func sentence(_ outcome: String, _ attempt: AttemptView) -> String {
        let words = words(attempt)
        guard !words.isEmpty else { return outcome }
        let isSpan = attempt.status == nil && (attempt.message ?? "").isEmpty
        return outcome + (isSpan ? " " : ", ") + words
    }
}
