import RunwatchCore

/// How a watch is polled, in words.
enum PollText {
    /// When it was last asked, and what came back.
    static func last(_ watch: WatchView, _ now: Timestamp, _ style: TextStyle) -> String {
        guard let lastPollAt = watch.lastPollAt else { return "not yet" }
        let moment = AgeText.full(lastPollAt, now: now)
        guard let poll = watch.lastPoll else {
            guard !watch.isFinal, watch.nextPoll?.reason != "unlisted" else { return moment }
            return moment + ": what came back is not kept over a restart"
        }
        guard poll.at >= lastPollAt else {
            return "\(moment), not answered yet; before that "
                + "\(AgeText.relative(poll.at, now: now)): \(outcome(poll, style))"
        }
        return "\(moment): \(outcome(poll, style))"
    }

    private static func outcome(_ poll: LastPollView, _ style: TextStyle) -> String {
        let lasted = poll.duration.map { DurationText.glance($0) }
        let words = style.paint(words(poll), poll.outcome == "answered" ? .plain : .yellow)
        let common = poll.isCommon ? ", by one request for many runs" : ""
        guard let status = poll.status else {
            return words + (lasted.map { " after \($0)" } ?? "") + common
        }
        return "HTTP \(status)" + (lasted.map { " in \($0)" } ?? "") + ", \(words)" + common
    }

    private static func words(_ poll: LastPollView) -> String {
        switch poll.outcome {
        case "answered": return "answered"
        case "nothing": return "an answer that says nothing about the run"
        case "not_found": return "the run was not found"
        case "unknown_word":
            return "a status word that is not known, taken as no change; the log has it"
        case "refused": return "the request was refused for this run"
        case "failed":
            let reason = poll.reason.map { " (\(TerminalText.escape($0)))" } ?? ""
            return "the service failed\(reason)"
        case "cancelled": return "given up before it was answered"
        default: return TerminalText.escape(poll.outcome)
        }
    }

    /// When it is asked next, and why then.
    static func next(_ watch: WatchView, _ now: Timestamp) -> String {
        let reason = (watch.nextPoll?.detail ?? watch.nextPollReason).map(TerminalText.escape)
        guard let nextPollAt = watch.nextPollAt else {
            if watch.nextPoll?.reason == "in_flight", let reason { return reason }
            if let reason { return "none: \(reason)" }
            return watch.isFinal ? "none: the state is final" : "none"
        }
        return "\(nextPollAt) (\(AgeText.planned(nextPollAt, now: now)))"
            + (reason.map { ": \($0)" } ?? "")
    }

    /// A watch's settings on one line; what is not set is left out.
    static func settings(_ settings: WatchSettings) -> String {
        let poll = settings.poll
        var parts = [
            "poll \(DurationText.format(poll.initial)) × \(poll.factor) up to "
                + DurationText.format(poll.maximum)
        ]
        func add(_ name: String, _ duration: Duration?) {
            if let duration { parts.append("\(name) \(DurationText.format(duration))") }
        }
        add("deadline", settings.deadline)
        add("pending_after", settings.pendingAfter)
        add("stall_after", settings.stallAfter)
        add("not_found_grace", settings.notFoundGrace)
        let notify = settings.notify.map(TerminalText.escape).joined(separator: " ")
        parts.append(notify.isEmpty ? "notify nobody" : "notify \(notify)")
        return parts.joined(separator: ", ")
    }
}
