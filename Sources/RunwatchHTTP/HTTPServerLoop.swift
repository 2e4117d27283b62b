import CMicrohttpd
import Dispatch
import Glibc
import RunwatchCore
import RunwatchLinux

/// Drives one libmicrohttpd daemon: its epoll set under one read source, its timeouts by one timer.
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
    private(set) var isUnix = false
    private var state = State.open
    private var daemon: OpaquePointer?
    private var daemonEpoll: Int32 = -1
    /// Holds the daemon's set, and every suspended connection: libmicrohttpd does not watch those.
    private var epoll: Int32 = -1
    private var source: (any DispatchSourceRead)?
    private var timer: (any DispatchSourceTimer)?
    /// What the timer is set to; `distantFuture` when it is not.
    private var armedFor = DispatchTime.distantFuture
    private var exchanges: [ObjectIdentifier: HTTPServerExchange] = [:]
    /// Suspended connections by their sockets.
    private var suspended: [Int32: HTTPServerExchange] = [:]
    private var reported = [Int32](repeating: 0, count: 128)
    private var closers: [CheckedContinuation<Void, Never>] = []

    init(
        label: String, limits: HTTPServerLimits,
        handler: @escaping @Sendable (HTTPServerRequest) async -> HTTPServerReply
    ) {
        queue = DispatchQueue(label: label)
        self.limits = limits
        self.handler = handler
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
        daemon = runwatch_mhd_start(
            descriptor, UInt32(clamping: max(1, limits.connections)),
            max(4096, limits.memoryPerConnection), wholeSeconds(limits.idleTimeout),
            HTTPServerCallbacks.handle, HTTPServerCallbacks.begin, HTTPServerCallbacks.complete,
            HTTPServerCallbacks.leaveEscaped, Unmanaged.passUnretained(self).toOpaque())
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
        timer.setEventHandler { [weak self] in
            self?.armedFor = .distantFuture
            self?.run()
        }
        self.source = source
        self.timer = timer
        source.activate()
        timer.activate()
    }

    private func failure(_ call: String, _ cause: Int32) -> HTTPServerError {
        HTTPServerError("\(queue.label): \(SystemCallError(call: call, errno: cause))")
    }

    private func wholeSeconds(_ duration: Duration) -> UInt32 {
        let (seconds, attoseconds) = duration.components
        return UInt32(clamping: max(0, attoseconds > 0 ? seconds + 1 : seconds))
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

    /// Lets libmicrohttpd do what there is to do, and arms the timer for what comes next.
    ///
    /// Never called from one of its callbacks.
    func run() {
        dispatchPrecondition(condition: .onQueue(queue))
        guard let daemon else { return }
        var wait: CUnsignedLongLong = 0
        var hasTimeout = false
        // A call handles a bounded number of connections; the bound here lets others onto the queue.
        for _ in 0..<64 {
            let connections = runwatch_mhd_connections(daemon)
            MHD_run(daemon)
            // Only at the start of a call does the library take up accepting again after its limit.
            if runwatch_mhd_connections(daemon) < connections { MHD_run(daemon) }
            hasTimeout = MHD_get_timeout(daemon, &wait) == runwatch_mhd_yes
            guard hasTimeout, wait == 0 else { break }
        }
        if hasTimeout, wait == 0 {
            queue.async { self.run() }
        } else if hasTimeout {
            arm(milliseconds: Int(clamping: min(wait, 86_400_000)))
        }
        if state == .draining, !isAnswering { finishClosing() }
    }

    /// Idle connections end a little late, so that one wake-up can end many.
    private func arm(milliseconds: Int) {
        let deadline = DispatchTime.now() + .milliseconds(milliseconds)
        guard deadline < armedFor else { return }
        armedFor = deadline
        timer?.schedule(deadline: deadline, leeway: .milliseconds(100))
    }

    // MARK: Exchanges

    var mayAnswer: Bool { state == .open }
    var maySuspend: Bool { state != .stopping && state != .closed }

    private var isAnswering: Bool { exchanges.values.contains { $0.isAnswering } }

    func begun(_ exchange: HTTPServerExchange) {
        exchanges[ObjectIdentifier(exchange)] = exchange
    }

    func ended(_ exchange: HTTPServerExchange) {
        exchanges[ObjectIdentifier(exchange)] = nil
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

    var requestsUnderWay: Int {
        get async {
            await withCheckedContinuation { continuation in
                queue.async { continuation.resume(returning: self.exchanges.count) }
            }
        }
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
        source?.cancel()
        timer?.cancel()
        source = nil
        timer = nil
        for closer in closers { closer.resume() }
        closers = []
    }
}
