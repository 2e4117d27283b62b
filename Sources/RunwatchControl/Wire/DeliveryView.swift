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
    /// `nil` when nothing is tried any more.
    package var nextAttemptAt: Timestamp?
    /// Oldest first.
    package var attempts: [AttemptView]

    package init(
        id: String, receiver: String, type: String, name: String, state: State,
        nextAttemptAt: Timestamp? = nil, attempts: [AttemptView] = []
    ) {
        self.id = id
        self.receiver = receiver
        self.type = type
        self.name = name
        self.state = state
        self.nextAttemptAt = nextAttemptAt
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
        nextAttemptAt = try object.optionalTimestamp("next_attempt_at")
        attempts = try object.list("attempts")
    }

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("id", id)
        writer.member("receiver", receiver)
        writer.member("type", type)
        writer.member("name", name)
        writer.member("state", state.rawValue)
        writer.member("next_attempt_at", nextAttemptAt)
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
