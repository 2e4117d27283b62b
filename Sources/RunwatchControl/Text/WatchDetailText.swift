package import RunwatchCore

/// `runwatchctl show`: one watch, explained.
package enum WatchDetailText {
    package static func text(_ watch: WatchView, now: Timestamp, style: TextStyle) -> String {
        let data = watch.data
        var text = WatchHeadlineText.text(watch, now, style) + "\n\n"
        text += fields(watch, now, style).text(style)
        if let deliveries = watch.deliveries {
            let owed = OwedText.lines(deliveries, now, style)
            if !owed.isEmpty { text += "\n" + style.paint("Owed", .bold) + "\n" }
            for line in owed { text += "  \(line)\n" }
        }
        if let transitions = watch.transitions, !transitions.isEmpty {
            text += "\n" + style.paint("History", .bold) + "\n"
            text += history(transitions, since: data.watchedSince, now, style)
        }
        if let deliveries = watch.deliveries, !deliveries.isEmpty {
            text += "\n" + style.paint("Deliveries", .bold) + "\n"
            text += DeliveryText.details(deliveries, now: now, style: style)
        }
        return text
    }

    private static func fields(
        _ watch: WatchView, _ now: Timestamp, _ style: TextStyle
    ) -> FieldsText {
        let data = watch.data
        var fields = FieldsText()
        fields.add("service", TerminalText.escape("\(data.name.service) (\(data.kind))"))
        fields.add("label", data.label.map(TerminalText.escape))
        fields.add("group", data.group.map(TerminalText.escape))
        fields.add("state", state(data, now, style))
        fields.add("changed", changed(data))
        fields.add("progress", data.progress.map { "\($0.done) of \($0.total)" })
        fields.add("message", TerminalText.escape(data.message))
        fields.add(
            "detail", TerminalText.escape(String(decoding: data.detail, as: UTF8.self)))
        fields.add(
            "watched",
            "since \(AgeText.full(data.watchedSince, now: now)), "
                + CountText.count(data.polls, "poll"))
        fields.add("last asked", PollText.last(watch, now, style))
        fields.add(
            "last error", watch.lastError.map { style.paint(TerminalText.escape($0), .yellow) })
        fields.add("next poll", PollText.next(watch, now))
        for (index, prospect) in (watch.prospects ?? []).enumerated() {
            fields.add(index == 0 ? "ahead" : "", ahead(prospect, now))
        }
        fields.add("settings", (watch.settings?.settings).map { PollText.settings($0) })
        fields.add(
            "origin",
            watch.origin.map(TerminalText.escape)
                ?? "none: it has left the watch list, or was removed")
        return fields
    }

    private static func state(
        _ data: RunEventData, _ now: Timestamp, _ style: TextStyle
    ) -> String {
        let name = style.paint(data.state.name, data.state.paint)
        let from = data.previousState.map { ", before that \($0.name)" } ?? ""
        guard let observedAt = data.observedAt else { return name + ": not seen yet" }
        return "\(name) since \(AgeText.full(observedAt, now: now))\(from)"
    }

    /// Between which two moments the run really changed.
    private static func changed(_ data: RunEventData) -> String? {
        guard let observedAt = data.observedAt else { return nil }
        guard let notBefore = data.notBefore else {
            return "at some time before \(observedAt): no poll saw the state before"
        }
        let span = DurationText.glance(notBefore.duration(to: observedAt))
        return "between \(MomentText.beside(notBefore, observedAt)) and "
            + "\(MomentText.beside(observedAt, observedAt)) (\(span))"
    }

    private static func ahead(_ prospect: ProspectView, _ now: Timestamp) -> String {
        TerminalText.escape("\(prospect.what) at ") + AgeText.full(prospect.at, now: now) + ", "
            + TerminalText.escape(prospect.detail)
    }

    private static func history(
        _ transitions: [TransitionView], since: Timestamp, _ now: Timestamp, _ style: TextStyle
    ) -> String {
        var table = TextTable([
            .init("#", isRightAligned: true), .init("STATE"), .init("OBSERVED"), .init("LASTED"),
            .init("NOT BEFORE"), .init("PROGRESS", isRightAligned: true), .init("MESSAGE"),
        ])
        for (index, transition) in transitions.enumerated() {
            let end = index + 1 < transitions.count ? transitions[index + 1].observedAt : nil
            var lasted: String?
            if !transition.state.isFinal {
                let span = transition.observedAt.duration(to: end ?? now)
                lasted = DurationText.glance(span) + (end == nil ? " so far" : "")
            }
            table.append([
                .init(String(transition.sequence)),
                .init(transition.state.name, transition.state.paint),
                .init(transition.observedAt.description), .init(lasted),
                .init(transition.notBefore?.description),
                .init(transition.progress.map { "\($0.done)/\($0.total)" }),
                .init(transition.message),
            ])
        }
        return table.text(style, indent: "  ")
    }
}
