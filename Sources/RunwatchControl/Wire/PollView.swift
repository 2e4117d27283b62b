package import RunwatchCore

/// How the last poll of a watch went, as the API shows it.
package struct LastPollView: WireView {
    /// When the request was sent.
    package var at: Timestamp
    /// `answered`, `nothing`, `not_found`, `unknown_word`, `refused`, `failed` or `cancelled`.
    package var outcome: String
    /// Why it failed; the words of `PollFailureReason`.
    package var reason: String?
    /// The HTTP status; `nil` when none came.
    package var status: Int?
    package var duration: Duration?
    /// It asked about many watches at once.
    package var isCommon: Bool
    /// What went wrong; for people, no secrets.
    package var message: String?

    package init(
        at: Timestamp, outcome: String, reason: String? = nil, status: Int? = nil,
        duration: Duration? = nil, isCommon: Bool = false, message: String? = nil
    ) {
        self.at = at
        self.outcome = outcome
        self.reason = reason
        self.status = status
        self.duration = duration
        self.isCommon = isCommon
        self.message = message
    }

    package init(_ object: WireObject) throws(WireError) {
        at = try object.timestamp("at")
        outcome = try object.text("outcome")
        reason = try object.optionalText("reason")
        status = try object.optionalInteger("status").map { Int(clamping: $0) }
        duration = try object.optionalDuration("duration")
        isCommon = try object.bool("common")
        message = try object.optionalText("message")
    }

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("at", at)
        writer.member("outcome", outcome)
        writer.member("reason", reason)
        writer.member("status", status)
        writer.member("duration", duration)
        writer.member("common", isCommon)
        writer.member("message", message)
        writer.endObject()
    }
}

/// When a watch is asked next, and why then, as the API shows it.
package struct NextPollView: WireView {
    /// `nil` when something else than time decides: a request is under way, the daemon stops.
    package var at: Timestamp?
    /// A stable word; Control.md has them all.
    package var reason: String
    /// For people: a sentence without its full stop.
    package var detail: String

    package init(at: Timestamp?, reason: String, detail: String) {
        self.at = at
        self.reason = reason
        self.detail = detail
    }

    package init(_ object: WireObject) throws(WireError) {
        at = try object.optionalTimestamp("at")
        reason = try object.text("reason")
        detail = try object.text("detail")
    }

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("at", at)
        writer.member("reason", reason)
        writer.member("detail", detail)
        writer.endObject()
    }
}

/// What becomes of a watch by time alone, as the API shows it.
package struct ProspectView: WireView {
    /// `timeout`, `lost` or `stalled`.
    package var what: String
    package var at: Timestamp
    /// What has to be so at that moment; for people.
    package var detail: String

    package init(what: String, at: Timestamp, detail: String) {
        self.what = what
        self.at = at
        self.detail = detail
    }

    package init(_ object: WireObject) throws(WireError) {
        what = try object.text("what")
        at = try object.timestamp("at")
        detail = try object.text("detail")
    }

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("what", what)
        writer.member("at", at)
        writer.member("detail", detail)
        writer.endObject()
    }
}

/// A watch's settings as resolved, as the API shows them: the keys are the configuration's.
package struct WatchSettingsView: WireView {
    package var settings: WatchSettings

    package init(_ settings: WatchSettings) {
        self.settings = settings
    }

    package init(_ object: WireObject) throws(WireError) {
        let poll = try object.object("poll")
        settings = WatchSettings(
            poll: PollSettings(
                initial: try poll.optionalDuration("initial") ?? .zero,
                factor: try poll.number("factor"),
                maximum: try poll.optionalDuration("max") ?? .zero,
                jitter: try poll.number("jitter")),
            deadline: try object.optionalDuration("deadline"),
            pendingAfter: try object.optionalDuration("pending_after"),
            stallAfter: try object.optionalDuration("stall_after"),
            notFoundGrace: try object.optionalDuration("not_found_grace") ?? .zero,
            notify: try object.texts("notify"))
    }

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("poll")
        writer.beginObject()
        writer.member("initial", settings.poll.initial)
        writer.key("factor")
        writer.number(settings.poll.factor)
        writer.member("max", settings.poll.maximum)
        writer.key("jitter")
        writer.number(settings.poll.jitter)
        writer.endObject()
        writer.member("deadline", settings.deadline)
        writer.member("pending_after", settings.pendingAfter)
        writer.member("stall_after", settings.stallAfter)
        writer.member("not_found_grace", settings.notFoundGrace)
        writer.texts("notify", settings.notify)
        writer.endObject()
    }
}

extension WireObject {
    /// A number, whole or not.
    fileprivate func number(_ name: String) throws(WireError) -> Double {
        switch optional(name) {
        case .integer(let number): return Double(number)
        case .number(let number): return number
        default: throw failure(name, "a number was expected")
        }
    }
}
