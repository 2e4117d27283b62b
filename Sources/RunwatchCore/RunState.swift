/// The normalised state of a run.
///
/// A run moves forward only, from `unknown` over `pending` and `running` to one final state.
package enum RunState: UInt8, CaseIterable, Hashable, Sendable {
    /// Watched, and not seen yet.
    case unknown
    /// The service knows the run, and it has not begun.
    case pending
    case running
    /// The service says that the run finished without error.
    case complete
    /// The service says that the run failed.
    case error
    /// The service says that the run was killed or cancelled.
    case killed
    /// The service no longer knows the run.
    case lost
    /// The watch's own deadline passed first.
    case timeout

    package static let finalStates: [RunState] = [.complete, .error, .killed, .lost, .timeout]

    package var isFinal: Bool { rawValue >= RunState.complete.rawValue }

    package var name: String {
        switch self {
        case .unknown: "unknown"
        case .pending: "pending"
        case .running: "running"
        case .complete: "complete"
        case .error: "error"
        case .killed: "killed"
        case .lost: "lost"
        case .timeout: "timeout"
        }
    }

    package init?(name: some StringProtocol) {
        guard let state = RunState.allCases.first(where: { $0.name == name }) else { return nil }
        self = state
    }

    /// Whether a run may move from this state to `next`: forward only, and final is final.
    package func mayBecome(_ next: RunState) -> Bool {
        !isFinal && next.rawValue > rawValue
    }
}
