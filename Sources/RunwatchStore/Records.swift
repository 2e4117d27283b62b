package import RunwatchCore

/// A row of `watch`.
package struct WatchID: Hashable, Comparable, Sendable {
    package var rowID: Int64

    package init(rowID: Int64) {
        self.rowID = rowID
    }

    package static func < (left: WatchID, right: WatchID) -> Bool { left.rowID < right.rowID }
}

/// What the database remembers of a watch: all that a restart needs to go on.
package struct SavedWatch: Sendable, Equatable {
    package var id: WatchID
    package var name: WatchName
    package var state: RunState
    package var previousState: RunState?
    /// Transitions so far, over all lives of the watch.
    package var sequence: Int
    package var polls: Int
    package var watchedSince: Timestamp
    package var phase: SavedPhase
    /// When the present state was observed; `nil` while unknown.
    package var observedAt: Timestamp?
    package var notBefore: Timestamp?
    /// The last transition or progress.
    package var changedAt: Timestamp?
    package var progress: Progress?
    package var message: String
    /// A JSON object as bytes; empty for none.
    package var detail: [UInt8]
    /// A `run.stalled` was told since the last change.
    package var isStalled: Bool

    package init(
        id: WatchID, name: WatchName, state: RunState = .unknown, previousState: RunState? = nil,
        sequence: Int = 0, polls: Int = 0, watchedSince: Timestamp,
        phase: SavedPhase = SavedPhase(), observedAt: Timestamp? = nil,
        notBefore: Timestamp? = nil, changedAt: Timestamp? = nil, progress: Progress? = nil,
        message: String = "", detail: [UInt8] = [], isStalled: Bool = false
    ) {
        self.id = id
        self.name = name
        self.state = state
        self.previousState = previousState
        self.sequence = sequence
        self.polls = polls
        self.watchedSince = watchedSince
        self.phase = phase
        self.observedAt = observedAt
        self.notBefore = notBefore
        self.changedAt = changedAt
        self.progress = progress
        self.message = message
        self.detail = detail
        self.isStalled = isStalled
    }
}

/// What is written lazily: a lost one costs a poll more, or a phase, and nothing else.
package struct SavedPhase: Sendable, Equatable {
    package var firstPollAt: Timestamp?
    /// The first poll that was answered.
    package var firstAnswerAt: Timestamp?
    package var lastPollAt: Timestamp?
    /// The start of the last poll that still saw the present state.
    package var lastSeenAt: Timestamp?
    package var nextPollAt: Timestamp?
    /// Polls since the last transition or progress: the exponent of the backoff.
    package var step: Int

    package init(
        firstPollAt: Timestamp? = nil, firstAnswerAt: Timestamp? = nil,
        lastPollAt: Timestamp? = nil, lastSeenAt: Timestamp? = nil,
        nextPollAt: Timestamp? = nil, step: Int = 0
    ) {
        self.firstPollAt = firstPollAt
        self.firstAnswerAt = firstAnswerAt
        self.lastPollAt = lastPollAt
        self.lastSeenAt = lastSeenAt
        self.nextPollAt = nextPollAt
        self.step = step
    }
}

/// An event to record, and the receivers that it is owed to.
package struct NewEvent: Sendable, Equatable {
    package var type: EventType
    package var timestamp: Timestamp
    /// `SERVICE/ID`, or what else the event is about: a service, a group, a receiver.
    package var subject: String
    /// The event as it is sent.
    package var json: [UInt8]
    /// Names of receivers, each once; one delivery is made for each.
    package var receivers: [String]

    package init(
        type: EventType, timestamp: Timestamp, subject: String, json: [UInt8], receivers: [String]
    ) {
        self.type = type
        self.timestamp = timestamp
        self.subject = subject
        self.json = json
        self.receivers = receivers
    }
}

/// A change of the record.
///
/// Changes are written in the order of their submission, each whole or not at all; but for `phases`,
/// which give way to all others and may be split.
package enum Change: Sendable {
    /// A watch reached a new state: the row, its history, the event and its deliveries, and any further
    /// events that follow from it (`group.finished`).
    ///
    /// Written once: a (watch, sequence) that is already in the history is left alone, with its events
    /// and deliveries.
    case transition(TransitionChange)
    /// A watch's progress, message or detail changed within a state; no event.
    case progress(ProgressChange)
    /// An event of its own: a stall, a service going down or coming back.
    case event(NewEvent, stalled: WatchID?)
    /// Counters and phases of watches, in a batch.
    case phases([(id: WatchID, polls: Int, phase: SavedPhase)])
    /// An attempt at a delivery or a digest, and what became of it.
    case attempt(AttemptChange)
    /// A transient watch is listed no more; the row and its history stay until retention deletes them.
    case removal(WatchRemoval)
}

