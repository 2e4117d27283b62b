package import RunwatchCore

/// What is not well, in the order in which a person should look at it.
///
/// The server fills in `problems` by this, so that a script sees what a person sees.
extension StatusView {
    /// Late by less than this is what a poll's timer may be, and a burst.
    private static let lateness = Duration.seconds(1)
    /// A delivery that is not made for so long is behind.
    private static let patience = Duration.seconds(60)
    /// More changes than this wait for the disk only when it does not keep up.
    private static let manyChanges = 10_000
    /// A file that was saved in the middle of its writing may have thousands of errors.
    private static let errorsShown = 20

    /// - Parameter now: On the daemon's clock.
    package func troubles(now: Timestamp) -> [TroubleView] {
        daemonTroubles + configurationTroubles(now)
            + services.filter { $0.health == .down }.map { trouble(of: $0, now) }
            + services.filter { $0.health == .degraded }.map { trouble(of: $0, now) }
            + services.flatMap { pollTroubles(of: $0) }
            + unserved.map { unserved in
                let count = CountText.count(unserved.watches, "watch", plural: "watches")
                return TroubleView(
                    .unserved, subject: unserved.service,
                    "\(count) of service '\(unserved.service)', which is not configured: nobody polls "
                        + "them; configure it again, or remove them")
            } + receivers.flatMap { self.troubles(of: $0, now) }
    }

    // MARK: The daemon

    private var daemonTroubles: [TroubleView] {
        var troubles = notAdvancing.map {
            TroubleView(
                .notAdvancing,
                "\($0): systemd's watchdog is not fed, and restarts the daemon; its log says more")
        }
        if let error = databaseError {
            let waiting = CountText.count(backlog.changes, "change")
            let verb = backlog.changes == 1 ? "waits" : "wait"
            troubles.append(
                TroubleView(
                    .database, "the database cannot be written, \(waiting) \(verb): \(error)"))
        } else if backlog.changes >= StatusView.manyChanges {
            troubles.append(
                TroubleView(
                    .diskSlow,
                    "\(backlog.changes) changes wait for the disk; see what else it has to do"))
        }
        return troubles
    }

    private func configurationTroubles(_ now: Timestamp) -> [TroubleView] {
        guard !configuration.isOK else { return [] }
        let inForce =
            "the one loaded \(AgeText.relative(configuration.loadedAt, now: now)) stays in force"
        let shown = configuration.errors.prefix(StatusView.errorsShown)
        var troubles = shown.map { TroubleView(.configuration, "\($0); \(inForce)") }
        let rest = configuration.errors.count - shown.count
        if rest > 0 || shown.isEmpty {
            let words = rest > 0 ? "\(rest) more errors" : "errors"
            troubles.append(
                TroubleView(
                    .configuration,
                    "the configuration has \(words), and \(inForce); `runwatchctl check "
                        + "\(configuration.file)` shows them all"))
        }
        return troubles
    }

    // MARK: Services

    private func trouble(of service: ServiceView, _ now: Timestamp) -> TroubleView {
        var line = "service '\(service.name)' "
        if let since = service.since {
            let span = AgeText.rough(since.duration(to: now))
            line += "has been \(service.health.rawValue) for \(span)"
        } else {
            line += "is \(service.health.rawValue)"
        }
        if service.failures > 0 {
            line += " (\(CountText.count(service.failures, "failure")) in a row)"
        }
        if let error = service.lastError { line += ": \(TerminalText.shortened(error, to: 200))" }
        if let probe = service.nextProbe {
            line += "; next probe \(AgeText.planned(probe, now: now))"
        }
        if let remedy = StatusView.remedy(service.reason) { line += "; \(remedy)" }
        let code: TroubleView.Code = service.health == .down ? .serviceDown : .serviceDegraded
        return TroubleView(code, subject: service.name, line)
    }

