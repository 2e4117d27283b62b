import Logging
import RunwatchCore
import RunwatchHTTP
import RunwatchServices
import RunwatchStore

/// What a request was sent for, to find the watches again when its answer comes.
struct PollTarget: Sendable {
    var index: Int32
    var id: WatchID
}

/// A request under way.
struct PollRequest {
    var scope: PollScope
    var service: ServiceSlot
    /// The watches that were due for it.
    var due: [PollTarget]
    var discovery: DiscoverySlot?
    var startedAt: Instant
    /// Which peer of the service it went to.
    var peer: Int32
    /// `nil` while it is under way.
    var end: PollEnd?

    /// Whether the service is still the one that was asked.
    var isCurrent: Bool { peer == service.peer }
}

extension Poller {
    /// Sends what is due at a service, as far as its health and its budget allow.
    func pump(_ service: ServiceSlot) {
        while !isDraining {
            dropStale(service)
            let hasDiscovery = service.discoveries.contains(where: \.isReady)
            guard !service.ready.isEmpty || hasDiscovery, !service.isAllInFlight else { return }
            let now = time.now()
            switch service.health.permission(at: now) {
            case .granted: break
            case .notBefore(let moment): return wake(service, at: moment)
            case .afterProbe: return
            }
            guard store.backlog < Poller.longestBacklog else {
                return wake(service, at: now.advanced(by: .seconds(1)))
            }
            switch service.budget.take(at: now) {
            case .granted: send(nextRequest(service, at: now))
            case .busy: return
            case .notBefore(let moment): return wake(service, at: moment)
            }
        }
    }

    private func dropStale(_ service: ServiceSlot) {
        while let first = service.ready.first {
            if let slot = watches[Int(first)], slot.isReady, slot.service === service { return }
            _ = service.ready.popFirst()
        }
    }

    /// Takes what is due first, and whatever the same request can serve.
    private func nextRequest(_ service: ServiceSlot, at now: Instant) -> PollRequest {
        if service.kind.coalesces, prefersAll(service) {
            return PollRequest(
                scope: .all, service: service, due: takeReady(service) { _ in true },
                discovery: nil, startedAt: now, peer: service.peer)
        }
        if let discovery = service.discoveries.first(where: \.isReady) {
            return tagged(discovery, service, at: now)
        }
        guard let index = service.ready.popFirst(), let slot = watches[Int(index)] else {
            preconditionFailure("a service was pumped with nothing due")
        }
        return PollRequest(
            scope: .run(slot.spec.run), service: service,
            due: [PollTarget(index: index, id: slot.id)], discovery: nil, startedAt: now,
            peer: service.peer)
    }

    private func tagged(_ discovery: DiscoverySlot, _ service: ServiceSlot, at now: Instant)
        -> PollRequest
    {
        let due = takeReady(service) { $0.discovery === discovery }
        return PollRequest(
            scope: .tag(discovery.spec.runTag), service: service, due: due, discovery: discovery,
            startedAt: now, peer: service.peer)
    }

    /// How many single polls a request for all would replace within one interval of what is due.
    private func prefersAll(_ service: ServiceSlot) -> Bool {
        var interval = Duration.seconds(1)
        if let first = service.ready.first, let slot = watches[Int(first)] {
            interval = Backoff.wait(
                slot.spec.settings.poll, step: Int(slot.machine.step), unit: 0.5)
        } else if let discovery = service.discoveries.first(where: \.isReady) {
            interval = Backoff.wait(discovery.spec.settings.poll, step: discovery.step, unit: 0.5)
        }
        let polls = Double(service.rate) * Double(interval.wholeMilliseconds) / 1_000_000
        let looks = Double(service.discoveries.count)
        return service.coalescing.choosesAll(replacing: polls + looks)
    }

    private func takeReady(_ service: ServiceSlot, where serves: (WatchSlot) -> Bool)
        -> [PollTarget]
    {
        var taken: [PollTarget] = []
        var left = ReadyQueue()
        while let index = service.ready.popFirst() {
            guard let slot = watches[Int(index)], slot.isReady, slot.service === service else {
                continue
            }
            if serves(slot) {
                taken.append(PollTarget(index: index, id: slot.id))
            } else {
                left.append(index)
            }
        }
        service.ready = left
        return taken
    }

    private func send(_ request: PollRequest) {
        let service = request.service
        var parameters: [String: String] = [:]
        for target in request.due {
            guard let slot = watches[Int(target.index)] else { continue }
            parameters = slot.spec.parameters
            service.lateness.add(slot.dueAt.duration(to: request.startedAt))
            watches[Int(target.index)]?.isReady = false
            watches[Int(target.index)]?.isInFlight = true
            notePoll(target.index, at: request.startedAt)
        }
        if case .run = request.scope {
        } else {
            parameters = [:]
            service.polls.common += 1
        }
        if request.scope == .all {
            service.isAllInFlight = true
            for discovery in service.discoveries { discovery.isReady = false }
        }
        request.discovery?.isReady = false
        service.health.polled()
        requestsInFlight += 1
        service.requests += 1
        let number = service.requests
        service.sent[number] = request.startedAt
        let outgoing = service.kind.request(for: request.scope, parameters: parameters)
        service.transport.send(outgoing) { result in
            service.sent[number] = nil
            self.completed(request, result)
        }
    }

