package import RunwatchCore
import RunwatchStore

extension Poller {
    /// What is known of the watches of those names; `nil` for one that is not being polled.
    package func live(_ names: [WatchName]) -> [LiveWatch?] {
        let clock = Clockwork(time)
        return names.map { name in
            if let watch = parked[name] { return live(watch) }
            return slot(name).map { live($0, place: nil, clock) }
        }
    }

    /// One watch, explained; `nil` when it is not being polled.
    package func explain(_ name: WatchName) -> WatchExplanation? {
        if let watch = parked[name] {
            return WatchExplanation(
                live: live(watch), settings: watch.spec.settings, prospects: [])
        }
        guard let slot = slot(name) else { return nil }
        let clock = Clockwork(time)
        return WatchExplanation(
            live: live(slot, place: place(of: slot), clock), settings: slot.spec.settings,
            prospects: prospects(slot, clock))
    }

    /// The names of the services that are configured.
    package func serviceNames() -> Set<String> { Set(services.keys) }

    /// The settings of a watch that is polled or has ended.
    package func settings(of name: WatchName) -> WatchSettings? {
        slot(name)?.spec.settings ?? ended[name]?.spec.settings
    }

    private func slot(_ name: WatchName) -> WatchSlot? {
        services[name.service]?.watches[name.run].flatMap { watches[Int($0)] }
    }

    private func live(_ slot: WatchSlot, place: Int?, _ clock: Clockwork) -> LiveWatch {
        let error = lastErrors.isEmpty ? nil : lastErrors[slot.id]
        return LiveWatch(
            polls: Int(slot.machine.polls), lastPollAt: clock.timestamp(slot.machine.lastPollAt),
            lastPoll: report(slot.lastPoll, error: error, clock),
            nextPoll: nextPoll(slot, place: place, clock), lastError: error)
    }

    /// A watch that cannot be polled under this configuration.
    private func live(_ watch: ParkedWatch) -> LiveWatch {
        let reason: NextPoll.Reason = watch.reason == .noService ? .unserved : .pipeline
        return LiveWatch(
            polls: 0, nextPoll: NextPoll(at: nil, reason: reason, detail: watch.words))
    }

    // MARK: The last poll

    private func report(_ poll: LastPoll, error: String?, _ clock: Clockwork) -> PollReport? {
        guard let at = clock.timestamp(poll.startedAt) else { return nil }
        var reason: PollFailureReason?
        if case .failed(let cause) = poll.outcome { reason = cause }
        return PollReport(
            at: at, outcome: poll.outcome.word, reason: reason, status: poll.status,
            duration: poll.duration, isCommon: poll.isCommon, message: error)
    }

    // MARK: The next poll

    /// How many stand before a watch that waits for its service's limits.
    private func place(of slot: WatchSlot) -> Int? {
        guard slot.isReady, let own = slot.service.watches[slot.spec.run] else { return nil }
        var count = 0
        for index in slot.service.ready.all {
            if index == own { return count }
            if isReady(index, at: slot.service) { count += 1 }
        }
        return nil
    }

    /// - Parameter place: How many stand before it, where that was looked for.
    private func nextPoll(_ slot: WatchSlot, place: Int?, _ clock: Clockwork) -> NextPoll {
        if slot.isInFlight { return inFlight(slot, clock) }
        if isDraining {
            return NextPoll(at: nil, reason: .stopping, detail: "the daemon is stopping")
        }
        if let hold = hold(slot, clock) { return hold }
        if slot.isReady { return waiting(slot, place: place, clock) }
        return planned(slot, clock)
    }

    private func inFlight(_ slot: WatchSlot, _ clock: Clockwork) -> NextPoll {
        let service = slot.service
        var detail = "a request is under way"
        if let sent = slot.machine.lastPollAt {
            detail =
                "asked \(DurationText.glance(sent.duration(to: clock.now))) ago and not answered yet"
        }
        if service.isAllInFlight { detail += ", by a request about all runs of the service" }
        detail += "; given up after \(DurationText.glance(service.settings.timeout))"
        return NextPoll(at: nil, reason: .inFlight, detail: detail)
    }

    /// The service's health, where it decides and not the watch's plan.
    private func hold(_ slot: WatchSlot, _ clock: Clockwork) -> NextPoll? {
        let health = slot.service.health
        switch health.permission(at: clock.now) {
        case .granted: return ownTurn(slot, clock)
        case .afterProbe:
            guard slot.isReady else { return nil }
            return NextPoll(
                at: clock.wallClock, reason: .probe,
                detail:
                    "one request finds out whether the service answers again; this one waits for it"
            )
        case .notBefore(let moment):
            guard moment > slot.dueAt else { return ownTurn(slot, clock) }
            let isHint = health.hintedUntil == moment
            return NextPoll(
                at: clock.timestamp(moment),
                reason: isHint
                    ? .retryAfter : health.lastReason == .unauthorized ? .credentials : .service,
                detail: isHint
                    ? "the service asked to be left alone until then (Retry-After)" : pause(health))
        }
    }

    /// The service is not up and may be asked again before this watch is due.
    private func ownTurn(_ slot: WatchSlot, _ clock: Clockwork) -> NextPoll? {
        let health = slot.service.health
        guard health.failuresInARow > 0, !slot.isReady else { return nil }
        let isRefused = health.lastReason == .unauthorized
        return NextPoll(
            at: clock.timestamp(slot.dueAt), reason: isRefused ? .credentials : .service,
            detail: "\(trouble(health)), and whichever watch is due first asks it again; this one: "
                + words(slot).1)
    }

