import Logging
package import RunwatchCore
import RunwatchHTTP
import RunwatchLinux
import RunwatchServices
package import RunwatchStore

extension Poller {
    /// Takes up a configuration, the first one or the next: what is unchanged goes on untouched.
    ///
    /// Transient watches stay, under the new defaults. When the store fails, nothing is changed.
    /// - Parameter downServices: Services whose `service.down` was told and not yet taken back.
    package func apply(
        _ configuration: Configuration, downServices: Set<String> = []
    ) async throws(StoreError) {
        await turns.begin()
        isApplying = true
        defer {
            isApplying = false
            endedMeanwhile = []
            turns.end()
        }
        var kinds: [String: String] = [:]
        for service in configuration.services { kinds[service.name] = service.kind.name }
        try await store.flush()
        let adoption = try await store.adopt(
            configuration.watches, discoveries: configuration.discoveries, kinds: kinds)
        // From here on nothing waits: polling sees the old configuration or the new one.
        let clock = Clockwork(time)
        epoch &+= 1
        receivers = Dictionary(
            configuration.receivers.map { ($0.name, $0.on) },
            uniquingKeysWith: { first, _ in first })
        groups = [:]
        let previouslyEnded = ended
        ended = [:]
        parked = [:]
        transientSpecs = TransientSpecs(configuration)
        renew(configuration.services, downServices: downServices, clock)
        for (spec, saved) in zip(configuration.watches, adoption.watches) {
            guard let service = services[spec.name.service] else { continue }
            take(spec, saved, service: service, discovery: nil, previouslyEnded, clock)
        }
        for (position, spec) in configuration.discoveries.enumerated() {
            guard let service = services[spec.service] else { continue }
            renew(
                spec, service, met: adoption.met[position],
                found: adoption.discovered[position], previouslyEnded, clock)
        }
        take(adoption.transient, previouslyEnded, clock)
        dropLeft()
        for service in services.values { pump(service) }
        arm()
    }

    // MARK: Services

    private func renew(
        _ settings: [ServiceSettings], downServices: Set<String>, _ clock: Clockwork
    ) {
        var left = services
        for wanted in settings {
            if let service = left.removeValue(forKey: wanted.name) {
                if service.settings != wanted { change(service, to: wanted, clock) }
                continue
            }
            let service = ServiceSlot(
                number: nextNumber(), settings: wanted,
                transport: transport(for: wanted.connection), since: clock.wallClock)
            if downServices.contains(wanted.name) {
                service.health = ServiceHealthMachine(wasToldDown: true)
            }
            services[wanted.name] = service
            servicesByNumber[service.number] = service
        }
        for (name, service) in left {
            services[name] = nil
            servicesByNumber[service.number] = nil
        }
    }

    private func change(_ service: ServiceSlot, to wanted: ServiceSettings, _ clock: Clockwork) {
        let limitsOnly = { (settings: ServiceSettings) in
            var settings = settings
            settings.limits = wanted.limits
            return settings
        }
        let isSamePeer = limitsOnly(service.settings) == wanted
        service.settings = wanted
        service.budget = service.budget.with(wanted.limits)
        guard !isSamePeer else { return }
        // Another address or other credentials: what the old ones answered says nothing any more.
        service.peer += 1
        service.kind = makeServiceKind(wanted)
        service.transport = transport(for: wanted.connection)
        service.coalescing = CoalescingMachine(wanted.coalesce)
        service.health = ServiceHealthMachine(wasToldDown: service.health.wasToldDown)
        service.healthSince = clock.wallClock
    }

    private func transport(for options: HTTPConnectionOptions) -> any HTTPTransport {
        if let transport = transports[options] { return transport }
        let transport = makeTransport(executor.queue, options)
        transports[options] = transport
        return transport
    }

    // MARK: Watches

    /// Goes on with a watch, begins it, or notes that it has ended.
    func take(
        _ spec: WatchSpec, _ saved: SavedWatch, service: ServiceSlot, discovery: DiscoverySlot?,
        _ previouslyEnded: [WatchName: EndedWatch], _ clock: Clockwork
    ) {
        if let index = service.watches[spec.run] {
            return renew(index, spec, discovery: discovery, clock)
        }
        if endedMeanwhile.contains(spec.name), let end = previouslyEnded[spec.name] {
            // It ended after the store had been read.
            return keep(
                EndedWatch(id: end.id, spec: spec, state: end.state, sequence: end.sequence))
        }
        begin(spec, saved, service: service, discovery: discovery, clock)
    }

    /// Begins to poll a watch, or notes that it has ended.
    func begin(
        _ spec: WatchSpec, _ saved: SavedWatch, service: ServiceSlot, discovery: DiscoverySlot?,
        _ clock: Clockwork
    ) {
        guard saved.state.isFinal else {
            insert(spec, saved, service: service, discovery: discovery, clock)
            return
        }
        keep(
            EndedWatch(
                id: saved.id, spec: spec, state: saved.state,
                sequence: Int32(clamping: saved.sequence)))
    }

    func keep(_ watch: EndedWatch) {
        ended[watch.spec.name] = watch
        if let group = watch.spec.group {
            groups[group, default: GroupTally()].join(watch.spec)
            groups[group]?.ended(watch.spec.name, as: watch.state)
        }
    }

