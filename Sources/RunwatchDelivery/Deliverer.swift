package import Dispatch
package import Logging
package import RunwatchCore
package import RunwatchHTTP
import RunwatchLinux
package import RunwatchStore
import Synchronization

/// Brings to every receiver what it is owed.
///
/// The outbox in the database is the truth; in memory there is a small window of it for each receiver.
/// Receivers never wait for each other. A delivery is excluded from the search of the outbox until the
/// outcome of its attempt has been handed to the store, which writes that down before it searches again.
package actor Deliverer {
    /// The deliverer looks after everything at least this often, whatever the clocks do.
    static let longestRest = Duration.seconds(15)

    private let executor: QueueExecutor
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    let store: Store
    let time: any TimeSource
    let logger: Logger
    let transports: ReceiverTransports
    let lines: LineWriter
    let programs: ChildProcesses
    let heartbeat: DeliveryHeartbeat
    var generator: SeededGenerator
    var dueClock: DueClock
    var pipelines: [String: ReceiverPipeline] = [:]
    var isDraining = false
    private var timer: (any DispatchSourceTimer)?
    private var timerAt = Instant.distantFuture
    private var drainWaiters: [CheckedContinuation<Void, Never>] = []
    /// Receivers that have new deliveries, and have not been looked after yet.
    private let woken = Mutex<Set<String>>([])

    /// - Parameters:
    ///   - seed: Where the jitter comes from.
    ///   - standardOutput: The descriptor that stdout receivers write to; not closed here.
    ///   - makeTransport: Called on the deliverer's queue, to which the transport is bound.
    ///   - makeMailTransport: Likewise; with the number of mails that may be under way at once.
    package init(
        store: Store, time: any TimeSource, logger: Logger, seed: UInt64,
        standardOutput: Int32 = 1,
        makeTransport:
            @escaping @Sendable (DispatchQueue, HTTPConnectionOptions)
            -> any HTTPTransport,
        makeMailTransport:
            @escaping @Sendable (DispatchQueue, HTTPConnectionOptions, Int)
            -> any MailTransport = {
                CurlMailTransport(queue: $0, options: $1, maximumConnections: $2)
            }
    ) {
        executor = QueueExecutor(label: "runwatch.deliverer")
        self.store = store
        self.time = time
        self.logger = logger
        transports = ReceiverTransports(
            queue: executor.queue, makeHTTP: makeTransport, makeMail: makeMailTransport)
        lines = LineWriter(descriptor: standardOutput)
        programs = ChildProcesses(queue: executor.queue)
        heartbeat = DeliveryHeartbeat(at: time.now())
        generator = SeededGenerator(seed: seed)
        dueClock = DueClock(time)
    }

    nonisolated var queue: DispatchQueue { executor.queue }

    // MARK: From outside

    /// Says that receivers have new deliveries, or that some became due at once; cheap, from any queue.
    package nonisolated func wake(_ receivers: Set<String>) {
        let isFirst = woken.withLock { woken in
            defer { woken.formUnion(receivers) }
            return woken.isEmpty
        }
        guard isFirst, !receivers.isEmpty else { return }
        queue.async { [weak self] in self?.assumeIsolated { $0.wakeUp() } }
    }

    /// Whether something that should have happened by now has not: deliveries no longer advance.
    package nonisolated func isStuck(now: Instant) -> Bool { heartbeat.isStuck(at: now) }

    package func status() -> [ReceiverStatus] {
        let now = time.now()
        let wallClock = time.wallClock()
        func moment(_ instant: Instant) -> Timestamp {
            wallClock.advanced(by: now.duration(to: instant))
        }
        return pipelines.values.filter { !$0.isRemoved }.sorted { $0.name < $1.name }.map {
            pipeline in
            let machine = pipeline.machine
            return ReceiverStatus(
                name: pipeline.name, kind: pipeline.settings.kind.name,
                digestWindow: pipeline.settings.digest?.window,
                isDisabled: pipeline.machine.health == .disabled,
                isFailing: pipeline.machine.health == .failing,
                inFlight: pipeline.window.flights.count, lastError: pipeline.report.lastError,
                lastErrorAt: pipeline.report.lastErrorAt,
                lastSuccessAt: pipeline.report.lastSuccessAt,
                restsUntil: machine.restUntil > now ? moment(machine.restUntil) : nil,
                nextTryAt: nextTry(machine, now).map(moment), concurrency: pipeline.capacity,
                meter: pipeline.meter)
        }
    }

    /// When a receiver that fails is probed; `nil` when that is not what its deliveries wait for.
    private func nextTry(_ machine: DeliveryMachine, _ now: Instant) -> Instant? {
        guard machine.health == .failing, let next = machine.nextAdmission, next > now
        else { return nil }
        return next
    }

    /// Takes nothing new, and returns when what is under way has ended, or at `deadline`.
    ///
    /// What has not ended by then is given up and stays owed. The deliverer is of no use afterwards.
    package func drain(until deadline: Instant) async {
        isDraining = true
        for pipeline in pipelines.values { pipeline.window.release() }
        if !isIdle {
            let wait = max(.zero, time.now().duration(to: deadline))
            queue.asyncAfter(deadline: .now() + .nanoseconds(Int(wait.wholeNanoseconds))) {
                [weak self] in self?.assumeIsolated { $0.resumeDrain() }
            }
            await withCheckedContinuation { drainWaiters.append($0) }
        }
        timer?.cancel()
        timer = nil
        lines.stop()
        programs.close()
        transports.closeAll()
        heartbeat.ended()
    }

    // MARK: The rhythm

    private func wakeUp() {
        let names = woken.withLock { woken in
            defer { woken = [] }
            return woken
        }
        for name in names {
            guard let pipeline = pipelines[name] else { continue }
            pipeline.look.isWanted = true
            pump(pipeline)
        }
    }

    /// Looks after every receiver; also the timer's handler.
    func lookAfterAll() {
        guard !isDraining else { return }
        timerAt = .distantFuture
        let now = time.now()
        var isStalled = false
        for pipeline in pipelines.values {
            pump(pipeline)
            if let since = pipeline.look.since, since.duration(to: now) > .seconds(60) {
                isStalled = true
            }
            if pipeline.window.flights.values.contains(where: { $0.overdueAt < now }) {
                isStalled = true
            }
        }
        isStalled ? heartbeat.stalled() : heartbeat.advanced(at: now)
        arm(for: now.advanced(by: Deliverer.longestRest))
    }

    /// Has the timer fire at `moment` at the latest.
    func arm(for moment: Instant) {
        guard !isDraining, moment < timerAt else { return }
        timerAt = moment
        let wait = min(max(.zero, time.now().duration(to: moment)), Deliverer.longestRest)
        let timer = timer ?? makeTimer()
        // Late by a hundredth is not late, and lets the system gather its wake-ups.
        timer.schedule(
            deadline: .now() + .nanoseconds(Int(wait.wholeNanoseconds)),
            leeway: .nanoseconds(Int(wait.wholeNanoseconds / 100)))
    }

    private func makeTimer() -> any DispatchSourceTimer {
        let timer = DispatchSource.makeTimerSource(queue: queue)
        timer.setEventHandler { [weak self] in self?.assumeIsolated { $0.lookAfterAll() } }
        timer.schedule(deadline: .distantFuture)
        timer.activate()
        self.timer = timer
        return timer
    }

    // MARK: The end

    private var isIdle: Bool { pipelines.values.allSatisfy(\.window.isIdle) }

    /// Something that was under way has ended.
    func noteEnded() {
        if isDraining, isIdle { resumeDrain() }
    }

    private func resumeDrain() {
        let waiters = drainWaiters
        drainWaiters = []
        for waiter in waiters { waiter.resume() }
    }
}