    private func trouble(_ health: ServiceHealthMachine) -> String {
        if health.lastReason == .unauthorized { return "the service refuses the credentials" }
        let count = health.failuresInARow
        return "the service is \(health.health.rawValue) "
            + "(\(count) failure\(count == 1 ? "" : "s") in a row)"
    }

    private func pause(_ health: ServiceHealthMachine) -> String {
        if health.lastReason == .unauthorized {
            return "\(trouble(health)), and is asked once a minute whether it takes them"
        }
        return "\(trouble(health)): one request at a time, after a random pause of up to "
            + DurationText.glance(health.longestPause)
    }

    /// Its time has come.
    private func waiting(_ slot: WatchSlot, place: Int?, _ clock: Clockwork) -> NextPoll {
        let service = slot.service
        let late = slot.dueAt.duration(to: clock.now)
        let due = late < .milliseconds(100) ? "due" : "due \(DurationText.glance(late)) ago"
        if service.isAllInFlight {
            return NextPoll(
                at: clock.wallClock, reason: .commonRequest,
                detail: "\(due); a request about all runs is under way, whose answer serves it too")
        }
        guard store.backlog < Poller.longestBacklog else {
            return NextPoll(
                at: clock.timestamp(service.wakeAt) ?? clock.wallClock, reason: .database,
                detail: "\(due); \(store.backlog) changes wait for the disk, and nothing is asked "
                    + "until they are fewer")
        }
        let before = place.map { $0 == 0 ? "it is the next" : "\($0) are before it" }
        let queue = before ?? "\(service.ready.count) wait"
        let limits = service.settings.limits
        guard service.budget.inFlight < limits.concurrency else {
            return NextPoll(
                at: clock.wallClock, reason: .concurrency,
                detail: "\(due); \(limits.concurrency) requests are under way, as many as "
                    + "limits.concurrency allows, and \(queue)")
        }
        guard let rate = limits.rate, let wakeAt = service.wakeAt else {
            return NextPoll(at: clock.wallClock, reason: .due, detail: due)
        }
        let wait = Duration.seconds(Double(place ?? 0) / max(rate, 1e-6))
        let moment: Instant = max(clock.now, wakeAt).advanced(by: wait)
        return NextPoll(
            at: clock.timestamp(moment), reason: .rate,
            detail: "\(due); limits.rate allows \(ServiceSlot.text(rate: rate)), and \(queue)")
    }

    private func planned(_ slot: WatchSlot, _ clock: Clockwork) -> NextPoll {
        let (reason, detail) = words(slot)
        return NextPoll(at: clock.timestamp(slot.dueAt), reason: reason, detail: detail)
    }

    private func words(_ slot: WatchSlot) -> (NextPoll.Reason, String) {
        let poll = slot.spec.settings.poll
        switch slot.plan {
        case .first:
            let interval = DurationText.glance(poll.initial)
            return (.first, "the first poll, at its place in the first \(interval)")
        case .kept: return (.kept, "as planned before the daemon was started")
        case .backoff: return backoff(slot, poll)
        case .secondLook:
            return (.secondLook, "the run was not found, and only a second such answer counts")
        case .grace: return (.grace, "not_found_grace ends then")
        case .deadline: return (.deadline, "the deadline passes then")
        case .pendingAlarm: return (.alarm, "pending_after ends then")
        case .stallAlarm: return (.alarm, "stall_after ends then")
        case .asked: return (.asked, "asked for by `poll`")
        case .afresh: return (.asked, "started afresh by `rewatch`")
        case .again:
            return (.again, "asked anew, for the request before was of no use")
        }
    }

    private func backoff(_ slot: WatchSlot, _ poll: PollSettings) -> (NextPoll.Reason, String) {
        let step = Int(slot.machine.step)
        let wait = DurationText.glance(Backoff.wait(poll, step: step, unit: 0.5))
        let jitter = poll.jitter > 0 ? " ±\(Int((poll.jitter * 100).rounded()))%" : ""
        guard step > 0 else {
            return (.change, "the first wait after a change, \(wait)\(jitter)")
        }
        let polls = "\(step) poll\(step == 1 ? "" : "s") without a change"
        let longest = DurationText.glance(poll.maximum)
        guard wait != longest else {
            return (.backoff, "backoff: \(polls), so the wait is the longest, \(longest)\(jitter)")
        }
        return (
            .backoff, "backoff: \(polls), so the wait is \(wait)\(jitter) of at most \(longest)"
        )
    }

    // MARK: What is to come

    private func prospects(_ slot: WatchSlot, _ clock: Clockwork) -> [WatchProspect] {
        let machine = slot.machine
        let settings = slot.spec.settings
        var prospects: [WatchProspect] = []
        func add(_ what: WatchProspect.What, _ moment: Instant?, _ detail: String) {
            guard let at = clock.timestamp(moment) else { return }
            prospects.append(WatchProspect(what: what, at: at, detail: detail))
        }
        add(.timeout, machine.deadline(settings), "unless the run has ended by then")
        if machine.wasSeen {
            add(.lost, machine.secondLook, "if it is still not found at the first look after that")
        } else if slot.lastPoll.startedAt != nil, slot.lastPoll.outcome == .notFound {
            add(
                .lost, machine.graceEnd(settings),
                "if it is still not found at the first look after that")
        }
        if !machine.isStalled {
            add(.stalled, machine.pendingLimit(settings), "if it is still pending then")
            add(.stalled, machine.stallLimit(settings), "if nothing has changed by then")
        }
        return prospects.sorted { $0.at < $1.at }
    }
}
