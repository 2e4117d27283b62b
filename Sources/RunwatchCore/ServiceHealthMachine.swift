/// How a service is treated by what its answers were: one for all its watches.
///
/// - `up`: polls flow as the budget allows.
/// - `degraded`: one or two failures in a row. One alone holds up nobody but the watch that was asked
///   for, unless the service asks for less; after the second the service rests for a random pause, and
///   then one request at a time finds out.
/// - `down`: three in a row; the same with longer pauses, up to two minutes.
///   Credentials do not mend themselves: refused twice they mean `down`, and one request a minute.
///
/// The first good answer brings every state back to `up`.
package struct ServiceHealthMachine: Sendable, Equatable {
    package enum Turn: Sendable, Equatable {
        case wentDown
        case cameUp
    }

    /// Whether a request may be sent.
    package enum Permission: Sendable, Equatable {
        case granted
        case notBefore(Instant)
        /// One request is finding out; its answer decides.
        case afterProbe
    }

    /// Failures in a row that make a service `down`.
    package static let failuresUntilDown = 3
    /// The longest pause that a `Retry-After` can ask for.
    package static let longestHint = Duration.seconds(3600)
    private static let firstPause = 1.0
    private static let longestPause = 120.0
    private static let shortestPause = 0.1
    private static let unauthorizedPause = Duration.seconds(60)

    package private(set) var health = ServiceHealth.up
    package private(set) var failuresInARow = 0
    /// The last failure, kept after the service came back.
    package private(set) var lastReason: PollFailureReason?
    package private(set) var lastMessage = ""
    /// An outage was told, and its end was not.
    package private(set) var wasToldDown = false
    private var failedAt: Instant?
    private var pausedUntil: Instant?
    /// Until when the service asked to be left alone; it may be past.
    package private(set) var hintedUntil: Instant?
    private var isProbing = false

    package init() {}

    /// Goes on where the last process stopped: a service that was told to be down is not told again.
    package init(wasToldDown: Bool) {
        self.wasToldDown = wasToldDown
        guard wasToldDown else { return }
        health = .down
        failuresInARow = ServiceHealthMachine.failuresUntilDown
        pausedUntil = Instant(nanoseconds: 0)
    }

    package func permission(at now: Instant) -> Permission {
        if let hintedUntil, now < hintedUntil { return .notBefore(hintedUntil) }
        guard isResting else { return .granted }
        if isProbing { return .afterProbe }
        if let pausedUntil, now < pausedUntil { return .notBefore(pausedUntil) }
        return .granted
    }

    /// A request was sent.
    package mutating func polled() {
        if isResting { isProbing = true }
    }

    /// A request found its answer, or was given up, without saying anything about the service.
    package mutating func settled() {
        isProbing = false
    }

    /// A good answer came.
    package mutating func succeeded() -> Turn? {
        isProbing = false
        health = .up
        failuresInARow = 0
        pausedUntil = nil
        guard wasToldDown else { return nil }
        wasToldDown = false
        return .cameUp
    }

    /// A request failed.
    ///
    /// A request that was sent before the last failure was known belongs to the same incident: eight in
    /// flight at once are one failure, not eight.
    /// - Parameters:
    ///   - hint: What `Retry-After` asks for.
    ///   - unit: The random share of the pause, in [0, 1).
    package mutating func failed(
        _ reason: PollFailureReason, message: String, startedAt: Instant, at now: Instant,
        hint: Duration?, unit: Double
    ) -> Turn? {
        lastReason = reason
        lastMessage = message
        if let hint {
            let until = now.advanced(by: min(hint, ServiceHealthMachine.longestHint))
            hintedUntil = max(hintedUntil ?? until, until)
        }
        if let failedAt, failuresInARow > 0, startedAt < failedAt { return nil }
        isProbing = false
        failedAt = now
        failuresInARow += 1
        let isAlone = failuresInARow == 1 && reason != .throttled
        pausedUntil = isAlone ? nil : now.advanced(by: pause(reason, unit: unit))
        let isDown =
            wasToldDown || failuresInARow >= ServiceHealthMachine.failuresUntilDown
            || reason == .unauthorized && !isAlone
        health = isDown ? .down : .degraded
        guard isDown, !wasToldDown else { return nil }
        wasToldDown = true
        return .wentDown
    }

    /// When the next request may be sent; `nil` when it may be now.
    package func nextProbe(after now: Instant) -> Instant? {
        guard case .notBefore(let moment) = permission(at: now) else { return nil }
        return moment
    }

    /// The longest that the present pause can be; it is random below that.
    package var longestPause: Duration {
        lastReason == .unauthorized
            ? ServiceHealthMachine.unauthorizedPause : .nanoseconds(Int64(pauseLimit * 1e9))
    }

    /// After a failure that is no accident, until the next good answer.
    private var isResting: Bool { failuresInARow > 0 && pausedUntil != nil }

    /// Full jitter: any moment up to the doubled pause, so that many daemons do not come back at once.
    private func pause(_ reason: PollFailureReason, unit: Double) -> Duration {
        if reason == .unauthorized { return ServiceHealthMachine.unauthorizedPause }
        let seconds = max(ServiceHealthMachine.shortestPause, pauseLimit * unit)
        return .nanoseconds(Int64(seconds * 1e9))
    }

    /// In seconds.
    private var pauseLimit: Double {
        var longest = ServiceHealthMachine.firstPause
        for _ in 0..<min(max(0, failuresInARow - 2), 10) { longest *= 2 }
        return min(longest, ServiceHealthMachine.longestPause)
    }
}
