/// Why a watch's next poll is planned for its moment.
package enum PollPlan: UInt8, Hashable, Sendable, CaseIterable {
    /// Never asked: at its place in the first interval.
    case first
    /// As planned before the daemon was started.
    case kept
    /// The backoff's wait, which has grown since the last change or is the first one after it.
    case backoff
    /// The run was not found once, and only a second such answer counts.
    case secondLook
    /// `not_found_grace` ends.
    case grace
    /// The deadline passes.
    case deadline
    /// `pending_after` ends.
    case pendingAlarm
    /// `stall_after` ends.
    case stallAlarm
    /// A person asked for it.
    case asked
    /// The watch was started afresh.
    case afresh
    /// The request before was of no use: another address, or an answer about all that did not serve.
    case again
}
