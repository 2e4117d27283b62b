import Logging
import RunwatchCore
import RunwatchServices
import RunwatchStore

extension Poller {
    /// Plans a discovery's next look by its own backoff, which a new run sets back.
    func planDiscovery(_ discovery: DiscoverySlot, _ service: ServiceSlot, _ clock: Clockwork) {
        let wait = Backoff.wait(
            discovery.spec.settings.poll, step: discovery.step, unit: generator.unit())
        planDiscovery(discovery, service, at: clock.now.advanced(by: wait))
    }

    func planDiscovery(_ discovery: DiscoverySlot, _ service: ServiceSlot, at moment: Instant) {
        discovery.dueAt = moment
        discovery.isReady = false
        deadlines.push(
            .discovery(service: service.number, number: discovery.number), at: moment)
    }

    /// Makes watches of runs that a common answer shows and that were not met before.
    ///
    /// A discovery's first look leaves alone what has ended already; afterwards every new run counts, even
    /// one that began and ended between two looks.
    func discover(_ observations: [RunObservation], _ request: PollRequest, _ clock: Clockwork) {
        let service = request.service
        for discovery in service.discoveries {
            if request.scope != .all, discovery !== request.discovery { continue }
            let tag = discovery.spec.runTag
            let shown = observations.filter { observation in
                // A tagged answer holds that tag alone; old servers leave it out of the answer.
                request.scope == .all ? observation.tag == tag : true
            }
            let isFirstLook = discovery.met == nil
            var new = shown.filter { observation in
                let name = WatchName(service: service.name, run: observation.run)
                return discovery.met?.contains(ExactText(observation.run)) != true
                    && ended[name] == nil
                    && !observation.run.isEmpty
                    && observation.run.utf8.count <= WatchName.longestRun
            }
            if isFirstLook {
                discovery.met = []
                discovery.passedOver = new.filter(\.isOver).map(\.run)
                new.removeAll(where: \.isOver)
                discovery.met?.formUnion(discovery.passedOver.map { ExactText($0) })
            }
            // What has ended as another's is no news either, also when its row is gone one day.
            let over = shown.map(\.run).filter { run in
                discovery.met?.contains(ExactText(run)) != true
                    && ended[WatchName(service: service.name, run: run)] != nil
            }
            discovery.passedOver += over
            discovery.met?.formUnion(over.map { ExactText($0) })
            discovery.met?.formUnion(new.map { ExactText($0.run) })
            discovery.step = new.isEmpty ? discovery.step + 1 : 0
            planDiscovery(discovery, service, clock)
            guard isFirstLook || !new.isEmpty || !over.isEmpty || discovery.isUnrecorded,
                !isDraining
            else {
                continue
            }
            let found = new
            let startedAt = request.startedAt
            adoptions += 1
            Task {
                await self.adopt(found, of: discovery.number, service.number, startedAt: startedAt)
                self.adoptions -= 1
            }
        }
    }

    private func adopt(
        _ found: [RunObservation], of number: Int32, _ service: Int32, startedAt: Instant
    ) async {
        guard let discovery = discovery(number, service) else { return }
        let spec = discovery.spec
        let specs = found.map { spec.watch($0.run) }
        let passedOver = discovery.passedOver
        let kind = servicesByNumber[service]?.settings.kind.name ?? ""
        let saved: [SavedWatch]
        do {
            if !passedOver.isEmpty { try await store.noteMet(passedOver, by: spec) }
            saved = try await store.add(specs, discovery: spec, kind: kind)
        } catch {
            notAdopted(found, discovery, error)
            return
        }
        // Another configuration may have been applied while the store wrote.
        guard let slot = servicesByNumber[service], self.discovery(number, service) != nil
        else { return }
        guard discovery.spec == spec else {
            // The record is to say what the entry says now.
            return await adopt(found, of: number, service, startedAt: startedAt)
        }
        // More may have been passed over while the store wrote.
        let noted = Set(passedOver.map { ExactText($0) })
        discovery.passedOver.removeAll { noted.contains(ExactText($0)) }
        discovery.isUnrecorded = false
        take(found, specs, saved, of: discovery, slot, startedAt: startedAt)
        if !found.isEmpty {
            logger.info(
                "discovered \(found.count) runs",
                metadata: ["service": "\(spec.service)", "run_tag": "\(spec.runTag)"])
        }
        arm()
    }

    /// Begins to watch runs that were found, with what was seen of them then.
    private func take(
        _ found: [RunObservation], _ specs: [WatchSpec], _ saved: [SavedWatch],
        of discovery: DiscoverySlot, _ service: ServiceSlot, startedAt: Instant
    ) {
        let clock = Clockwork(time)
        // A row may be older than the discovery, and its run may have ended as another's.
        for (spec, watch) in zip(specs, saved)
        where service.watches[spec.run] == nil && ended[spec.name] == nil {
            begin(spec, watch, service: service, discovery: discovery, clock)
        }
        let request = PollRequest(
            scope: .tag(discovery.spec.runTag), service: service, due: [], discovery: discovery,
            startedAt: startedAt, peer: service.peer)
        for observation in found {
            guard let index = service.watches[observation.run],
                watches[Int(index)]?.machine.polls == 0
            else { continue }
            watches[Int(index)]?.servedFrom = startedAt
            observe(
                index, observation.observation, request, wasDue: false, unit: generator.unit(),
                clock)
        }
    }

    /// Forgets that runs were met, so that they are met again when the store can write.
    private func notAdopted(
        _ found: [RunObservation], _ discovery: DiscoverySlot, _ error: StoreError
    ) {
        discovery.met?.subtract(found.map { ExactText($0.run) })
        guard !discovery.isUnrecorded else { return }
        discovery.isUnrecorded = true
        discovery.lastError = error.message
        logger.error(
            "discovered runs could not be recorded; they will be met again",
            metadata: ["service": "\(discovery.spec.service)", "error": "\(error)"])
    }

    func discovery(_ number: Int32, _ service: Int32) -> DiscoverySlot? {
        servicesByNumber[service]?.discoveries.first { $0.number == number }
    }
}

extension DiscoverySpec {
    /// The watch of a run that it finds.
    func watch(_ run: String) -> WatchSpec {
        WatchSpec(
            name: WatchName(service: service, run: run), label: label, group: group,
            settings: settings, origin: .discovery(path, line: line))
    }
}

extension RunObservation {
    /// The service says that the run has ended.
    fileprivate var isOver: Bool {
        if case .state(let state) = observation.finding { state.isFinal } else { false }
    }
}
