import Logging
import RunwatchCore
import RunwatchServices
import RunwatchStore

extension Poller {
    // MARK: Observations

    /// Takes over what a good answer says, of the runs it names and of those it should have named.
    func apply(_ observations: [RunObservation], to request: PollRequest, _ clock: Clockwork) {
        let service = request.service
        service.answers &+= 1
        // One draw for all that one answer serves: they stay together, and so does the next request.
        let unit = generator.unit()
        let due = Set(request.due.map(\.index))
        var discovered: [RunObservation] = []
        for observation in observations {
            if let word = observation.unknownWord { warn(of: word, service) }
            guard let index = service.watches[observation.run] else {
                if !service.discoveries.isEmpty { discovered.append(observation) }
                continue
            }
            watches[Int(index)]?.lastAnswer = service.answers
            observe(
                index, observation.observation, request, wasDue: due.contains(index), unit: unit,
                clock, isUnknownWord: observation.unknownWord != nil)
        }
        if case .run = request.scope { return }
        missing(request, due: due, unit: unit, clock)
        discover(discovered, request, clock)
    }

    /// Whatever a common answer did not name is not found, exactly as in an answer of its own.
    private func missing(
        _ request: PollRequest, due: Set<Int32>, unit: Double, _ clock: Clockwork
    ) {
        let service = request.service
        for index in Array(service.watches.values) {
            guard let slot = watches[Int(index)], slot.lastAnswer != service.answers else {
                continue
            }
            if request.scope != .all, slot.discovery !== request.discovery { continue }
            observe(
                index, Observation(.notFound), request, wasDue: due.contains(index), unit: unit,
                clock)
        }
    }

    func observe(
        _ index: Int32, _ observation: Observation, _ request: PollRequest, wasDue: Bool,
        unit: Double, _ clock: Clockwork, isUnknownWord: Bool = false
    ) {
        guard let slot = watches[Int(index)], slot.servedFrom <= request.startedAt else { return }
        if !wasDue {
            guard !slot.isInFlight else { return }
            notePoll(index, at: request.startedAt)
        }
        if !lastErrors.isEmpty { lastErrors[slot.id] = nil }
        let settings = slot.spec.settings
        if slot.machine.firstAnswerAt == nil { noteFirst(index) }
        watches[Int(index)]?.isDirty = true
        watches[Int(index)]?.lastPoll = LastPoll(
            PollOutcome(observation.finding, isUnknownWord: isUnknownWord), of: request)
        let outcome =
            watches[Int(index)]?.machine.observed(
                observation, startedAt: request.startedAt, at: clock.now, wasDue: wasDue,
                settings: settings) ?? .unchanged
        settle(index, outcome, observation, clock)
        guard watches[Int(index)]?.id == slot.id else { return }
        if watches[Int(index)]?.machine.stalls(at: clock.now, settings: settings) == true {
            tellStall(index, clock)
        }
        reschedule(index, clock, unit: unit)
    }

    /// Ends a watch whose deadline has passed.
    func expire(_ index: Int32, _ clock: Clockwork) {
        guard let slot = watches[Int(index)],
            let outcome = watches[Int(index)]?.machine.timedOut(
                at: clock.now, settings: slot.spec.settings)
        else { return }
        settle(index, outcome, Observation(.nothing), clock)
    }

    private func settle(
        _ index: Int32, _ outcome: WatchMachine.Outcome, _ observation: Observation,
        _ clock: Clockwork
    ) {
        switch outcome {
        case .unchanged: return
        case .progressed:
            guard let slot = watches[Int(index)] else { return }
            store.submit(
                .progress(
                    ProgressChange(
                        id: slot.id, changedAt: clock.wallClock, progress: slot.machine.progress,
                        message: observation.message, detail: observation.detail)))
        case .transition(let from, let to):
            var observation = observation
            if to == .timeout, let deadline = watches[Int(index)]?.spec.settings.deadline {
                observation.message = "the deadline of \(DurationText.format(deadline)) passed"
            }
            record(index, from: from, to: to, observation, clock)
        }
    }

    private func record(
        _ index: Int32, from: RunState, to state: RunState, _ observation: Observation,
        _ clock: Clockwork
    ) {
        guard let slot = watches[Int(index)] else { return }
        let machine = slot.machine
        var data = eventData(slot, clock)
        data.message = observation.message
        data.detail = observation.detail
        slot.service.polls.transitions[Int(state.rawValue)] += 1
        let type = EventType.run(state)
        var events = [
            event(
                type, slot.spec.name.description, .run(data), notify: slot.spec.settings.notify,
                clock)
        ]
        if state.isFinal {
            retire(index, as: state)
            if let finished = groupFinished(slot.spec.group, clock) { events.append(finished) }
        }
        store.submit(
            .transition(
                TransitionChange(
                    id: slot.id, state: state, previousState: from,
                    sequence: Int(machine.sequence), observedAt: clock.wallClock,
                    notBefore: data.notBefore, progress: machine.progress,
                    message: observation.message, detail: observation.detail,
                    polls: Int(machine.polls), phase: phase(slot, clock), events: events)))
        var fields: Logger.Metadata = ["run": "\(slot.spec.name)"]
        if !observation.message.isEmpty { fields["words"] = "\(observation.message)" }
        logger.log(
            level: state.isFinal ? .info : .debug, "\(from.name) -> \(state.name)",
            metadata: fields)
    }

