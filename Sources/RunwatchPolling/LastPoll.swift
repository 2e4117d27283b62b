import RunwatchCore
import RunwatchServices

/// What a poll gave for one watch.
enum PollOutcome: Hashable, Sendable {
    /// The service gave a state.
    case answered
    /// The answer says nothing about the run's state.
    case nothing
    case notFound
    /// The service gave a word that is not known: no change.
    case unknownWord
    /// The request was wrong for this watch alone.
    case refused
    /// The service failed.
    case failed(PollFailureReason)
    /// Given up by a stop or a change of the configuration.
    case cancelled

    /// A stable word, for the API.
    var word: String {
        switch self {
        case .answered: "answered"
        case .nothing: "nothing"
        case .notFound: "not_found"
        case .unknownWord: "unknown_word"
        case .refused: "refused"
        case .failed: "failed"
        case .cancelled: "cancelled"
        }
    }

    init(_ finding: Observation.Finding, isUnknownWord: Bool) {
        switch finding {
        case .state: self = .answered
        case .notFound: self = .notFound
        case .nothing: self = isUnknownWord ? .unknownWord : .nothing
        }
    }
}

/// The last poll of a watch that has ended, in sixteen bytes: there is one for each watch.
struct LastPoll: Sendable {
    private static let noDuration = UInt32.max

    /// When its request was sent; `nil` before the first one of this process.
    @PackedInstant private(set) var startedAt: Instant?
    private var milliseconds = LastPoll.noDuration
    private var httpStatus: UInt16 = 0
    private(set) var outcome = PollOutcome.cancelled
    /// One request for many watches.
    private(set) var isCommon = false

    init() {}

    init(_ outcome: PollOutcome, of request: PollRequest) {
        startedAt = request.startedAt
        self.outcome = outcome
        switch request.scope {
        case .run: isCommon = false
        case .tag, .all: isCommon = true
        }
        guard let end = request.end else { return }
        httpStatus = UInt16(clamping: end.status ?? 0)
        let lasted = request.startedAt.duration(to: end.at).wholeMilliseconds
        milliseconds = UInt32(clamping: max(0, lasted))
    }

    var status: Int? { httpStatus == 0 ? nil : Int(httpStatus) }

    var duration: Duration? {
        milliseconds == LastPoll.noDuration ? nil : .milliseconds(Int64(milliseconds))
    }
}

/// How a request ended.
struct PollEnd: Sendable {
    var at: Instant
    /// The HTTP status; `nil` when there was none.
    var status: Int?
}