    /// What a person can do; `nil` when there is nothing but to wait.
    private static func remedy(_ reason: String?) -> String? {
        switch reason.flatMap({ PollFailureReason(rawValue: $0) }) {
        case .connection, .timeout: "see that it runs, and that its url is right"
        case .unauthorized: "mend its credentials and reload"
        case .throttled: "lower its limits.rate, or poll less often"
        case .tooLarge: "raise its max_answer"
        case .unreadable, .refused: "see that its url and kind are right"
        case .unavailable, nil: nil
        }
    }

    private func pollTroubles(of service: ServiceView) -> [TroubleView] {
        var troubles: [TroubleView] = []
        if let late = service.late, late >= StatusView.lateness {
            let count = CountText.count(service.waiting, "poll")
            let limit = service.limit.map { " by its limit (\($0))" } ?? ""
            troubles.append(
                TroubleView(
                    .pollsLate, subject: service.name,
                    "service '\(service.name)': \(count) held up\(limit), the first by "
                        + "\(DurationText.glance(late)); raise its limits, or poll less often"))
        }
        for discovery in service.discoveries {
            troubles.append(
                TroubleView(
                    .discovery, subject: service.name,
                    "service '\(service.name)': nothing new is found with the run tag "
                        + "'\(discovery.runTag)': \(TerminalText.shortened(discovery.error, to: 200))"
                ))
        }
        return troubles
    }

    // MARK: Receivers

    private func troubles(of receiver: ReceiverView, _ now: Timestamp) -> [TroubleView] {
        let name = receiver.name
        guard receiver.isConfigured else {
            return [
                TroubleView(
                    .receiverUnconfigured, subject: name,
                    "receiver '\(name)' is not configured any more, and \(receiver.pending) pending and "
                        + "\(receiver.failed) failed deliveries wait for it; configure it again to have "
                        + "them delivered")
            ]
        }
        var troubles: [TroubleView] = []
        if let trouble = present(receiver, now) { troubles.append(trouble) }
        if receiver.failed > 0 {
            let count = CountText.count(receiver.failed, "delivery", plural: "deliveries")
            troubles.append(
                TroubleView(
                    .receiverFailed, subject: name,
                    "receiver '\(name)': \(count) failed for good; `runwatchctl redeliver --failed --receiver "
                        + "\(name)` tries again"))
        }
        return troubles
    }

    /// What keeps a receiver from being told now; the worst alone.
    private func present(_ receiver: ReceiverView, _ now: Timestamp) -> TroubleView? {
        let name = receiver.name
        let owed = owed(receiver, now)
        let error = receiver.lastError.map { ": \(TerminalText.shortened($0, to: 200))" } ?? ""
        if receiver.isDisabled {
            return TroubleView(
                .receiverDisabled, subject: name,
                "receiver '\(name)' said that it is gone (HTTP 410)\(owed); mend or remove it, a reload "
                    + "tries it again")
        }
        if let rest = receiver.restsUntil, rest > now {
            return TroubleView(
                .receiverResting, subject: name,
                "receiver '\(name)' asked to be left alone\(error)\(owed); tried again "
                    + AgeText.planned(rest, now: now))
        }
        if receiver.isFailing {
            let next = receiver.nextTry.map { "tried again \(AgeText.planned($0, now: now))" }
            return TroubleView(
                .receiverFailing, subject: name,
                "receiver '\(name)' does not take deliveries\(error)\(owed); "
                    + "\(next.map { "\($0), " } ?? "")`runwatchctl test-receiver \(name)` tries it now"
            )
        }
        let patience = StatusView.patience + (receiver.digestWindow ?? .zero)
        guard let oldest = receiver.oldestPending, oldest.duration(to: now) >= patience
        else { return nil }
        return TroubleView(
            .receiverBehind, subject: name,
            "receiver '\(name)' is behind\(owed); raise its concurrency if it answers slowly")
    }

    private func owed(_ receiver: ReceiverView, _ now: Timestamp) -> String {
        guard receiver.pending > 0 else { return "" }
        let oldest = receiver.oldestPending.map {
            ", the oldest from \(AgeText.relative($0, now: now))"
        }
        return "; \(receiver.pending) pending\(oldest ?? "")"
    }
}