    /// Counts a poll for a watch, and keeps its deadline in view from the first one on.
    func notePoll(_ index: Int32, at moment: Instant) {
        guard let slot = watches[Int(index)] else { return }
        let isFirst = slot.machine.firstPollAt == nil
        watches[Int(index)]?.machine.polled(at: moment)
        watches[Int(index)]?.isDirty = true
        if isFirst {
            watchDeadline(index)
            noteFirst(index)
        }
    }

    /// Has a watch's deadline looked at, a little after it: a poll at the deadline itself decides better.
    func watchDeadline(_ index: Int32) {
        guard let slot = watches[Int(index)],
            let deadline = slot.machine.deadline(slot.spec.settings)
        else { return }
        planExpiry(index, at: deadline.advanced(by: Poller.deadlineAllowance))
    }

    private func planExpiry(_ index: Int32, at moment: Instant) {
        watches[Int(index)]?.expiresAt = moment
        deadlines.push(.deadline(index), at: moment)
    }

    /// A watch's deadline has passed, and perhaps long ago, while nobody could ask.
    func deadlinePassed(_ index: Int32, planned: Instant, _ clock: Clockwork) {
        guard let slot = watches[Int(index)], slot.expiresAt == planned else { return }
        let isLate = planned.duration(to: clock.now) > Poller.deadlineAllowance
        let canAsk = slot.service.health.permission(at: clock.now) == .granted
        if isLate, canAsk, slot.machine.isUnaskedSinceDeadline(slot.spec.settings) {
            let next = max(clock.now, slot.dueAt).advanced(by: Poller.lateAllowance)
            return planExpiry(index, at: next)
        }
        expire(index, clock)
    }

    // MARK: Answers

    private func completed(_ request: PollRequest, _ result: Result<HTTPResponse, HTTPFailure>) {
        let service = request.service
        let clock = Clockwork(time)
        var request = request
        request.end = PollEnd(at: clock.now, status: result.status)
        requestsInFlight -= 1
        service.budget.release()
        service.durations.add(request.startedAt.duration(to: clock.now))
        if request.scope == .all { service.isAllInFlight = false }
        for target in request.due where watches[Int(target.index)]?.id == target.id {
            watches[Int(target.index)]?.isInFlight = false
        }
        // A service that was removed has no watches any more, and no health that anyone is told of.
        if servicesByNumber[service.number] === service {
            switch result {
            case _ where !request.isCurrent:
                service.polls.outdated += 1
                askAgain(request, clock)
            case .success(let response): read(response, of: request, clock)
            case .failure(let failure): fail(request, failure, clock)
            }
        }
        if isDraining {
            if requestsInFlight == 0 { finishDraining() }
            return
        }
        if servicesByNumber[service.number] === service { pump(service) }
        arm()
    }

    /// Asks a service again that has another address or other credentials since it was asked.
    private func askAgain(_ request: PollRequest, _ clock: Clockwork) {
        for target in request.due where watches[Int(target.index)]?.id == target.id {
            schedule(target.index, at: clock.now, as: .again)
        }
        for discovery in discoveries(of: request) {
            planDiscovery(discovery, request.service, at: clock.now)
        }
    }

    /// The discoveries that a request was made for.
    private func discoveries(of request: PollRequest) -> [DiscoverySlot] {
        if request.scope == .all { return request.service.discoveries }
        return request.discovery.map { [$0] } ?? []
    }

    private func read(_ response: HTTPResponse, of request: PollRequest, _ clock: Clockwork) {
        let service = request.service
        let answer = service.kind.read(response, scope: request.scope) {
            service.watches[$0] != nil
        }
        switch answer {
        case .observations(let observations):
            service.polls.answered += 1
            count(response.body.count, of: request)
            request.discovery?.isRefused = false
            serviceSucceeded(service, clock)
            apply(observations, to: request, clock)
        case .refused(let message):
            service.polls.refused += 1
            serviceSucceeded(service, clock)
            giveUp(request, .refused, message: message, clock)
        case .failed(let reason, let message, let hint):
            let wait = hint?.wait(
                from: clock.wallClock, limit: ServiceHealthMachine.longestHint)
            if isTooCommon(request, reason) {
                return askSingly(request, message: message, bytes: response.body.count, clock)
            }
            serviceFailed(request, reason, message: message, hint: wait, clock)
        }
    }

