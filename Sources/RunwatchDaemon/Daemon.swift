import Dispatch
import Glibc
package import Logging
import RunwatchConfig
import RunwatchControl
package import RunwatchCore
import RunwatchDelivery
import RunwatchHTTP
import RunwatchLinux
import RunwatchPolling
import RunwatchStore

/// What the daemon is started with.
package struct DaemonOptions: Sendable {
    /// The main file of the configuration.
    package var configuration: String
    package var paths: DaemonPaths
    package var environment: [String: String]

    package init(configuration: String, paths: DaemonPaths, environment: [String: String]) {
        self.configuration = configuration
        self.paths = paths
        self.environment = environment
    }
}

/// The daemon as one value: it wires the parts, reloads them, drains and stops them.
package actor Daemon {
    /// Time for what is in flight when the daemon stops.
    static let drainLimit = Duration.seconds(10)
    /// Polls and deliveries that stand still for longer are not fed to the watchdog.
    static let patience = Duration.seconds(30)
    /// Free memory is given back this often; it takes a few milliseconds.
    static let memoryInterval = Duration.seconds(60)

    let executor = QueueExecutor(label: "runwatch.daemon")
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    let options: DaemonOptions
    let time: any TimeSource
    let logger: Logger
    let logSink: DaemonLogHandler.Sink
    let manager: ServiceManager
    let hub = EventHub()
    let eventMeter = EventMeter()
    let controlMeter = ControlMeter()
    let groupCache = GroupCache()
    let startedAt: Timestamp

    var parts: Parts?
    /// Confined to this actor, other than `parts`, which others are asked through.
    var listener: TCPListener?
    let keeper: ConfigurationKeeper
    let notice: ConfigurationNotice
    var reloading: Task<ReloadView, Never>?
    /// A reload that has not begun to read: whoever asks meanwhile is served by it.
    var nextReload: Task<ReloadView, Never>?
    /// What stands still, as the log was last told.
    var standstillsTold: [String] = []
    var databaseTroubleTold: String?
    var isManagerUnreachable = false
    var memoryGivenBackAt: Instant
    var retention: Duration?
    var stopping: CheckedContinuation<Void, Never>?
    var isStopRequested = false
    /// The configuration is loaded, the database open, and polling has begun.
    var isReady = false
    var signals: SignalSources?
    var heartbeat: (any DispatchSourceTimer)?
    var pruning: Task<Void, Never>?

    /// What runs once the configuration has been read.
    struct Parts {
        var store: Store
        var reader: StoreReader
        var lists: StoreReader
        var poller: Poller
        var deliverer: Deliverer
        var control: ControlServer
        var server: HTTPServer
    }

    package init(
        options: DaemonOptions, logger: Logger, logSink: DaemonLogHandler.Sink,
        time: any TimeSource = SystemTime()
    ) {
        self.options = options
        self.time = time
        self.logger = logger
        self.logSink = logSink
        manager = ServiceManager()
        startedAt = time.wallClock()
        memoryGivenBackAt = time.now()
        keeper = ConfigurationKeeper(
            file: options.configuration, environment: options.environment)
        notice = ConfigurationNotice(keeper.view())
    }

    /// Runs until a signal asks it to stop; gives the exit code.
    package func run() async -> DaemonExit {
        ProcessMemory.prepare()
        let descriptors = DescriptorLimit.raise()
        listenToSignals()
        let result = keeper.load()
        // Before the first word, so that every line of the log has the same form.
        if let result { logSink.apply(result.log) }
        tell(keeper.diagnostics)
        guard let configuration = result else {
            logger.error(
                "the configuration has errors; mend them and start again",
                metadata: ["file": "\(options.configuration)"])
            return .configuration
        }
        do {
            try await start(configuration, descriptors)
        } catch {
            logger.error("\(error.message)")
            return error.exit
        }
        keeper.accept(configuration, at: time.wallClock())
        isReady = true
        notice.post(keeper.view(), httpListen: httpListen)
        watchFiles()
        beatHeart()
        if !isStopRequested {
            tellManager { (manager) throws(SystemCallError) in try manager.ready() }
        }
        var fields: Logger.Metadata = [
            "version": "\(RunwatchVersion.text)", "socket": "\(options.paths.socket)",
            "services": "\(keeper.counts.services)", "watches": "\(keeper.counts.watches)",
        ]
        if let httpListen { fields["http"] = "\(httpListen)" }
        logger.notice("ready", metadata: fields)
        await waitForStop()
        await stop()
        return .success
    }

    // MARK: Start

    struct StartError: Error {
        var message: String
        var exit: DaemonExit
    }

    private func start(
        _ configuration: Configuration, _ descriptors: Int
    ) async throws(StartError) {
        options.paths.makeFolders()
        let (store, reader, lists) = try openStore()
        let seed = UInt64.random(in: .min ... .max)
        let poller = Poller(store: store, time: time, logger: logger, seed: seed) {
            CurlTransport(queue: $0, options: $1)
        }
        let deliverer = Deliverer(store: store, time: time, logger: logger, seed: seed &+ 1) {
            CurlTransport(queue: $0, options: $1)
        }
        let hub = hub
        let eventMeter = eventMeter
        await store.onCommit { committed in
            eventMeter.add(committed.events)
            hub.publish(committed.events) {
                StreamEvent(number: $0.number, type: $0.type, subject: $0.subject, json: $0.json)
            }
            if !committed.receivers.isEmpty { deliverer.wake(committed.receivers) }
        }
        let logger = logger
        await store.onFatal { error in
            // Nobody knows whether the last commit happened. The next start reads it back.
            logger.critical("stopping at once: \(error)")
            _exit(DaemonExit.inputOutput.rawValue)
        }
        await store.onNotice { logger.error("the database: \($0)") }
        await store.onPrune { pruned in Task { await poller.forget(pruned) } }
        let descriptor = try listen(configuration.control)
        let backend = DaemonBackend(
            daemon: self, poller: poller, reader: reader, lists: lists, deliverer: deliverer,
            store: store, hub: hub)
        let control = ControlServer(
            backend: backend, rights: rights(configuration.control), meter: controlMeter)
        // From here on it tells that the daemon is starting.
        let listener = TCPListener(control)
        self.listener = listener
        do throws(TCPListener.Failure) {
            await listener.commit(try await listener.prepare(configuration.http.listen))
        } catch {
            throw StartError(message: error.message, exit: .unavailable)
        }
        await deliverer.apply(configuration.receivers)
        do throws(StoreError) {
            let down = try await reader.servicesToldDown(
                among: configuration.services.map(\.name))
            try await poller.apply(configuration, downServices: down)
        } catch {
            throw StartError(message: error.message, exit: .unavailable)
        }
        let server: HTTPServer
        do {
            server = try HTTPServer(
                descriptor: descriptor, label: "runwatch.control",
                limits: Daemon.controlLimits(descriptors: descriptors),
                problem: ControlServer.document(for:)
            ) { await control.respond(to: $0) }
        } catch {
            throw StartError(
                message: "the control server does not start: \(error)", exit: .unavailable)
        }
        parts = Parts(
            store: store, reader: reader, lists: lists, poller: poller, deliverer: deliverer,
            control: control, server: server)
        retention = configuration.retention
        await poller.start()
    }

    private func openStore() throws(StartError) -> (Store, StoreReader, StoreReader) {
        do {
            let path = options.paths.database
            let store = try Store(at: .file(path), time: time)
            if let notice = store.openingNotice { logger.critical("\(notice)") }
            return (store, try StoreReader(path: path), try StoreReader(path: path))
        } catch {
            throw StartError(
                message: error.message,
                exit: error.code == .locked ? .temporary : .unavailable)
        }
    }

    private func listen(_ settings: ControlSettings) throws(StartError) -> Int32 {
        let group = settings.group.flatMap { SystemGroups.groupID(named: $0) }
        if let name = settings.group, group == nil {
            logger.warning(
                "there is no such group; the control socket stays the daemon's own",
                metadata: ["control.group": "\(name)"])
        }
        do {
            return try ListeningSocket.unix(path: options.paths.socket, mode: 0o660, group: group)
        } catch {
            var message = "the control socket: \(error)"
            if error.errno == EPERM, let name = settings.group {
                message += "; start the daemon with that group as its own (Group=\(name))"
            }
            throw StartError(message: message, exit: .unavailable)
        }
    }

    /// Tells systemd, where there is one.
    func tellManager(_ message: (ServiceManager) throws(SystemCallError) -> Void) {
        do {
            try message(manager)
            isManagerUnreachable = false
        } catch {
            if !isManagerUnreachable {
                logger.warning("systemd could not be told", metadata: ["error": "\(error)"])
            }
            isManagerUnreachable = true
        }
    }

    // MARK: Stop

    private func listenToSignals() {
        SignalSources.ignoreFatalWrites()
        signals = SignalSources(queue: executor.queue) { [weak self] signal in
            self?.assumeIsolated { $0.received(signal) }
        }
    }

    private func received(_ signal: SignalSources.Signal) {
        if signal == .hangup {
            Task { _ = await self.reload("SIGHUP") }
            return
        }
        guard !isStopRequested else {
            // Asked twice: nothing is lost by stopping at once, and someone is in a hurry.
            _exit(128 + (signal == .terminate ? SIGTERM : SIGINT))
        }
        logger.notice("stopping", metadata: ["signal": "\(signal)"])
        isStopRequested = true
        tellManager { (manager) throws(SystemCallError) in try manager.stopping() }
        stopping?.resume()
        stopping = nil
    }

    private func waitForStop() async {
        guard !isStopRequested else { return }
        await withCheckedContinuation { stopping = $0 }
    }

    private func stop() async {
        heartbeat?.cancel()
        pruning?.cancel()
        keeper.stopWatching()
        _ = await reloading?.value
        guard let parts else { return }
        hub.finish()
        let limit = time.now().advanced(by: Daemon.drainLimit)
        async let polls: Void = parts.poller.drain(limit: Daemon.drainLimit)
        async let deliveries: Void = parts.deliverer.drain(until: limit)
        _ = await (polls, deliveries)
        await parts.server.close()
        await listener?.close()
        unlink(options.paths.socket)
        await parts.reader.close()
        await parts.lists.close()
        await parts.store.close()
        logger.notice("stopped")
    }
}
