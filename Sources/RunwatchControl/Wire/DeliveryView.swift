package import RunwatchCore

/// One event for one receiver, as the API shows it.
package struct DeliveryView: WireView {
    package enum State: String, Hashable, Sendable, CaseIterable {
        case pending, delivered, failed
    }

    /// The `webhook-id`.
    package var id: String
    package var receiver: String
    /// The event's type: `run.complete`.
    package var type: String
    /// `SERVICE/ID`, or what else the event is about.
    package var name: String
    package var state: State
    /// When it was recorded, with its event.
    package var createdAt: Timestamp?
    /// When it was delivered or given up; `nil` before.
    package var finishedAt: Timestamp?
    /// `nil` when nothing is tried any more, and when it waits for something else than time.
    package var nextAttemptAt: Timestamp?
    /// Why then, or what it waits for, where there is more to say than its schedule; for people.
    package var nextAttemptReason: String?
    /// The `webhook-id` of the digest that it went into; `nil` for a message of its own.
    package var digest: String?
    /// Attempts before those in `attempts`; they are not kept.
    package var earlierAttempts: Int
    /// Oldest first.
    package var attempts: [AttemptView]

    package init(
        id: String, receiver: String, type: String, name: String, state: State,
        createdAt: Timestamp? = nil, finishedAt: Timestamp? = nil,
        nextAttemptAt: Timestamp? = nil, nextAttemptReason: String? = nil,
        digest: String? = nil, earlierAttempts: Int = 0, attempts: [AttemptView] = []
    ) {
        self.id = id
        self.receiver = receiver
        self.type = type
        self.name = name
        self.state = state
        self.createdAt = createdAt
        self.finishedAt = finishedAt
        self.nextAttemptAt = nextAttemptAt
        self.nextAttemptReason = nextAttemptReason
        self.digest = digest
        self.earlierAttempts = earlierAttempts
        self.attempts = attempts
    }

    package init(_ object: WireObject) throws(WireError) {
        id = try object.text("id")
        receiver = try object.text("receiver")
        type = try object.text("type")
        name = try object.text("name")
        guard let state = State(rawValue: try object.text("state")) else {
            throw object.failure("state", "no state of a delivery that this program knows")
        }
        self.state = state
        createdAt = try object.optionalTimestamp("created_at")
        finishedAt = try object.optionalTimestamp("finished_at")
        nextAttemptAt = try object.optionalTimestamp("next_attempt_at")
        nextAttemptReason = try object.optionalText("next_attempt_reason")
        digest = try object.optionalText("digest")
        earlierAttempts = Int(clamping: try object.optionalInteger("earlier_attempts") ?? 0)
        attempts = try object.list("attempts")
    }

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("id", id)
        writer.member("receiver", receiver)
        writer.member("type", type)
        writer.member("name", name)
        writer.member("state", state.rawValue)
        writer.member("created_at", createdAt)
        writer.member("finished_at", finishedAt)
        writer.member("next_attempt_at", nextAttemptAt)
        writer.member("next_attempt_reason", nextAttemptReason)
        writer.member("digest", digest)
        if earlierAttempts > 0 { writer.member("earlier_attempts", earlierAttempts) }
        writer.list("attempts", attempts)
        writer.endObject()
    }
}

/// One attempt at a delivery, as the API shows it.
package struct AttemptView: WireView {
    package var at: Timestamp
    /// `delivered`, `retry` or `failed`.
    package var outcome: String
    /// The HTTP status; `nil` when there was none.
    package var status: Int?
    package var duration: Duration?
    /// What came back or went wrong; for people.
    package var message: String?

    package init(
        at: Timestamp, outcome: String, status: Int? = nil, duration: Duration? = nil,
        message: String? = nil
    ) {
        self.at = at
        self.outcome = outcome
        self.status = status
        self.duration = duration
        self.message = message
    }

    package init(_ object: WireObject) throws(WireError) {
        at = try object.timestamp("at")
        outcome = try object.text("outcome")
        status = try object.optionalInteger("status").map { Int(clamping: $0) }
        duration = try object.optionalDuration("duration")
        message = try object.optionalText("message")
    }

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("at", at)
        writer.member("outcome", outcome)
        writer.member("status", status)
        writer.member("duration", duration)
        writer.member("message", message)
        writer.endObject()
    }
}
