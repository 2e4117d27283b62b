package import RunwatchCore

/// `runwatchctl status`: the daemon at a glance, what is not well first.
package enum StatusText {
    package static func text(_ status: StatusView, now: Timestamp, style: TextStyle) -> String {
        // An older daemon leaves it to its reader to see what is not well.
        let troubles = status.problems ?? status.troubles(now: now)
        let verdict =
            troubles.isEmpty
            ? style.paint("everything is well", .green)
            : style.paint(CountText.count(troubles.count, "problem"), .red)
        var text =
            style.paint("runwatchd \(TerminalText.escape(status.version))", .bold)
            + ": \(verdict)\n"
        for trouble in troubles { text += "  ! \(TerminalText.escape(trouble.message))\n" }
        if !troubles.isEmpty { text += "\n" }
        text += fields(status, now).text(style)
        text += section("Services", services(status.services, now, style), style)
        text += section("Receivers", receivers(status.receivers, now, style), style)
        return text
    }

    private static func fields(_ status: StatusView, _ now: Timestamp) -> FieldsText {
        var fields = FieldsText()
        let up = AgeText.rough(status.startedAt.duration(to: now))
        fields.add("up", "\(up), since \(status.startedAt)")
        fields.add(
            "configuration",
            TerminalText.escape(status.configuration.file)
                + ", loaded \(AgeText.relative(status.configuration.loadedAt, now: now))")
        let warnings = status.configuration.warnings.map(TerminalText.escape)
        for (index, warning) in warnings.enumerated() {
            fields.add(index == 0 ? "warnings" : "", warning)
        }
        let total = status.watches.values.reduce(0, +)
        fields.add(
            "watches", total == 0 ? "none" : "\(total): \(CountText.states(status.watches))")
        fields.add("backlog", backlog(status.backlog))
        if let listen = status.httpListen {
            fields.add("metrics", "http://\(TerminalText.escape(listen))/metrics")
        }
        return fields
    }

    private static func backlog(_ backlog: BacklogView) -> String {
        guard backlog != BacklogView() else { return "nothing waits" }
        return [
            CountText.count(backlog.polls, "poll"),
            CountText.count(backlog.changes, "change") + " not on disk",
            CountText.count(backlog.deliveries, "delivery", plural: "deliveries"),
        ].joined(separator: ", ")
    }

    private static func section(_ title: String, _ table: String, _ style: TextStyle) -> String {
        table.isEmpty ? "" : "\n\(style.paint(title, .bold))\n\(table)"
    }

    private static func services(
        _ services: [ServiceView], _ now: Timestamp, _ style: TextStyle
    ) -> String {
        var table = TextTable([
            .init("NAME"), .init("KIND"), .init("HEALTH"), .init("SINCE"), .init("NEXT PROBE"),
            .init("LAST ERROR"),
        ])
        for service in services {
            table.append([
                .init(service.name), .init(service.kind),
                .init(service.health.rawValue, service.health.paint),
                .init(service.since.map { AgeText.relative($0, now: now) }),
                .init(service.nextProbe.map { AgeText.planned($0, now: now) }),
                .init(service.lastError.map { TerminalText.shortened($0, to: 60) }),
            ])
        }
        return table.text(style, indent: "  ")
    }

    private static func receivers(
        _ receivers: [ReceiverView], _ now: Timestamp, _ style: TextStyle
    ) -> String {
        var table = TextTable([
            .init("NAME"), .init("KIND"), .init("PENDING", isRightAligned: true),
            .init("FAILED", isRightAligned: true), .init("OLDEST PENDING"), .init("NOTE"),
        ])
        for receiver in receivers {
            table.append([
                .init(receiver.name), .init(receiver.kind), .init(String(receiver.pending)),
                .init(String(receiver.failed), receiver.failed > 0 ? .red : .plain),
                .init(receiver.oldestPending.map { AgeText.relative($0, now: now) }),
                .init(note(receiver), .red),
            ])
        }
        return table.text(style, indent: "  ")
    }

    private static func note(_ receiver: ReceiverView) -> String? {
        if !receiver.isConfigured { return "not configured" }
        if receiver.isDisabled { return "disabled" }
        if receiver.restsUntil != nil { return "resting" }
        return receiver.isFailing ? "failing" : nil
    }
}
