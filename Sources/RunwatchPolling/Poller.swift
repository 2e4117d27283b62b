package import Dispatch
package import Logging
package import RunwatchCore
package import RunwatchHTTP
import RunwatchLinux
import RunwatchServices
package import RunwatchStore

/// Asks the services when it is time, and hands what it learns to the store.
///
/// One queue holds the table of watches, one heap of deadlines, one timer and the transport; the machines
/// decide, this actor carries out. Nothing here waits for the disk.
package actor Poller {
    /// Makes the transport for one kind of connection; called on the poller's queue.
    package typealias TransportFactory =
        @Sendable (DispatchQueue, HTTPConnectionOptions) -> any HTTPTransport

    enum Key: Sendable {
        case watch(Int32)
        /// A watch's deadline has passed and no poll has settled it.
        case deadline(Int32)
        case service(Int32)
        case discovery(service: Int32, number: Int32)
        /// First polls and first answers have to be written.
        case firsts
        case housekeeping
    }

    /// What is due this soon is due now, so that a tick serves many.
    static let lookAhead = Duration.milliseconds(20)
    /// An answer on its way at the deadline is waited for this long.
    static let deadlineAllowance = Duration.seconds(2)
    /// After a sleep or a stop past the deadline, a poll is waited for this long.
    static let lateAllowance = Duration.seconds(10)
    /// What a deadline counts from is written this soon.
    static let firstsInterval = Duration.seconds(1)
    /// Counters and phases are written this often; losing them costs a phase, and writing those of a
    /// hundred thousand watches costs the disk as many rows.
    static let phaseInterval = Duration.seconds(60)
    /// With this many changes waiting for the disk, asking for more news is no use.
    static let longestBacklog = 100_000
    /// A timer is never armed for longer: it stands still while the machine sleeps, and so the sleep is
    /// noticed well before the watchdog takes it for a standstill.
    static let longestSleep = Duration.seconds(10)

    /// A service that fails now and then is told of in the log this often at most.
    static let logPause = Duration.seconds(60)

    let executor: QueueExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    let store: Store
    let time: any TimeSource
    let logger: Logger
    let makeTransport: TransportFactory
    var generator: SeededGenerator

    var services: [String: ServiceSlot] = [:]
    var servicesByNumber: [Int32: ServiceSlot] = [:]
    var transports: [HTTPConnectionOptions: any HTTPTransport] = [:]
    var watches: ContiguousArray<WatchSlot?> = []
    var freeSlots: [Int32] = []
    var ended: [WatchName: EndedWatch] = [:]
    var groups: [String: GroupTally] = [:]
    var receivers: [String: Set<EventType>] = [:]
    var lastErrors: [WatchID: String] = [:]
    /// Watches that have had their first poll or answer since it was last written.
    var firsts: [Int32] = []
    var deadlines = DeadlineQueue<Key>()
    var timer: (any DispatchSourceTimer)?
    var armedFor: Instant?
    var lastNumber: Int32 = 0
    var epoch: UInt32 = 0
    var isDraining = false
    var drained: [CheckedContinuation<Void, Never>] = []
    /// Watches that ended while a configuration was being adopted: what was read of them is old.
    var endedMeanwhile: Set<WatchName> = []
    var isApplying = false
    /// Reloads, additions and removals come one after another.
    let turns = Turns()
    var transientSpecs = TransientSpecs()
    /// Transient watches that are listed, have not ended and cannot be polled.
    var parked: [WatchName: ParkedWatch] = [:]
    var requestsInFlight = 0
    /// Discovered runs on their way into the record.
    var adoptions = 0

    package init(
        store: Store, time: any TimeSource = SystemTime(), logger: Logger, seed: UInt64,
        makeTransport: @escaping TransportFactory
    ) {
        executor = QueueExecutor(label: "runwatch.poller")
        self.store = store
        self.time = time
        self.logger = logger
        self.makeTransport = makeTransport
        generator = SeededGenerator(seed: seed)
    }

    /// Begins to keep time; nothing is polled before a configuration is applied.
    package func start() {
        guard timer == nil else { return }
        let timer = DispatchSource.makeTimerSource(queue: executor.queue)
        timer.setEventHandler { [weak self] in
            self?.assumeIsolated { $0.tick() }
        }
        self.timer = timer
        timer.activate()
        deadlines.push(.housekeeping, at: time.now().advanced(by: Poller.phaseInterval))
        arm()
    }

    /// Takes nothing new, lets what is in flight finish until `limit`, writes the phases and stops.
    package func drain(limit: Duration) async {
        isDraining = true
        timer?.cancel()
        timer = nil
        if requestsInFlight > 0 {
            let end = DispatchSource.makeTimerSource(queue: executor.queue)
            end.setEventHandler { [weak self] in
                self?.assumeIsolated { $0.finishDraining() }
            }
            end.schedule(deadline: .now() + .nanoseconds(Int(limit.wholeNanoseconds)))
            end.activate()
            await withCheckedContinuation { drained.append($0) }
            end.cancel()
        }
        for transport in transports.values { transport.close() }
        transports = [:]
        writePhases()
    }

    func finishDraining() {
        let waiting = drained
        drained = []
        for continuation in waiting { continuation.resume() }
    }

    /// Whether what is due is really being asked; for the watchdog.
    ///
    /// `false` when a watch has been ready for longer than `patience` although its service may be polled,
    /// or when a request has not ended although its time was over so long ago.
    package func isAdvancing(patience: Duration) -> Bool {
        let now = time.now()
        if let earliest = deadlines.earliest, !isDraining,
            earliest.duration(to: now) > patience
        {
            return false
        }
        return services.values.allSatisfy { service in
            let overdue = service.settings.timeout + patience
            if service.sent.values.contains(where: { $0.duration(to: now) > overdue }) {
                return false
            }
            guard let first = service.ready.first, let slot = watches[Int(first)], slot.isReady,
                slot.dueAt.duration(to: now) > patience, service.budget.inFlight == 0,
                store.backlog < Poller.longestBacklog
            else { return true }
            return service.health.permission(at: now) != .granted || service.wakeAt != nil
        }
    }

    // MARK: The timer

    func tick() {
        armedFor = nil
        let clock = Clockwork(time)
        let horizon = clock.now.advanced(by: Poller.lookAhead)
        var touched: [Int32: ServiceSlot] = [:]
        while let entry = deadlines.popDue(at: horizon) {
            switch entry.key {
            case .watch(let index): becomeReady(index, planned: entry.at, clock, &touched)
            case .deadline(let index): deadlinePassed(index, planned: entry.at, clock)
            case .service(let number):
                guard let service = servicesByNumber[number], service.wakeAt == entry.at else {
                    continue
                }
                service.wakeAt = nil
                touched[number] = service
            case .discovery(let number, let discovery):
                guard let service = servicesByNumber[number],
                    let slot = service.discoveries.first(where: { $0.number == discovery }),
                    slot.dueAt == entry.at
                else { continue }
                slot.isReady = true
                touched[number] = service
            case .firsts: writeFirsts()
            case .housekeeping:
                writePhases()
                deadlines.push(
                    .housekeeping, at: clock.now.advanced(by: Poller.phaseInterval))
            }
        }
        for service in touched.values { pump(service) }
        compactDeadlines()
        arm()
    }

    private func becomeReady(
        _ index: Int32, planned: Instant, _ clock: Clockwork, _ touched: inout [Int32: ServiceSlot]
    ) {
        guard let slot = watches[Int(index)], slot.dueAt == planned, !slot.isReady,
            !slot.isInFlight
        else { return }
        let service = slot.service
        watches[Int(index)]?.isReady = true
        service.ready.append(index)
        touched[service.number] = service
        // A poll at the deadline would decide; where none can be made now, the deadline does.
        if service.health.permission(at: clock.now) != .granted { expire(index, clock) }
    }

    /// Plans the timer for the earliest deadline, if that is sooner than planned.
    func arm() {
        guard let timer, !isDraining else { return }
        let now = time.now()
        let latest = now.advanced(by: Poller.longestSleep)
        let wanted = min(deadlines.earliest ?? latest, latest)
        if let armedFor, armedFor <= wanted { return }
        armedFor = wanted
        let wait = max(0, now.duration(to: wanted).wholeNanoseconds)
        timer.schedule(
            deadline: .now() + .nanoseconds(Int(wait)), leeway: .milliseconds(5))
    }

    /// Drops what does not hold any more when it outnumbers what does.
    private func compactDeadlines() {
        let live = watches.count - freeSlots.count
        // A poll and a deadline each; one answer about all makes every poll's entry stale.
        guard deadlines.count > 3 * live + 4096 else { return }
        deadlines.removeAll { entry in
            switch entry.key {
            case .watch(let index): watches[Int(index)]?.dueAt != entry.at
            case .deadline(let index): watches[Int(index)]?.expiresAt != entry.at
            case .service(let number): servicesByNumber[number]?.wakeAt != entry.at
            case .discovery(let service, let number):
                discovery(number, service)?.dueAt != entry.at
            case .firsts, .housekeeping: false
            }
        }
    }

    // MARK: Plans

    /// Plans a watch's next poll.
    func schedule(_ index: Int32, at moment: Instant, as plan: PollPlan) {
        watches[Int(index)]?.dueAt = moment
        watches[Int(index)]?.plan = plan
        watches[Int(index)]?.isReady = false
        deadlines.push(.watch(index), at: moment)
    }

    /// Plans a watch's next poll by its machine, and books its load at its service.
    func reschedule(_ index: Int32, _ clock: Clockwork, unit: Double) {
        guard let slot = watches[Int(index)] else { return }
        let next = slot.machine.plan(after: clock.now, settings: slot.spec.settings, unit: unit)
        book(index, interval: clock.now.duration(to: next.at))
        schedule(index, at: next.at, as: next.reason)
    }

    func book(_ index: Int32, interval: Duration) {
        guard let slot = watches[Int(index)] else { return }
        let rate = Int32(clamping: 1_000_000 / max(1, interval.wholeMilliseconds))
        slot.service.rate += Int64(rate - slot.rate)
        watches[Int(index)]?.rate = rate
    }

    func wake(_ service: ServiceSlot, at moment: Instant) {
        if let wakeAt = service.wakeAt, wakeAt <= moment { return }
        service.wakeAt = moment
        deadlines.push(.service(service.number), at: moment)
    }

    func nextNumber() -> Int32 {
        lastNumber += 1
        return lastNumber
    }
}
