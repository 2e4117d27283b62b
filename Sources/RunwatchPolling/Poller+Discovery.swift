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
            let met = discovery.met
            var new = shown.filter { observation in
                let name = WatchName(service: service.name, run: observation.run)
                return !(met?.contains(observation.run) ?? false) && ended[name] == nil
            }
            var passedOver: [String] = []
            if met == nil {
                passedOver = new.filter(\.isOver).map(\.run)
                new.removeAll(where: \.isOver)
            }
            new.removeAll { $0.run.isEmpty || $0.run.utf8.count > WatchName.longestRun }
            discovery.met = (met ?? []).union(passedOver).union(new.map(\.run))
            discovery.step = new.isEmpty ? discovery.step + 1 : 0
            planDiscovery(discovery, service, clock)
            guard met == nil || !new.isEmpty else { continue }
            let found = new
            let skipped = passedOver
            let startedAt = request.startedAt
            Task {
                await self.adopt(
                    found, passedOver: skipped, of: discovery.number, service.number,
                    startedAt: startedAt)
            }
        }
    }

    private func adopt(
        _ found: [RunObservation], passedOver: [String], of number: Int32, _ service: Int32,
        startedAt: Instant
    ) async {
        guard let discovery = discovery(number, service) else { return }
        let spec = discovery.spec
        let specs = found.map { observation in
            WatchSpec(
                name: WatchName(service: spec.service, run: observation.run), label: spec.label,
                group: spec.group, settings: spec.settings,
                origin: .discovery(spec.path, line: spec.line))
        }
        let kind = servicesByNumber[service]?.settings.kind.name ?? ""
        let saved: [SavedWatch]
        do {
            try await store.noteMet(passedOver, by: spec)
            saved = try await store.add(specs, discovery: spec, kind: kind)
        } catch {
            logger.error(
                "discovered runs could not be recorded; they will be met again",
                metadata: ["service": "\(spec.service)", "error": "\(error)"])
            self.discovery(number, service)?.met?.subtract(found.map(\.run))
            return
        }
        // Another configuration may have been applied while the store wrote.
        guard let discovery = self.discovery(number, service),
            let slot = servicesByNumber[service], discovery.spec == spec
        else { return }
        let clock = Clockwork(time)
        for (spec, watch) in zip(specs, saved) where slot.watches[spec.name.run] == nil {
            insert(spec, watch, service: slot, discovery: discovery, clock)
        }
        let request = PollRequest(
            scope: .tag(spec.runTag), service: slot, due: [], discovery: discovery,
            startedAt: startedAt)
        for observation in found {
            guard let index = slot.watches[observation.run] else { continue }
            watches[Int(index)]?.servedFrom = startedAt
            observe(
                index, observation.observation, request, wasDue: false, unit: generator.unit(),
                clock)
        }
        logger.info(
            "discovered \(found.count) runs",
            metadata: ["service": "\(spec.service)", "run_tag": "\(spec.runTag)"])
        arm()
    }

    func discovery(_ number: Int32, _ service: Int32) -> DiscoverySlot? {
        servicesByNumber[service]?.discoveries.first { $0.number == number }
    }
}

extension RunObservation {
    /// The service says that the run has ended.
    fileprivate var isOver: Bool {
        if case .state(let state) = observation.finding { state.isFinal } else { false }
    }
}
