package import RunwatchCore

/// Requests made at a service, by what came of them, and what was learned by them.
package struct PollCounts: Sendable, Equatable {
    package var answered = 0
    /// Answers that refused one watch's request.
    package var refused = 0
    package var failed: [PollFailureReason: Int] = [:]
    /// Answers about many runs that were refused or too large; the runs are asked for one by one then.
    package var refusedCommon = 0
    /// Answers of an address, or for credentials, that the service does not have any more.
    package var outdated = 0
    /// Requests that were given up, as when the daemon stops.
    package var abandoned = 0
    /// Requests that asked about many runs at once; counted by their outcomes too.
    package var common = 0
    /// Failures with a wish to be left alone for some time (`Retry-After`).
    package var hints = 0
    /// By the raw value of the state that was reached.
    package var transitions = [Int](repeating: 0, count: RunState.allCases.count)

    package init() {}

    /// Every outcome, also those that did not occur.
    package var outcomes: [(name: String, count: Int)] {
        [
            ("answered", answered), ("refused_watch", refused), ("refused_common", refusedCommon),
            ("outdated", outdated), ("abandoned", abandoned),
        ] + PollFailureReason.allCases.map { ($0.rawValue, failed[$0] ?? 0) }
    }
}
