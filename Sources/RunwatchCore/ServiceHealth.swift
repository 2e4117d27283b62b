/// How well a service answers.
package enum ServiceHealth: String, Hashable, Sendable, CaseIterable {
    case up
    /// The last poll failed, and it is too early to call the service down.
    case degraded
    /// Three failures in a row, or refused credentials; probed one request at a time.
    case down
}

/// Why a poll failed, as a word for logs, counters and events.
package enum PollFailureReason: String, Hashable, Sendable, CaseIterable {
    /// No connection, TLS, a reset, an answer cut short.
    case connection
    case timeout
    /// HTTP 5xx, or a service that says it is going away.
    case unavailable
    /// HTTP 429.
    case throttled
    /// HTTP 401 or 403.
    case unauthorized
    /// An answer that does not follow the protocol.
    case unreadable
    /// An answer over its size limit.
    case tooLarge = "too_large"
    /// Any other HTTP status that the kind does not expect.
    case refused
}
