package import RunwatchCore

/// `runwatchctl status`: the daemon at a glance, what is not well first.
package enum StatusText {
    package static func text(_ status: StatusView, now: Timestamp, style: TextStyle) -> String {
        let troubles = troubles(of: status, now: now)
        let verdict =
            troubles.isEmpty
            ? style.paint("all is well", .green)
            : style.paint(
                CountText.count(troubles.count, "thing needs", plural: "things need")
                    + " attention", .red)
        var text =
            style.paint("runwatchd \(TerminalText.escape(status.version))", .bold)
            + ": \(verdict)\n"
        for trouble in troubles {
            text += "  ! " + trouble.map(TerminalText.escape).joined(separator: "\n      ") + "\n"
        }
        if !troubles.isEmpty { text += "\n" }
        text += fields(status, now).text(style)
        text += section("Services", services(status.services, now, style), style)
        text += section("Receivers", receivers(status.receivers, now, style), style)
        return text
    }

    /// What is not well, each as a line and the lines that belong to it.
    private static func troubles(of status: StatusView, now: Timestamp) -> [[String]] {
        var troubles: [[String]] = []
        if let error = status.databaseError {
            let waiting = CountText.count(status.backlog.changes, "change")
            troubles.append(["the database cannot be written, \(waiting) wait: \(error)"])
        }
        let configuration = status.configuration
        if !configuration.isOK {
            let count = CountText.count(configuration.errors.count, "error")
            troubles.append(
                [
                    "the configuration has \(count); the one loaded "
                        + "\(AgeText.relative(configuration.loadedAt, now: now)) is in force:"
                ] + configuration.errors)
        }
        for service in status.services where service.health != .up {
            var line = "service '\(service.name)' is \(service.health.rawValue)"
            if let since = service.since {
                line += " since \(AgeText.relative(since, now: now))"
            }
            if let error = service.lastError { line += ": \(error)" }
            if let probe = service.nextProbe {
                line += "; next probe \(AgeText.planned(probe, now: now))"
            }
            troubles.append([line])
        }
        for service in status.services {
            guard let lateness = service.lateness, lateness >= .seconds(1) else { continue }
            troubles.append([
                "service '\(service.name)': polls are \(DurationText.glance(lateness)) late; "
                    + "raise its limits, or poll less often"
            ])
        }
        for receiver in status.receivers { troubles += self.troubles(of: receiver, now: now) }
        return troubles
    }

    private static func troubles(of receiver: ReceiverView, now: Timestamp) -> [[String]] {
        guard receiver.isConfigured else {
            return [
                [
                    "receiver '\(receiver.name)' is not configured any more, and "
                        + "\(receiver.pending) pending and \(receiver.failed) failed deliveries wait for it"
                ]
            ]
        }
        var troubles: [[String]] = []
        if receiver.isDisabled {
            troubles.append([
                "receiver '\(receiver.name)' said that it is gone (HTTP 410); a reload tries it again"
            ])
        }
        if receiver.isFailing {
            let error = receiver.lastError.map { ": \(TerminalText.shortened($0, to: 200))" } ?? ""
            troubles.append(["receiver '\(receiver.name)' does not take deliveries\(error)"])
        }
        if receiver.failed > 0 {
            let count = CountText.count(receiver.failed, "delivery", plural: "deliveries")
            troubles.append([
                "receiver '\(receiver.name)': \(count) failed for good; `deliveries --failed` shows "
                    + "them, `redeliver` tries again"
            ])
        }
        let patience = .seconds(60) + (receiver.digestWindow ?? .zero)
        if let oldest = receiver.oldestPending, oldest.duration(to: now) >= patience {
            troubles.append([
                "receiver '\(receiver.name)' is behind: \(receiver.pending) pending, the oldest from "
                    + AgeText.relative(oldest, now: now)
            ])
        }
        return troubles
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
        return receiver.isFailing ? "failing" : nil
    }
}