    private func fail(_ request: PollRequest, _ failure: HTTPFailure, _ clock: Clockwork) {
        guard let reason = PollFailureReason(failure.code) else {
            request.service.polls.abandoned += 1
            return giveUp(request, .cancelled, message: failure.message, clock)
        }
        if isTooCommon(request, reason) {
            return askSingly(
                request, message: failure.message,
                bytes: request.service.settings.maximumAllAnswer, clock)
        }
        serviceFailed(request, reason, message: failure.message, hint: nil, clock)
    }

    private func count(_ bytes: Int, of request: PollRequest) {
        switch request.scope {
        case .run: request.service.coalescing.answeredSingle(bytes: bytes)
        case .all: request.service.coalescing.answeredAll(bytes: bytes)
        case .tag: break
        }
    }

    private func isTooCommon(_ request: PollRequest, _ reason: PollFailureReason) -> Bool {
        request.scope.isTooCommon(reason, at: request.service.settings)
    }

    private func askSingly(
        _ request: PollRequest, message: String, bytes: Int, _ clock: Clockwork
    ) {
        let service = request.service
        service.polls.refusedCommon += 1
        service.health.settled()
        guard let discovery = request.discovery else {
            logger.notice(
                "the answer about all runs is no use; runs are asked for one by one",
                metadata: ["service": "\(service.name)", "reason": "\(message)"])
            service.coalescing.refusedAll(bytes: bytes)
            return askAgain(request, clock)
        }
        if !discovery.isRefused {
            logger.warning(
                "the answer about a run tag is no use; new runs are not found while that is so",
                metadata: [
                    "service": "\(service.name)", "run_tag": "\(discovery.spec.runTag)",
                    "reason": "\(message)",
                ])
        }
        discovery.isRefused = true
        discovery.lastError = message
        askAgain(request, clock)
        discovery.step += 1
        planDiscovery(discovery, service, clock)
    }

    /// Lets the watches of a request wait their turn: nothing was learned of them.
    private func giveUp(
        _ request: PollRequest, _ outcome: PollOutcome, message: String, _ clock: Clockwork
    ) {
        request.service.health.settled()
        for target in request.due where watches[Int(target.index)]?.id == target.id {
            lastErrors[target.id] = message
            watches[Int(target.index)]?.lastPoll = LastPoll(outcome, of: request)
            watches[Int(target.index)]?.machine.failed(wasDue: true)
            expire(target.index, clock)
            reschedule(target.index, clock, unit: generator.unit())
        }
        for discovery in discoveries(of: request) {
            planDiscovery(discovery, request.service, clock)
        }
    }

    // MARK: Health

    private func serviceSucceeded(_ service: ServiceSlot, _ clock: Clockwork) {
        let before = service.health.health
        let turn = service.health.succeeded()
        if before != .up {
            service.healthSince = clock.wallClock
            if service.isTold {
                logger.notice("service is up again", metadata: ["service": "\(service.name)"])
            }
            service.isTold = false
        }
        if turn == .cameUp { tellService(service, .serviceUp, clock) }
    }

    private func serviceFailed(
        _ request: PollRequest, _ reason: PollFailureReason, message: String, hint: Duration?,
        _ clock: Clockwork
    ) {
        let service = request.service
        service.polls.failed[reason, default: 0] += 1
        if hint != nil { service.polls.hints += 1 }
        let before = service.health.health
        let turn = service.health.failed(
            reason, message: message, startedAt: request.startedAt, at: clock.now, hint: hint,
            unit: generator.unit())
        giveUp(request, .failed(reason), message: message, clock)
        let health = service.health.health
        if health != before {
            service.healthSince = clock.wallClock
            logTrouble(service, reason, message, clock)
        }
        if turn == .wentDown { tellService(service, .serviceDown, clock) }
        // What is already due waits in line; its deadlines do not.
        if case .notBefore(let moment) = service.health.permission(at: clock.now) {
            wake(service, at: moment)
        }
    }

    private func logTrouble(
        _ service: ServiceSlot, _ reason: PollFailureReason, _ message: String, _ clock: Clockwork
    ) {
        let health = service.health.health
        if health == .degraded {
            let pause = service.toldAt.map { $0.duration(to: clock.now) }
            if let pause, pause < Poller.logPause { return }
            service.toldAt = clock.now
        }
        service.isTold = true
        logger.warning(
            "service is \(health.rawValue)",
            metadata: [
                "service": "\(service.name)", "reason": "\(reason.rawValue)",
                "words": "\(message)",
            ])
    }
}

extension Result<HTTPResponse, HTTPFailure> {
    /// The HTTP status; `nil` when none came.
    fileprivate var status: Int? {
        switch self {
        case .success(let response): response.status
        case .failure(let failure): failure.status
        }
    }
}