    /// Takes a watch that has ended out of the table.
    private func retire(_ index: Int32, as state: RunState) {
        guard let slot = watches[Int(index)] else { return }
        ended[slot.spec.name] = EndedWatch(
            id: slot.id, spec: slot.spec, state: state, sequence: slot.machine.sequence)
        if isApplying { endedMeanwhile.insert(slot.spec.name) }
        if let group = slot.spec.group {
            groups[group]?.active -= 1
            groups[group]?.ended(slot.spec.name, as: state)
        }
        remove(index)
    }

    /// Frees a slot; answers on their way to it find another watch, or none, and leave it alone.
    func remove(_ index: Int32) {
        guard let slot = watches[Int(index)] else { return }
        slot.service.rate -= Int64(slot.rate)
        if slot.service.watches[slot.spec.run] == index {
            slot.service.watches[slot.spec.run] = nil
        }
        lastErrors[slot.id] = nil
        watches[Int(index)] = nil
        freeSlots.append(index)
    }

    // MARK: Events

    func eventData(_ slot: WatchSlot, _ clock: Clockwork) -> RunEventData {
        let machine = slot.machine
        return RunEventData(
            name: slot.spec.name, kind: slot.service.settings.kind.name, label: slot.spec.label,
            group: slot.spec.group, state: machine.state, previousState: machine.previousState,
            sequence: Int(machine.sequence), observedAt: clock.timestamp(machine.observedAt),
            notBefore: clock.timestamp(machine.notBefore), watchedSince: slot.watchedSince,
            polls: Int(machine.polls), progress: machine.progress)
    }

    private func event(
        _ type: EventType, _ subject: String, _ data: Event.Data, notify: [String],
        _ clock: Clockwork
    ) -> NewEvent {
        let event = Event(type: type, timestamp: clock.wallClock, data: data)
        return NewEvent(
            type: type, timestamp: clock.wallClock, subject: subject, json: event.json,
            receivers: notify.filter { receivers[$0]?.contains(type) ?? false })
    }

    private func tellStall(_ index: Int32, _ clock: Clockwork) {
        guard let slot = watches[Int(index)] else { return }
        var data = eventData(slot, clock)
        let isPending = slot.machine.state == .pending && slot.spec.settings.pendingAfter != nil
        data.message = isPending ? "pending" : "no transition and no progress"
        let since = isPending ? slot.machine.observedAt : slot.machine.changedAt
        if let since = clock.timestamp(since) { data.message += " since \(since)" }
        store.submit(
            .event(
                event(
                    .runStalled, slot.spec.name.description, .run(data),
                    notify: slot.spec.settings.notify, clock), stalled: slot.id))
        logger.notice("run has stalled", metadata: ["run": "\(slot.spec.name)"])
    }

    func tellService(_ service: ServiceSlot, _ type: EventType, _ clock: Clockwork) {
        let isDown = type == .serviceDown
        let data = ServiceEventData(
            service: service.name, kind: service.settings.kind.name, health: service.health.health,
            since: service.healthSince, reason: isDown ? service.health.lastReason : nil,
            message: isDown ? service.health.lastMessage : "")
        let event = event(
            type, service.name, .service(data), notify: receivers.keys.sorted(), clock)
        store.submit(.event(event, stalled: nil))
    }

    func groupFinished(_ group: String?, _ clock: Clockwork) -> NewEvent? {
        guard let group, let tally = groups[group], tally.active == 0 else { return nil }
        let data = GroupEventData(group: group, counts: tally.counts, failed: tally.failed)
        return event(.groupFinished, group, .group(data), notify: tally.notify, clock)
    }

    private func warn(of word: String, _ service: ServiceSlot) {
        // A hostile service has no end of words; a hundred make the point.
        guard service.unknownWords.count < 100, service.unknownWords.insert(word).inserted else {
            return
        }
        logger.warning(
            "a status word that is not known is taken as no change",
            metadata: ["service": "\(service.name)", "word": "\(word)"])
    }

    // MARK: Phases

    func phase(_ slot: WatchSlot, _ clock: Clockwork) -> SavedPhase {
        let machine = slot.machine
        return SavedPhase(
            firstPollAt: clock.timestamp(machine.firstPollAt),
            firstAnswerAt: clock.timestamp(machine.firstAnswerAt),
            lastPollAt: clock.timestamp(machine.lastPollAt),
            lastSeenAt: clock.timestamp(machine.lastSeenAt),
            nextPollAt: machine.state.isFinal ? nil : clock.timestamp(slot.dueAt),
            step: Int(machine.step))
    }

    /// Hands the counters of what was polled since to the store, in batches.
    func writePhases() {
        writePhases(of: watches.indices)
    }

    /// Has it written soon that a watch was polled, or answered, for the first time: deadlines and
    /// patience are counted from there, also by a process that ends every few seconds.
    func noteFirst(_ index: Int32) {
        if firsts.isEmpty {
            deadlines.push(.firsts, at: time.now().advanced(by: Poller.firstsInterval))
        }
        firsts.append(index)
    }

    func writeFirsts() {
        writePhases(of: firsts.lazy.map { Int($0) })
        firsts = []
    }

    func writePhases(of indices: some Sequence<Int>) {
        let clock = Clockwork(time)
        var batch: [(id: WatchID, polls: Int, phase: SavedPhase)] = []
        for index in indices where watches[index]?.isDirty == true {
            guard let slot = watches[index] else { continue }
            watches[index]?.isDirty = false
            batch.append((slot.id, Int(slot.machine.polls), phase(slot, clock)))
            if batch.count == 1000 {
                store.submit(.phases(batch))
                batch.removeAll(keepingCapacity: true)
            }
        }
        if !batch.isEmpty { store.submit(.phases(batch)) }
    }
}
