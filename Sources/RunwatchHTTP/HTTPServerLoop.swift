import CMicrohttpd
import Dispatch
import Glibc
import RunwatchCore
import RunwatchLinux
import Synchronization

/// Drives one libmicrohttpd daemon: its epoll set under one read source, all deadlines by one timer.
///
/// Sendable by this invariant: every `var` is touched on `queue` alone, once `start` has returned.
final class HTTPServerLoop: @unchecked Sendable {
    private enum State {
        case open
        /// Listening has ended and streams are ended; answers under way are waited for.
        case draining
        /// Connections are closed whatever they do; nothing is suspended any more.
        case stopping
        case closed
    }

    let queue: DispatchQueue
    let limits: HTTPServerLimits
    let handler: @Sendable (HTTPServerRequest) async -> HTTPServerReply
    let problem: @Sendable (HTTPServerRefusal) -> [UInt8]
    let time = SystemTime()
    private(set) var isUnix = false
    private var state = State.open
    private var daemon: OpaquePointer?
    private var daemonEpoll: Int32 = -1
    /// Holds the daemon's set, and every suspended connection: libmicrohttpd does not watch those.
    private var epoll: Int32 = -1
    private var source: (any DispatchSourceRead)?
    private var timer: (any DispatchSourceTimer)?
    private var isTimerSet = false
    /// What other threads have for the queue: taken over together, followed by one run.
    private let inbox = Mutex<[@Sendable () -> Void]>([])
    private var isRunDue = false
    private var admission: HTTPServerAdmission
    private var connections: [ObjectIdentifier: HTTPServerConnection] = [:]
    /// Bytes of bodies that are held for slow peers.
    var held = 0
    private var handlersRunning = 0
    /// Exchanges that wait for a handler to end, in the order of their requests.
    private var waiting: [HTTPServerExchange] = []
    private var firstWaiting = 0
    private let callbacks = UnsafeMutablePointer<runwatch_mhd_callbacks>.allocate(capacity: 1)
    private var exchanges: [ObjectIdentifier: HTTPServerExchange] = [:]
    /// Suspended connections by their sockets.
    private var suspended: [Int32: HTTPServerExchange] = [:]
    private var reported = [Int32](repeating: 0, count: 128)
    private var closers: [CheckedContinuation<Void, Never>] = []

    init(
        label: String, limits: HTTPServerLimits,
        problem: @escaping @Sendable (HTTPServerRefusal) -> [UInt8],
        handler: @escaping @Sendable (HTTPServerRequest) async -> HTTPServerReply
    ) {
        queue = DispatchQueue(label: label)
        self.limits = limits
        self.problem = problem
        self.handler = handler
        admission = HTTPServerAdmission(limits)
    }

    deinit {
        callbacks.deallocate()
    }

