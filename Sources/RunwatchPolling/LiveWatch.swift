package import RunwatchCore

/// What the poller knows of a watch beyond the record.
package struct LiveWatch: Sendable, Equatable {
    package var polls: Int
    package var lastPollAt: Timestamp?
    /// The last poll that has ended; `nil` before the first one of this process.
    package var lastPoll: PollReport?
    package var nextPoll: NextPoll
    /// What went wrong at the last poll; no secrets.
    package var lastError: String?

    /// When it will be asked next; `nil` while a request is under way.
    package var nextPollAt: Timestamp? { nextPoll.at }
    /// Why then, for people.
    package var nextPollReason: String { nextPoll.detail }
}

/// One watch, explained.
package struct WatchExplanation: Sendable, Equatable {
    package var live: LiveWatch
    /// As resolved: the nearest setting has won.
    package var settings: WatchSettings
    /// What happens by itself unless the run does something first; the earliest first.
    package var prospects: [WatchProspect]
}

/// How a poll went, for one watch.
package struct PollReport: Sendable, Equatable {
    /// When the request was sent.
    package var at: Timestamp
    /// A stable word: `answered`, `nothing`, `not_found`, `unknown_word`, `refused`, `failed`, `cancelled`.
    package var outcome: String
    /// Why it failed.
    package var reason: PollFailureReason?
    /// The HTTP status; `nil` when none came.
    package var status: Int?
    package var duration: Duration?
    /// It asked about many watches at once.
    package var isCommon: Bool
    /// What went wrong, for people; no secrets.
    package var message: String?
}

/// When a watch is asked next, and why then.
package struct NextPoll: Sendable, Equatable {
    /// What decides; the raw values are the API's words.
    package enum Reason: String, Sendable, CaseIterable {
        // By its own plan.
        case first, kept, change, backoff, grace, deadline, alarm, asked, again
        case secondLook = "second_look"
        // Its time has come, and it waits.
        case rate, concurrency, due
        case inFlight = "in_flight"
        case commonRequest = "common_request"
        // The service, or the daemon, is not well.
        case credentials, service, probe, database, stopping
        case retryAfter = "retry_after"
        // The configuration does not let it be polled.
        case unserved, pipeline
    }

    /// `nil` when only something else than time can tell.
    package var at: Timestamp?
    package var reason: Reason
    /// For people: a sentence without its full stop.
    package var detail: String
}

/// What will become of a watch by time alone.
package struct WatchProspect: Sendable, Equatable {
    package enum What: String, Sendable {
        case timeout, lost, stalled
    }

    package var what: What
    package var at: Timestamp
    /// For people: what has to be so at that moment.
    package var detail: String
}
