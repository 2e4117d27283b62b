/// A limit in time that is asked for: so long, or expressly none.
package enum TimeLimit: Hashable, Sendable {
    case none
    case after(Duration)

    package var duration: Duration? {
        switch self {
        case .none: nil
        case .after(let duration): duration
        }
    }
}

/// The settings that are asked for with a watch; `nil` leaves what its service gives by default.
package struct WatchOverrides: Hashable, Sendable {
    package var initial: Duration?
    package var factor: Double?
    package var maximum: Duration?
    package var jitter: Double?
    package var deadline: TimeLimit?
    package var pendingAfter: TimeLimit?
    package var stallAfter: TimeLimit?
    package var notFoundGrace: Duration?
    /// Names of receivers; empty for nobody.
    package var notify: [String]?

    package init() {}

    package var isEmpty: Bool { self == WatchOverrides() }

    /// These settings over those that the service gives; `poll` key by key.
    ///
    /// Defaults change from one configuration to the next. Where one no longer fits beside what was asked
    /// for (`initial` above `max`), it gives way.
    package func over(_ defaults: WatchSettings) -> WatchSettings {
        var poll = defaults.poll
        poll.initial = initial ?? poll.initial
        poll.maximum = maximum ?? poll.maximum
        poll.factor = factor ?? poll.factor
        poll.jitter = jitter ?? poll.jitter
        if poll.maximum < poll.initial {
            if maximum != nil, initial == nil {
                poll.initial = poll.maximum
            } else {
                poll.maximum = poll.initial
            }
        }
        return WatchSettings(
            poll: poll, deadline: deadline.map(\.duration) ?? defaults.deadline,
            pendingAfter: pendingAfter.map(\.duration) ?? defaults.pendingAfter,
            stallAfter: stallAfter.map(\.duration) ?? defaults.stallAfter,
            notFoundGrace: notFoundGrace ?? defaults.notFoundGrace,
            notify: notify ?? defaults.notify)
    }

    /// The keys, as the watch list writes them, in which two differ.
    package func difference(from other: WatchOverrides) -> [String] {
        let isSamePoll =
            initial == other.initial && factor == other.factor && maximum == other.maximum
            && jitter == other.jitter
        return [
            ("poll", isSamePoll), ("deadline", deadline == other.deadline),
            ("pending_after", pendingAfter == other.pendingAfter),
            ("stall_after", stallAfter == other.stallAfter),
            ("not_found_grace", notFoundGrace == other.notFoundGrace),
            ("notify", notify == other.notify),
        ].filter { !$0.1 }.map(\.0)
    }
}
