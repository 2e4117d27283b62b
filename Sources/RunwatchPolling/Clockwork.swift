package import RunwatchCore

/// Both clocks at one moment, to turn what one shows into what the other would have shown.
package struct Clockwork: Sendable {
    package let now: Instant
    package let wallClock: Timestamp

    package init(_ time: any TimeSource) {
        now = time.now()
        wallClock = time.wallClock()
    }

    /// What the wall clock, as it is set now, calls that instant.
    package func timestamp(_ instant: Instant) -> Timestamp {
        wallClock.advanced(by: now.duration(to: instant))
    }

    package func timestamp(_ instant: Instant?) -> Timestamp? {
        instant.map { wallClock.advanced(by: now.duration(to: $0)) }
    }

    /// When something recorded happened; never in the future, whatever the wall clock did meanwhile.
    package func past(_ timestamp: Timestamp?) -> Instant? {
        guard let timestamp else { return nil }
        return min(now, now.advanced(by: wallClock.duration(to: timestamp)))
    }

    /// When something recorded was planned for; it may be past.
    package func planned(_ timestamp: Timestamp) -> Instant {
        now.advanced(by: wallClock.duration(to: timestamp))
    }
}
