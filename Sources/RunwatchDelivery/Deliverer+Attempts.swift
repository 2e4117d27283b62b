import Logging
import RunwatchCore
import RunwatchStore

// One receiver's way through its outbox: look, start, end, record.
extension Deliverer {
    /// How many events one search asks for.
    private static let batch = 256
    /// A search is made when fewer events than these wait.
    private static let lowWater = 32
    /// The most events that are held in memory when they have to wait before their first attempt.
    private static let mostWaiting = 1024

    /// Starts what may be started, and looks for more if there may be more.
    func pump(_ pipeline: ReceiverPipeline) {
        guard !isDraining, !pipeline.isRemoved else { return }
        let now = time.now()
        startWaiting(pipeline, at: now)
        if mayLook(pipeline, at: now) { look(pipeline, at: now) }
        if let moment = nextMoment(pipeline, after: now) { arm(for: moment) }
    }

    // MARK: Start

    @discardableResult
    private func startWaiting(_ pipeline: ReceiverPipeline, at now: Instant) -> Int {
        var started = 0
        while pipeline.window.flights.count < pipeline.capacity {
            // One by one, for each start may change what the machine admits.
            let next = pipeline.window.take(at: now) { pipeline.machine.admits($0.id, at: now) }
            guard let next else { break }
            start(next.delivery, pipeline, isUrgent: next.isUrgent, at: now)
            started += 1
        }
        // What the machine refuses would only hide what it admits from the next search.
        if pipeline.window.flights.count < pipeline.capacity {
            pipeline.window.release(ripeAt: now)
        }
        return started
    }

    private func start(
        _ delivery: PendingDelivery, _ pipeline: ReceiverPipeline, isUrgent: Bool, at now: Instant
    ) {
        let moment = time.wallClock()
        pipeline.machine.started(delivery.id, isUrgent: isUrgent)
        pipeline.window.start(
            DeliveryWindow.Flight(
                delivery: delivery, startedAt: now, overdueAt: pipeline.overdue(from: now),
                timestamp: moment))
        pipeline.receiver.attempt(delivery, at: moment) { result in
            self.ended(delivery.id, pipeline, result)
        }
    }

    // MARK: Look

    private func mayLook(_ pipeline: ReceiverPipeline, at now: Instant) -> Bool {
        let look = pipeline.look
        guard !look.isUnderWay, look.notBefore <= now else { return false }
        guard look.isWanted || look.nextAt.map({ $0 <= now }) ?? false else { return false }
        guard pipeline.machine.mayAdmit(at: now) else { return false }
        guard pipeline.window.waitingEvents < Deliverer.mostWaiting else { return false }
        if pipeline.machine.health == .failing,
            pipeline.window.flights.count >= pipeline.capacity
        {
            return false
        }
        return pipeline.window.ripeEvents(at: now) < Deliverer.lowWater
    }

    private func look(_ pipeline: ReceiverPipeline, at now: Instant) {
        let limit = Deliverer.batch
        let clock = dueClock.now()
        let horizon = pipeline.look.horizon
        pipeline.look.isWanted = false
        pipeline.look.isUnderWay = true
        pipeline.look.nextAt = nil
        pipeline.look.horizon = nil
        pipeline.look.since = now
        pipeline.look.ended = []
        let name = pipeline.name
        let excluded = pipeline.window.ids
        let digest = pipeline.settings.digest
        Task {
            do throws(StoreError) {
                let due = try await store.dueDeliveries(
                    for: name, now: max(clock, horizon ?? clock), limit: limit,
                    excluding: excluded, digest: digest)
                found(due, pipeline, limit: limit, wasBeyond: horizon != nil)
            } catch {
                lookFailed(error, pipeline)
            }
        }
    }

