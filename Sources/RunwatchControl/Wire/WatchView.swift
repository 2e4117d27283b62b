package import RunwatchCore

/// A watch as the API shows it: the keys of an event's `data`, and how it is polled.
package struct WatchView: WireView {
    /// What an event about the run would hold now.
    package var data: RunEventData
    package var lastPollAt: Timestamp?
    /// `nil` when the watch is polled no more.
    package var nextPollAt: Timestamp?
    /// Why the next poll is at that moment, or why there is none; for people.
    package var nextPollReason: String?
    /// The service's words at the last failed poll; no secrets.
    package var lastError: String?
    /// A file and line, or `transient`; `nil` once the watch has left the list.
    package var origin: String?
    /// How the last poll that has ended went; `nil` before the first one of the daemon's process.
    package var lastPoll: LastPollView?
    /// When it is asked next, and why then; `nil` when final.
    package var nextPoll: NextPollView?
    /// As resolved; `nil` in a list of watches, and for one that is not watched any more.
    package var settings: WatchSettingsView?
    /// What becomes of it by time alone, the earliest first; `nil` in a list of watches.
    package var prospects: [ProspectView]?
    /// Oldest first; `nil` in a list of watches.
    package var transitions: [TransitionView]?
    /// Newest first; `nil` in a list of watches.
    package var deliveries: [DeliveryView]?

    package var name: WatchName { data.name }
    package var isFinal: Bool { data.state.isFinal }

    package init(
        data: RunEventData, lastPollAt: Timestamp? = nil, nextPollAt: Timestamp? = nil,
        nextPollReason: String? = nil, lastError: String? = nil, origin: String? = nil,
        transitions: [TransitionView]? = nil, deliveries: [DeliveryView]? = nil,
        lastPoll: LastPollView? = nil, nextPoll: NextPollView? = nil,
        settings: WatchSettingsView? = nil, prospects: [ProspectView]? = nil
    ) {
        self.lastPoll = lastPoll
        self.nextPoll = nextPoll
        self.settings = settings
        self.prospects = prospects
        self.data = data
        self.lastPollAt = lastPollAt
        self.nextPollAt = nextPollAt
        self.nextPollReason = nextPollReason
        self.lastError = lastError
        self.origin = origin
        self.transitions = transitions
        self.deliveries = deliveries
    }

    package init(_ object: WireObject) throws(WireError) {
        data = try RunEventData(object)
        lastPollAt = try object.optionalTimestamp("last_poll_at")
        nextPollAt = try object.optionalTimestamp("next_poll_at")
        nextPollReason = try object.optionalText("next_poll_reason")
        lastError = try object.optionalText("last_error")
        origin = try object.optionalText("origin")
        lastPoll = try object.optionalObject("last_poll").map(LastPollView.init)
        nextPoll = try object.optionalObject("next_poll").map(NextPollView.init)
        settings = try object.optionalObject("settings").map(WatchSettingsView.init)
        prospects = try object.optionalList("prospects")
        transitions = try object.optionalList("transitions")
        deliveries = try object.optionalList("deliveries")
    }

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("name", name.description)
        data.write(to: &writer)
        writer.member("final", isFinal)
        writer.member("last_poll_at", lastPollAt)
        writer.member("next_poll_at", nextPollAt)
        writer.member("next_poll_reason", nextPollReason)
        writer.member("last_error", lastError)
        writer.member("origin", origin)
        writer.member("last_poll", lastPoll)
        writer.member("next_poll", nextPoll)
        writer.member("settings", settings)
        if let prospects { writer.list("prospects", prospects) }
        if let transitions { writer.list("transitions", transitions) }
        if let deliveries { writer.list("deliveries", deliveries) }
        writer.endObject()
    }
}

/// A recorded change of state, as the API shows it.
package struct TransitionView: WireView {
    /// Counts the watch's transitions, from 1.
    package var sequence: Int
    package var state: RunState
    package var previousState: RunState?
    package var observedAt: Timestamp
    /// The last poll that still saw the earlier state.
    package var notBefore: Timestamp?
    package var progress: Progress?
    package var message: String
    /// A JSON object, as bytes; empty for none.
    package var detail: [UInt8]

    package init(
        sequence: Int, state: RunState, previousState: RunState? = nil, observedAt: Timestamp,
        notBefore: Timestamp? = nil, progress: Progress? = nil, message: String = "",
        detail: [UInt8] = []
    ) {
        self.sequence = sequence
        self.state = state
        self.previousState = previousState
        self.observedAt = observedAt
        self.notBefore = notBefore
        self.progress = progress
        self.message = message
        self.detail = detail
    }

    package init(_ object: WireObject) throws(WireError) {
        sequence = try object.count("sequence")
        state = try object.state("state")
        previousState = try object.optionalState("previous_state")
        observedAt = try object.timestamp("observed_at")
        notBefore = try object.optionalTimestamp("not_before")
        progress = try Progress(object.optionalObject("progress"))
        message = try object.optionalText("message") ?? ""
        detail = RunEventData.detail(of: object)
    }

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("sequence", sequence)
        writer.member("state", state.name)
        writer.member("previous_state", previousState?.name)
        writer.member("observed_at", observedAt)
        writer.member("not_before", notBefore)
        writer.member("progress", progress)
        writer.member("message", message)
        writer.key("detail")
        writer.raw(detail.isEmpty ? Array("{}".utf8) : detail)
        writer.endObject()
    }
}

extension RunEventData {
    /// Reads the keys that an event's `data` and a watch have in common.
    package init(_ object: WireObject) throws(WireError) {
        self.init(
            name: WatchName(service: try object.text("service"), run: try object.text("run")),
            kind: try object.text("kind"), label: try object.optionalText("label"),
            group: try object.optionalText("group"), state: try object.state("state"),
            previousState: try object.optionalState("previous_state"),
            sequence: try object.count("sequence"),
            observedAt: try object.optionalTimestamp("observed_at"),
            notBefore: try object.optionalTimestamp("not_before"),
            watchedSince: try object.timestamp("watched_since"),
            polls: try object.count("polls"),
            progress: try Progress(object.optionalObject("progress")),
            message: try object.optionalText("message") ?? "",
            detail: RunEventData.detail(of: object))
    }

    /// The `detail` of an object as bytes; empty when it has no members.
    static func detail(of object: WireObject) -> [UInt8] {
        guard let detail = object.optional("detail"), detail != .object([]) else { return [] }
        return detail.bytes
    }
}

extension Progress {
    init?(_ object: WireObject?) throws(WireError) {
        guard let object else { return nil }
        self.init(
            done: Int32(clamping: try object.integer("done")),
            total: Int32(clamping: try object.integer("total")))
    }
}