package struct TransitionChange: Sendable {
    package var id: WatchID
    package var state: RunState
    package var previousState: RunState
    package var sequence: Int
    package var observedAt: Timestamp
    package var notBefore: Timestamp?
    package var progress: Progress?
    package var message: String
    package var detail: [UInt8]
    package var polls: Int
    package var phase: SavedPhase
    package var events: [NewEvent]

    package init(
        id: WatchID, state: RunState, previousState: RunState, sequence: Int,
        observedAt: Timestamp, notBefore: Timestamp?, progress: Progress?, message: String,
        detail: [UInt8], polls: Int, phase: SavedPhase, events: [NewEvent]
    ) {
        self.id = id
        self.state = state
        self.previousState = previousState
        self.sequence = sequence
        self.observedAt = observedAt
        self.notBefore = notBefore
        self.progress = progress
        self.message = message
        self.detail = detail
        self.polls = polls
        self.phase = phase
        self.events = events
    }
}

package struct ProgressChange: Sendable {
    package var id: WatchID
    package var changedAt: Timestamp
    package var progress: Progress?
    package var message: String
    package var detail: [UInt8]

    package init(
        id: WatchID, changedAt: Timestamp, progress: Progress?, message: String, detail: [UInt8]
    ) {
        self.id = id
        self.changedAt = changedAt
        self.progress = progress
        self.message = message
        self.detail = detail
    }
}

package struct AttemptChange: Sendable {
    package enum Outcome: Sendable, Equatable {
        case delivered
        /// Tried again not before that moment.
        case retry(at: Timestamp)
        /// Given up and kept for `redeliver`; the event, if any, is recorded with it.
        case failed(NewEvent?)
    }

    /// IDs of the deliveries that it concerns: one, or all of a digest, in order.
    package var deliveries: [String]
    package var at: Timestamp
    package var outcome: Outcome
    /// The HTTP status; `nil` when there was none.
    package var status: Int?
    package var duration: Duration
    /// What came back or went wrong, for people; at most 1,000 bytes, no secrets.
    package var message: String
    /// As the attempted message had it; `nil` when it does not matter.
    package var schedule: Int?

    package init(
        deliveries: [String], at: Timestamp, outcome: Outcome, status: Int?, duration: Duration,
        message: String, schedule: Int? = nil
    ) {
        self.schedule = schedule
        self.deliveries = deliveries
        self.at = at
        self.outcome = outcome
        self.status = status
        self.duration = duration
        self.message = message
    }
}

/// What a commit made true; told to the store's listeners after it is on disk.
package struct Committed: Sendable {
    /// In the order of their numbers.
    package var events: [RecordedEvent] = []
    /// Receivers that have new deliveries, or deliveries that waited behind another and are due now.
    package var receivers: Set<String> = []

    package init() {}

    package var isEmpty: Bool { events.isEmpty && receivers.isEmpty }
}

package struct RecordedEvent: Sendable, Equatable {
    /// Grows with every event; never used twice.
    package var number: Int64
    package var type: EventType
    package var timestamp: Timestamp
    package var subject: String
    package var json: [UInt8]

    package init(
        number: Int64, type: EventType, timestamp: Timestamp, subject: String, json: [UInt8]
    ) {
        self.number = number
        self.type = type
        self.timestamp = timestamp
        self.subject = subject
        self.json = json
    }
}

/// What one attempt sends to one receiver: a delivery that is due, or several gathered into a digest.
package struct PendingDelivery: Sendable, Equatable {
    /// A delivery and the event that it brings.
    package struct Part: Sendable, Equatable {
        /// The delivery's own ID.
        package var delivery: String
        package var event: RecordedEvent

        package init(delivery: String, event: RecordedEvent) {
            self.delivery = delivery
            self.event = event
        }
    }

    /// The `webhook-id`: `msg_` and 26 characters; never a dot.
    ///
    /// The delivery's own ID, or the digest's.
    package var id: String
    package var receiver: String
    /// In the order of the events' numbers; one, unless it is a digest.
    package var parts: [Part]
    package var isDigest: Bool
    /// Attempts made so far on the present schedule, which `redeliver` begins anew.
    package var attempts: Int
    /// Attempts made before the present schedule began: `redeliver` begins another one, and what an
    /// attempt under way was judged by is void then.
    package var schedule: Int

    /// - Parameter parts: At least one.
    package init(
        id: String, receiver: String, digest parts: [Part], attempts: Int, schedule: Int = 0
    ) {
        precondition(!parts.isEmpty, "a digest of nothing")
        self.id = id
        self.receiver = receiver
        self.parts = parts
        isDigest = true
        self.attempts = attempts
        self.schedule = schedule
    }

    package init(
        id: String, receiver: String, event: RecordedEvent, attempts: Int, schedule: Int = 0
    ) {
        self.id = id
        self.receiver = receiver
        parts = [Part(delivery: id, event: event)]
        isDigest = false
        self.attempts = attempts
        self.schedule = schedule
    }

    /// The first event.
    package var event: RecordedEvent { parts[0].event }
}