    func renew(
        _ index: Int32, _ spec: WatchSpec, discovery: DiscoverySlot?, _ clock: Clockwork
    ) {
        guard let slot = watches[Int(index)] else { return }
        watches[Int(index)]?.epoch = epoch
        watches[Int(index)]?.discovery = discovery
        joinGroup(spec)
        guard slot.spec != spec else { return }
        let settingsChanged = slot.spec.settings != spec.settings
        watches[Int(index)]?.spec = spec
        guard settingsChanged else { return }
        watchDeadline(index)
        guard !slot.isInFlight, !slot.isReady else { return }
        // Shorter waits count from now on; longer ones after the poll that was planned.
        let next = slot.machine.plan(
            after: clock.now, settings: spec.settings, unit: generator.unit())
        if next.at < slot.dueAt { schedule(index, at: next.at, as: next.reason) }
    }

    /// Begins to poll a watch, in its old phase where it has one.
    @discardableResult
    func insert(
        _ spec: WatchSpec, _ saved: SavedWatch, service: ServiceSlot, discovery: DiscoverySlot?,
        _ clock: Clockwork
    ) -> Int32 {
        let machine = WatchMachine(memory: saved.memory(clock))
        let slot = WatchSlot(
            id: saved.id, spec: spec, service: service, discovery: discovery, machine: machine,
            watchedSince: saved.watchedSince, dueAt: clock.now, servedFrom: clock.now,
            epoch: epoch)
        let index: Int32
        if let free = freeSlots.popLast() {
            index = free
            watches[Int(free)] = slot
        } else {
            index = Int32(watches.count)
            watches.append(slot)
        }
        service.watches[spec.run] = index
        joinGroup(spec)
        let interval = Backoff.wait(spec.settings.poll, step: Int(machine.step), unit: 0.5)
        book(index, interval: interval)
        let first = firstPoll(spec, saved, interval: interval, clock)
        schedule(index, at: first.at, as: first.plan)
        watchDeadline(index)
        return index
    }

    /// Counts an active watch in its group.
    func joinGroup(_ spec: WatchSpec) {
        guard let group = spec.group else { return }
        groups[group, default: GroupTally()].join(spec)
        groups[group]?.active += 1
    }

    /// The old plan where it still makes sense; else a place in the first interval by the name.
    private func firstPoll(
        _ spec: WatchSpec, _ saved: SavedWatch, interval: Duration, _ clock: Clockwork
    ) -> (at: Instant, plan: PollPlan) {
        let spread = clock.now.advanced(by: Backoff.phase(of: spec.name, in: spec.settings.poll))
        guard let next = saved.phase.nextPollAt else { return (spread, .first) }
        let planned = clock.planned(next)
        // Overdue after a time away: all the others are too. Far ahead: the wall clock was set back.
        guard planned > clock.now, planned <= clock.now.advanced(by: interval + interval) else {
            return (spread, .first)
        }
        return (planned, .kept)
    }

    // MARK: Discoveries

    private func renew(
        _ spec: DiscoverySpec, _ service: ServiceSlot, met: Set<ExactText>?, found: [SavedWatch],
        _ previouslyEnded: [WatchName: EndedWatch], _ clock: Clockwork
    ) {
        let discovery: DiscoverySlot
        if let known = service.discoveries.first(where: { $0.spec.runTag == spec.runTag }) {
            discovery = known
            known.spec = spec
            known.epoch = epoch
        } else {
            discovery = DiscoverySlot(
                number: nextNumber(), spec: spec, met: met, dueAt: clock.now, epoch: epoch)
            service.discoveries.append(discovery)
            planDiscovery(discovery, service, at: clock.now)
        }
        for saved in found {
            let name = saved.name
            // A list that names the run has the last word on it.
            if let index = service.watches[name.run], watches[Int(index)]?.epoch == epoch,
                watches[Int(index)]?.discovery == nil
            {
                continue
            }
            take(
                spec.watch(name.run), saved, service: service, discovery: discovery,
                previouslyEnded, clock)
        }
        // Found while the store was being read: not in what was read, and not to be dropped.
        for index in service.watches.values {
            guard let slot = watches[Int(index)], slot.discovery === discovery, slot.epoch != epoch
            else { continue }
            renew(index, spec.watch(slot.spec.run), discovery: discovery, clock)
        }
    }

    /// Stops what the new configuration does not name.
    private func dropLeft() {
        let left = watches.indices.filter { index in
            guard let slot = watches[index] else { return false }
            return slot.epoch != epoch || services[slot.service.name] !== slot.service
        }
        // What is parked or comes back one day goes on from there.
        writePhases(of: left)
        for index in left { remove(Int32(index)) }
        for service in services.values {
            service.discoveries.removeAll { $0.epoch != epoch }
        }
        let used = Set(services.values.map(\.settings.connection))
        for options in transports.keys where !used.contains(options) {
            transports.removeValue(forKey: options)?.close()
        }
    }
}

extension SavedWatch {
    /// What the record says, on this process's clock.
    fileprivate func memory(_ clock: Clockwork) -> WatchMachine.Memory {
        var memory = WatchMachine.Memory()
        memory.state = state
        memory.previousState = previousState
        memory.sequence = sequence
        memory.polls = polls
        memory.step = phase.step
        memory.isStalled = isStalled
        memory.progress = progress
        memory.firstPollAt = clock.past(phase.firstPollAt)
        memory.firstAnswerAt = clock.past(phase.firstAnswerAt)
        memory.lastPollAt = clock.past(phase.lastPollAt)
        memory.lastSeenAt = clock.past(phase.lastSeenAt)
        memory.observedAt = clock.past(observedAt)
        memory.notBefore = clock.past(notBefore)
        memory.changedAt = clock.past(changedAt)
        return memory
    }
}