    private func found(
        _ due: DueDeliveries, _ pipeline: ReceiverPipeline, limit: Int, wasBeyond: Bool
    ) {
        let now = time.now()
        // What has become due while the search went on cannot have been found by it.
        let searchedAt = pipeline.look.since ?? now
        pipeline.look.isUnderWay = false
        pipeline.look.since = nil
        pipeline.look.failures = 0
        guard !isDraining, !pipeline.isRemoved else { return noteRemoved(pipeline) }
        var taken = 0
        for delivery in due.deliveries where !pipeline.look.ended.contains(delivery.id) {
            let from = firstMoment(of: delivery, pipeline, at: now)
            if pipeline.window.add(delivery, from: from) { taken += 1 }
        }
        pipeline.machine.looked(found: pipeline.window.ids, at: searchedAt)
        let waiting = pipeline.window.ripe(at: now)
        let started = startWaiting(pipeline, at: now)
        planNextLook(
            due, pipeline, at: now, wasBeyond: wasBeyond,
            // Left out of memory, though due.
            hasMore: due.events >= limit
                || (pipeline.machine.health != .open && waiting > started),
            advanced: taken > 0)
        pump(pipeline)
    }

    /// When a delivery that is due may first be attempted: the schedule has a wait before the first
    /// attempt too, which the database knows nothing of.
    private func firstMoment(
        of delivery: PendingDelivery, _ pipeline: ReceiverPipeline, at now: Instant
    ) -> Instant {
        guard delivery.attempts == 0 else { return now }
        let wait = pipeline.machine.firstWait(using: &generator)
        guard wait > .zero else { return now }
        let age = delivery.event.timestamp.duration(to: dueClock.now())
        return now.advanced(by: min(max(.zero, wait - age), wait))
    }

    private func planNextLook(
        _ due: DueDeliveries, _ pipeline: ReceiverPipeline, at now: Instant, wasBeyond: Bool,
        hasMore: Bool, advanced: Bool
    ) {
        let wait = due.nextDueAt.map { dueClock.now().duration(to: $0) }
        if hasMore || wait.map({ $0 <= .zero }) ?? false {
            // Looking again at once is of use only if this time something was found.
            if advanced { pipeline.look.isWanted = true }
            pipeline.look.nextAt = now.advanced(by: .seconds(1))
            return
        }
        if let wait, let moment = due.nextDueAt, wait > pipeline.longestWait, !wasBeyond {
            // No wait is that long: it was written under a clock that has since been set back.
            pipeline.look.horizon = moment
            pipeline.look.isWanted = true
        }
        // The clocks may not run alike, so it is never long until the next look.
        pipeline.look.nextAt = now.advanced(by: min(wait ?? .seconds(60), .seconds(60)))
    }

    private func lookFailed(_ error: StoreError, _ pipeline: ReceiverPipeline) {
        let now = time.now()
        pipeline.look.isUnderWay = false
        pipeline.look.since = nil
        pipeline.look.isWanted = true
        pipeline.look.failures += 1
        let pause = min(1 << min(pipeline.look.failures, 5), 30)
        pipeline.look.notBefore = now.advanced(by: .seconds(pause))
        if pipeline.look.failures == 1 {
            logger.error(
                "the outbox cannot be read: \(error)", metadata: ["receiver": "\(pipeline.name)"])
        }
        noteRemoved(pipeline)
        pump(pipeline)
    }

    /// When time alone gives this receiver something to do; `nil` when something else has to happen first.
    private func nextMoment(_ pipeline: ReceiverPipeline, after now: Instant) -> Instant? {
        var next = pipeline.window.nextRipe(after: now) ?? .distantFuture
        let look = pipeline.look
        if !look.isUnderWay, var moment = look.isWanted ? now : look.nextAt {
            moment = max(moment, look.notBefore)
            if !pipeline.machine.mayAdmit(at: now) {
                moment = max(moment, pipeline.machine.nextAdmission ?? .distantFuture)
            }
            // What could be done already waits for a free place, not for time.
            if moment > now { next = min(next, moment) }
        }
        return next == .distantFuture ? nil : next
    }

    // MARK: End

    private func ended(_ id: String, _ pipeline: ReceiverPipeline, _ result: AttemptResult) {
        guard let flight = pipeline.window.end(id) else { return }
        pipeline.hurry.ended(id)
        if pipeline.look.isUnderWay { pipeline.look.ended.insert(id) }
        let now = time.now()
        let before = pipeline.machine.health
        record(judge(flight, pipeline, result, at: now), flight, pipeline, result, at: now)
        if !flight.isOutdated { tell(from: before, pipeline, result, at: now) }
        // Something is due now that was not: the run's next event, or what waited for the receiver.
        pipeline.look.isWanted = true
        transports.ended(id)
        noteRemoved(pipeline)
        pump(pipeline)
        noteEnded()
    }

