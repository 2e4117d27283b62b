/// What may stand under `defaults:`, resolved for one watch: the nearest setting has won.
///
/// Watches with equal settings share one instance, so that a hundred thousand of them cost a reference
/// each.
package final class WatchSettings: Hashable, Sendable {
    package let poll: PollSettings
    /// Counted from the first poll; `nil` for none.
    package let deadline: Duration?
    package let pendingAfter: Duration?
    package let stallAfter: Duration?
    package let notFoundGrace: Duration
    /// Names of receivers, in the order given, each once.
    package let notify: [String]

    package init(
        poll: PollSettings = .standard, deadline: Duration? = nil, pendingAfter: Duration? = nil,
        stallAfter: Duration? = nil, notFoundGrace: Duration = .seconds(60), notify: [String] = []
    ) {
        self.poll = poll
        self.deadline = deadline
        self.pendingAfter = pendingAfter
        self.stallAfter = stallAfter
        self.notFoundGrace = notFoundGrace
        self.notify = notify
    }

    package static func == (left: WatchSettings, right: WatchSettings) -> Bool {
        left === right
            || left.poll == right.poll && left.deadline == right.deadline
                && left.pendingAfter == right.pendingAfter && left.stallAfter == right.stallAfter
                && left.notFoundGrace == right.notFoundGrace && left.notify == right.notify
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(poll)
        hasher.combine(deadline)
        hasher.combine(pendingAfter)
        hasher.combine(stallAfter)
        hasher.combine(notFoundGrace)
        hasher.combine(notify)
    }
}