    /// Called once, before anyone else knows the loop.
    func start(descriptor: Int32) throws(HTTPServerError) {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let named = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length)
            }
        }
        guard named == 0 else { throw failure("getsockname", errno) }
        isUnix = address.ss_family == sa_family_t(AF_UNIX)
        epoll = runwatch_epoll_make()
        guard epoll >= 0 else { throw failure("epoll_create1", errno) }
        callbacks.initialize(
            to: runwatch_mhd_callbacks(
                context: Unmanaged.passUnretained(self).toOpaque(),
                connection: HTTPServerCallbacks.connection, handler: HTTPServerCallbacks.handle,
                begun: HTTPServerCallbacks.begin, completed: HTTPServerCallbacks.complete,
                unescape: HTTPServerCallbacks.leaveEscaped))
        daemon = runwatch_mhd_start(
            descriptor, UInt32(clamping: max(1, limits.connections)),
            max(4096, limits.memoryPerConnection), callbacks)
        guard let daemon else {
            let cause = errno
            Glibc.close(epoll)
            throw failure("libmicrohttpd", cause)
        }
        daemonEpoll = runwatch_mhd_epoll(daemon)
        guard runwatch_epoll_add_readable(epoll, daemonEpoll) == 0 else {
            let cause = errno
            MHD_stop_daemon(daemon)
            self.daemon = nil
            Glibc.close(epoll)
            throw failure("epoll_ctl", cause)
        }
        makeSources()
    }

    private func makeSources() {
        let source = DispatchSource.makeReadSource(fileDescriptor: epoll, queue: queue)
        source.setEventHandler { [weak self] in self?.becameReadable() }
        source.setCancelHandler { [epoll] in _ = Glibc.close(epoll) }
        let timer = DispatchSource.makeTimerSource(queue: queue)
        timer.setEventHandler { [weak self] in self?.lookAtDeadlines() }
        self.source = source
        self.timer = timer
        source.activate()
        timer.activate()
    }

    private func failure(_ call: String, _ cause: Int32) -> HTTPServerError {
        HTTPServerError("\(queue.label): \(SystemCallError(call: call, errno: cause))")
    }

    // MARK: Running

    private func becameReadable() {
        // On an error (EINTR) nothing is lost: the set stays readable.
        let count = runwatch_epoll_reported(epoll, &reported, Int32(reported.count))
        for socket in reported.prefix(max(0, Int(count))) where socket != daemonEpoll {
            suspended[socket]?.peerWentAway()
        }
        run()
    }

    /// Runs on the queue what another thread has for it.
    ///
    /// What comes while the queue is busy is taken over together: a thousand streams with one event cost
    /// one run of libmicrohttpd, which looks at every suspended connection.
    func perform(_ work: @escaping @Sendable () -> Void) {
        let isFirst = inbox.withLock { inbox in
            inbox.append(work)
            return inbox.count == 1
        }
        guard isFirst else { return }
        queue.async {
            let all = self.inbox.withLock { inbox in
                defer { inbox = [] }
                return inbox
            }
            for work in all { work() }
            self.run()
        }
    }

    /// Asks for a run once the present work on the queue is done; also from libmicrohttpd's callbacks.
    func needsRun() {
        guard !isRunDue else { return }
        isRunDue = true
        queue.async { if self.isRunDue { self.run() } }
    }

    /// Lets libmicrohttpd do what there is to do.
    ///
    /// Never called from one of its callbacks.
    func run() {
        dispatchPrecondition(condition: .onQueue(queue))
        guard let daemon else { return }
        isRunDue = false
        var wait: CUnsignedLongLong = 0
        // A call handles each connection that is ready once; the bound lets others onto the queue.
        for _ in 0..<64 {
            let connections = runwatch_mhd_connections(daemon)
            MHD_run(daemon)
            // Only at the start of a call does the library take up accepting again after its limit.
            if runwatch_mhd_connections(daemon) < connections { MHD_run(daemon) }
            // It has no timeouts of its own: what it wants at all, it wants at once.
            guard MHD_get_timeout(daemon, &wait) == runwatch_mhd_yes else { break }
            isRunDue = true
        }
        if isRunDue {
            isRunDue = false
            needsRun()
        }
        if state == .draining, !isAnswering { finishClosing() }
    }

    // MARK: Exchanges

    var mayAnswer: Bool { state == .open }
    var maySuspend: Bool { state != .stopping && state != .closed }

    private var isAnswering: Bool { exchanges.values.contains { $0.isAnswering } }

    func begun(_ exchange: HTTPServerExchange) {
        exchanges[ObjectIdentifier(exchange)] = exchange
        exchange.peerConnection.exchange = exchange
    }

    func ended(_ exchange: HTTPServerExchange) {
        exchanges[ObjectIdentifier(exchange)] = nil
    }

    // MARK: Handlers

    /// Runs the exchange's handler, at once or when it is its turn.
    func wantsHandler(_ exchange: HTTPServerExchange) {
        guard handlersRunning >= limits.handlers, !isExempt(exchange.peerConnection.peer) else {
            if exchange.runHandler() { handlersRunning += 1 }
            return
        }
        waiting.append(exchange)
    }

    func handlerEnded(of exchange: HTTPServerExchange) {
        handlersRunning -= 1
        while handlersRunning < limits.handlers, firstWaiting < waiting.count {
            if waiting[firstWaiting].runHandler() { handlersRunning += 1 }
            firstWaiting += 1
        }
        // Now and then, so that each costs no more than a constant.
        if firstWaiting > waiting.count / 2 {
            waiting.removeFirst(firstWaiting)
            firstWaiting = 0
        }
    }

    /// Whether so many more bytes may be held for that peer.
    func mayHold(_ count: Int, for peer: PeerCredentials?) -> Bool {
        held + count <= limits.held || isExempt(peer)
    }

    private func isExempt(_ peer: PeerCredentials?) -> Bool {
        guard let peer, let users = limits.users else { return false }
        return users.exempt.contains(peer.userID)
    }

    /// Watches a suspended connection for its end.
    ///
    /// - Parameter halfClosed: Whether a TCP peer that has finished sending counts as gone. On a Unix
    ///   socket the kernel tells the two apart, so there it never does.
    func watch(_ exchange: HTTPServerExchange, halfClosed: Bool) {
        let socket = exchange.socket
        suspended[socket] = exchange
        _ = runwatch_epoll_add_closing(epoll, socket, halfClosed && !isUnix ? 1 : 0)
    }

    func unwatch(_ exchange: HTTPServerExchange) {
        guard suspended.removeValue(forKey: exchange.socket) != nil else { return }
        runwatch_epoll_remove(epoll, exchange.socket)
    }

    // MARK: Connections

    func arrived(_ socket: Int32) -> HTTPServerConnection {
        let peer = isUnix ? HTTPServerConnection.credentials(of: socket) : nil
        let connection = HTTPServerConnection(
            socket: socket, peer: peer, verdict: admission.arrived(user: peer?.userID),
            at: time.now())
        connections[ObjectIdentifier(connection)] = connection
        if connection.verdict == .close { connection.end() }
        setTimer()
        return connection
    }

    func left(_ connection: HTTPServerConnection) {
        connections[ObjectIdentifier(connection)] = nil
        admission.left(user: connection.peer?.userID, connection.verdict)
    }

    /// Ends what is late; a deadline is noticed a quarter of the shortest limit late at the most.
    private func lookAtDeadlines() {
        isTimerSet = false
        let now = time.now()
        var hasEnded = false
        for connection in connections.values where connection.isOverdue(at: now, limits) {
            connection.end()
            hasEnded = true
        }
        if hasEnded { run() }
        setTimer()
    }

    /// Without connections nothing wakes the process.
    private func setTimer() {
        guard !isTimerSet, !connections.isEmpty, let timer else { return }
        isTimerSet = true
        let shortest = min(limits.requestTimeout, limits.stallTimeout)
        let interval = min(max(shortest / 4, .milliseconds(20)), .seconds(5))
        timer.schedule(
            deadline: .now() + .milliseconds(Int(interval.wholeMilliseconds)),
            leeway: .milliseconds(10))
    }

    var requestsUnderWay: Int {
        get async {
            await withCheckedContinuation { continuation in
                queue.async { continuation.resume(returning: self.exchanges.count) }
            }
        }
    }

    var figures: HTTPServerFigures {
        get async {
            await withCheckedContinuation { continuation in
                queue.async { continuation.resume(returning: self.figuresNow) }
            }
        }
    }

    private var figuresNow: HTTPServerFigures {
        var figures = HTTPServerFigures()
        figures.connections = connections.count
        figures.requests = exchanges.count
        figures.suspended = suspended.count
        figures.handlers = handlersRunning
        figures.waiting = waiting.count - firstWaiting
        figures.held = held
        figures.counted = admission.counted
        return figures
    }

    // MARK: Closing

    func close(within limit: Duration) async {
        await withCheckedContinuation { continuation in
            queue.async { self.beginClosing(within: limit, continuation) }
        }
    }

    /// Closes at once, without anyone who waits.
    func abandon() {
        queue.async { self.stopNow() }
    }

    private func beginClosing(within limit: Duration, _ closer: CheckedContinuation<Void, Never>) {
        guard state != .closed, let daemon else { return closer.resume() }
        closers.append(closer)
        guard state == .open else { return }
        state = .draining
        let listening = MHD_quiesce_daemon(daemon)
        if listening >= 0 { Glibc.close(listening) }
        for exchange in Array(exchanges.values) { exchange.endStream() }
        let nanoseconds = Int(clamping: max(0, limit.wholeNanoseconds))
        queue.asyncAfter(deadline: .now() + .nanoseconds(nanoseconds)) { self.stopNow() }
        run()
    }

    private func stopNow() {
        guard state == .open || state == .draining else { return }
        state = .stopping
        for exchange in Array(exchanges.values) { exchange.abort() }
        run()
        finishClosing()
    }

    private func finishClosing() {
        guard let daemon else { return }
        state = .stopping
        // libmicrohttpd may not be stopped while a connection is suspended.
        for exchange in Array(exchanges.values) { exchange.abort() }
        MHD_run(daemon)
        self.daemon = nil
        MHD_stop_daemon(daemon)
        state = .closed
        connections = [:]
        waiting = []
        firstWaiting = 0
        source?.cancel()
        timer?.cancel()
        source = nil
        timer = nil
        for closer in closers { closer.resume() }
        closers = []
    }
}