    private func judge(
        _ flight: DeliveryWindow.Flight, _ pipeline: ReceiverPipeline, _ result: AttemptResult,
        at now: Instant
    ) -> DeliveryMachine.Verdict {
        let delivery = flight.delivery
        guard flight.isOutdated else {
            return pipeline.machine.ended(
                delivery.id, attempts: delivery.attempts, result.outcome, at: now,
                using: &generator)
        }
        // What another place answered leaves the receiver's health alone: a machine of its own judges it.
        var machine = DeliveryMachine(policy: pipeline.machine.policy)
        return machine.ended(
            delivery.id, attempts: delivery.attempts, result.outcome, at: now, using: &generator)
    }

    private func noteRemoved(_ pipeline: ReceiverPipeline) {
        if pipeline.isRemoved, pipeline.window.isIdle, !pipeline.look.isUnderWay,
            pipelines[pipeline.name] === pipeline
        {
            pipelines[pipeline.name] = nil
        }
    }

    private func record(
        _ verdict: DeliveryMachine.Verdict, _ flight: DeliveryWindow.Flight,
        _ pipeline: ReceiverPipeline, _ result: AttemptResult, at now: Instant
    ) {
        let duration = flight.startedAt.duration(to: now)
        pipeline.meter.ended(verdict, events: flight.delivery.parts.count, after: duration)
        let outcome: AttemptChange.Outcome
        switch verdict {
        case .keep: return
        case .delivered: outcome = .delivered
        case .retry(let wait): outcome = .retry(at: dueClock.now().advanced(by: wait))
        // The outbox is in the order of due times, and nothing is due before its event.
        case .stillDue: outcome = .retry(at: flight.delivery.event.timestamp)
        case .failed:
            outcome = .failed(failure(of: flight.delivery, pipeline, result))
            tellGivenUp(flight.delivery, pipeline, result, at: now)
        }
        logger.debug(
            "attempted \(flight.delivery.id): \(result.outcome)",
            metadata: ["receiver": "\(pipeline.name)", "event": "\(flight.delivery.words.type)"])
        store.submit(
            .attempt(
                AttemptChange(
                    deliveries: flight.delivery.parts.map(\.delivery), at: flight.timestamp,
                    outcome: outcome, status: result.status, duration: duration,
                    message: result.message, schedule: flight.delivery.schedule)))
    }

    /// The event that tells the other receivers; none for a delivery that is itself such an event, or
    /// two dead receivers would tell of each other for ever.
    private func failure(
        of delivery: PendingDelivery, _ pipeline: ReceiverPipeline, _ result: AttemptResult
    ) -> NewEvent? {
        guard delivery.parts.contains(where: { $0.event.type != .deliveryFailed }) else {
            return nil
        }
        let moment = time.wallClock()
        let data = DeliveryEventData(
            delivery: delivery.id, receiver: pipeline.name, type: delivery.words.type,
            name: delivery.words.name, attempts: delivery.attempts + 1, message: result.message)
        let others = pipelines.values.filter {
            $0 !== pipeline && !$0.isRemoved && $0.settings.on.contains(.deliveryFailed)
        }
        return NewEvent(
            type: .deliveryFailed, timestamp: moment, subject: pipeline.name,
            json: Event(type: .deliveryFailed, timestamp: moment, data: .delivery(data)).json,
            receivers: others.map(\.name).sorted())
    }
}

extension PendingDelivery {
    /// What it brings, in the log and in events about it: `run.complete` of `warehouse/12`.
    var words: (type: String, name: String) {
        guard isDigest else { return (event.type.name, event.subject) }
        let others = parts.count - 1
        switch others {
        case 0: return ("digest", event.subject)
        case 1: return ("digest", "\(event.subject) and 1 other")
        default: return ("digest", "\(event.subject) and \(others) others")
        }
    }
}
