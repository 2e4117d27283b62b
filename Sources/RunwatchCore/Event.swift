/// What is told to the world: one JSON object, the same in a webhook's body and on stdout.
package struct Event: Sendable, Equatable {
    package enum Data: Sendable, Equatable {
        case run(RunEventData)
        case service(ServiceEventData)
        case group(GroupEventData)
        case delivery(DeliveryEventData)
        case test(receiver: String)
    }

    package var type: EventType
    package var timestamp: Timestamp
    package var data: Data

    package init(type: EventType, timestamp: Timestamp, data: Data) {
        self.type = type
        self.timestamp = timestamp
        self.data = data
    }

    /// The event as JSON; keys with no value are left out.
    package var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("type", type.name)
        writer.member("timestamp", timestamp)
        writer.key("data")
        writer.beginObject()
        switch data {
        case .run(let run): run.write(to: &writer)
        case .service(let service): service.write(to: &writer)
        case .group(let group): group.write(to: &writer)
        case .delivery(let delivery): delivery.write(to: &writer)
        case .test(let receiver):
            writer.member("receiver", receiver)
            writer.member("message", "A test of receiver '\(receiver)'")
        }
        writer.endObject()
        writer.endObject()
        return writer.bytes
    }
}

/// The `data` of `run.STATE` and `run.stalled`.
package struct RunEventData: Sendable, Equatable {
    package var name: WatchName
    package var kind: String
    package var label: String?
    package var group: String?
    package var state: RunState
    package var previousState: RunState?
    /// Counts the watch's transitions, from 1.
    package var sequence: Int
    package var observedAt: Timestamp?
    package var notBefore: Timestamp?
    package var watchedSince: Timestamp
    package var polls: Int
    package var progress: Progress?
    package var message: String
    /// A JSON object, as bytes; empty for none.
    package var detail: [UInt8]

    package init(
        name: WatchName, kind: String, label: String? = nil, group: String? = nil, state: RunState,
        previousState: RunState? = nil, sequence: Int, observedAt: Timestamp? = nil,
        notBefore: Timestamp? = nil, watchedSince: Timestamp, polls: Int,
        progress: Progress? = nil, message: String = "", detail: [UInt8] = []
    ) {
        self.name = name
        self.kind = kind
        self.label = label
        self.group = group
        self.state = state
        self.previousState = previousState
        self.sequence = sequence
        self.observedAt = observedAt
        self.notBefore = notBefore
        self.watchedSince = watchedSince
        self.polls = polls
        self.progress = progress
        self.message = message
        self.detail = detail
    }

    /// Writes the members; a watch in the API has the same ones, and more after them.
    package func write(to writer: inout JSONWriter) {
        writer.member("service", name.service)
        writer.member("kind", kind)
        writer.member("run", name.run)
        writer.member("label", label)
        writer.member("group", group)
        writer.member("state", state.name)
        writer.member("previous_state", previousState?.name)
        writer.member("sequence", sequence)
        writer.member("observed_at", observedAt)
        writer.member("not_before", notBefore)
        writer.member("watched_since", watchedSince)
        writer.member("polls", polls)
        writer.member("progress", progress)
        writer.member("message", message)
        writer.key("detail")
        writer.raw(detail.isEmpty ? Array("{}".utf8) : detail)
    }
}

/// The `data` of `service.down` and `service.up`.
package struct ServiceEventData: Sendable, Equatable {
    package var service: String
    package var kind: String
    package var health: ServiceHealth
    package var since: Timestamp
    package var reason: PollFailureReason?
    /// The service's words or the connection's error; no secrets.
    package var message: String

    package init(
        service: String, kind: String, health: ServiceHealth, since: Timestamp,
        reason: PollFailureReason?, message: String
    ) {
        self.service = service
        self.kind = kind
        self.health = health
        self.since = since
        self.reason = reason
        self.message = message
    }

    func write(to writer: inout JSONWriter) {
        writer.member("service", service)
        writer.member("kind", kind)
        writer.member("health", health.rawValue)
        writer.member("since", since)
        writer.member("reason", reason?.rawValue)
        writer.member("message", message.isEmpty ? nil : message)
    }
}

/// The `data` of `group.finished`.
package struct GroupEventData: Sendable, Equatable {
    package var group: String
    /// How many watches ended in each final state; states with none are left out.
    package var counts: [RunState: Int]
    /// `SERVICE/ID` of the watches that ended in another state than `complete`; the first 100.
    package var failed: [String]

    package init(group: String, counts: [RunState: Int], failed: [String]) {
        self.group = group
        self.counts = counts
        self.failed = failed
    }

    func write(to writer: inout JSONWriter) {
        writer.member("group", group)
        writer.member("total", counts.values.reduce(0, +))
        writer.key("counts")
        writer.beginObject()
        for state in RunState.finalStates {
            if let count = counts[state] { writer.member(state.name, count) }
        }
        writer.endObject()
        writer.key("failed")
        writer.beginArray()
        for name in failed { writer.string(name) }
        writer.endArray()
    }
}

/// The `data` of `delivery.failed`.
package struct DeliveryEventData: Sendable, Equatable {
    /// The `webhook-id` of the delivery that was given up.
    package var delivery: String
    package var receiver: String
    package var type: String
    /// `SERVICE/ID`, or what else the event was about.
    package var name: String
    package var attempts: Int
    package var message: String

    package init(
        delivery: String, receiver: String, type: String, name: String, attempts: Int,
        message: String
    ) {
        self.delivery = delivery
        self.receiver = receiver
        self.type = type
        self.name = name
        self.attempts = attempts
        self.message = message
    }

    func write(to writer: inout JSONWriter) {
        writer.member("delivery", delivery)
        writer.member("receiver", receiver)
        writer.member("type", type)
        writer.member("name", name)
        writer.member("attempts", attempts)
        writer.member("message", message.isEmpty ? nil : message)
    }
}
