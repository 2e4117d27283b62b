import CCurl
import Dispatch
import RunwatchLinux

/// libcurl's multi handle on a Dispatch queue: one read source over one epoll set, and one timer.
///
/// It knows of transfers that start and end, not of requests. Confined to its queue; holds itself by its
/// sources until `close`.
final class CurlMulti {
    let sockets: CurlSocketSet
    private let handle: UnsafeMutableRawPointer
    private let readable: any DispatchSourceRead
    private let timer: any DispatchSourceTimer
    /// Called after events or time went by, when ends of transfers may wait in `nextEnd`.
    private var onProgress: (() -> Void)?
    /// When libcurl wants to be called, in nanoseconds of `DispatchTime`; `nil` when it need not be.
    private var wantedTime: UInt64?
    /// When the Dispatch timer fires; never later than `wantedTime`.
    private var armedTime: UInt64?
    /// Whether the Dispatch timer has fired since `takeSweep` was asked.
    private var isSweepDue = false
    /// libcurl wants to be called at once.
    private(set) var isExpired = false
    private var isClosed = false

    init(
        queue: DispatchQueue, maximumConnections: Int, onProgress: @escaping () -> Void
    ) throws(HTTPFailure) {
        guard CurlLibrary.isReady, let handle = curl_multi_init() else {
            throw HTTPFailure(.connect, "libcurl cannot be set up: out of memory")
        }
        do {
            sockets = try CurlSocketSet()
        } catch {
            curl_multi_cleanup(handle)
            throw HTTPFailure(.connect, "no connection can be watched: \(error)")
        }
        self.handle = handle
        self.onProgress = onProgress
        readable = DispatchSource.makeReadSource(fileDescriptor: sockets.descriptor, queue: queue)
        timer = DispatchSource.makeTimerSource(queue: queue)
        let me = Unmanaged.passUnretained(self).toOpaque()
        runwatch_multi_set_socket_function(handle, watchSocket, me)
        runwatch_multi_set_timer_function(handle, setTimer, me)
        runwatch_multi_set_long(handle, CURLMOPT_MAXCONNECTS, maximumConnections)
        runwatch_multi_set_long(handle, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX))
        readable.setEventHandler { self.socketsReady() }
        readable.setCancelHandler { [sockets] in sockets.closeSet() }
        timer.setEventHandler { self.timerFired() }
        readable.activate()
        timer.activate()
    }

    /// Starts a transfer, or starts it again.
    func start(_ exchange: CurlExchange) -> Bool {
        guard curl_multi_add_handle(handle, exchange.easy) == CURLM_OK else { return false }
        watchDeadline(of: exchange)
        return true
    }

    /// Takes a transfer out before its end.
    func stop(_ exchange: CurlExchange) {
        curl_multi_remove_handle(handle, exchange.easy)
    }

    /// Sees to it that `takeSweep` becomes true once the transfer is overdue.
    ///
    /// libcurl before 8.4 can forget a transfer's timeout: when the transfer has something else to do within the
    /// millisecond before it, both are struck off as done (curl pull request 11937). Such a transfer would wait
    /// for ever, so each has a second deadline here. It costs next to nothing: the timer is nearly always
    /// set for an earlier time already.
    func watchDeadline(of exchange: CurlExchange) {
        arm(CurlMulti.overdueTime(of: exchange))
    }

    /// Whether it is time to look for overdue transfers; false when asked again.
    ///
    /// Who looks calls `watchDeadline` for those that are not.
    func takeSweep() -> Bool {
        defer { isSweepDue = false }
        return isSweepDue
    }

    /// When libcurl must have ended the transfer by itself.
    static func overdueTime(of exchange: CurlExchange) -> UInt64 {
        exchange.deadline + 500_000_000
    }

    /// The next transfer that has ended, taken out; `nil` when there is none.
    func nextEnd() -> (exchange: CurlExchange, code: CURLcode)? {
        guard !isClosed else { return nil }
        var left: Int32 = 0
        while let message = curl_multi_info_read(handle, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else {
                continue
            }
            // The message is gone with the next call.
            let code = message.pointee.data.result
            curl_multi_remove_handle(handle, easy)
            var context: UnsafeMutableRawPointer?
            runwatch_easy_get_private(easy, &context)
            guard let context else { continue }
            return (Unmanaged<CurlExchange>.fromOpaque(context).takeUnretainedValue(), code)
        }
        return nil
    }

    /// Does what libcurl wants done at once; more of that may follow.
    func runExpired() {
        guard isExpired, !isClosed else { return }
        isExpired = false
        timeOut()
    }

    /// Ends every transfer without a word and closes every connection.
    func close(_ exchanges: [CurlExchange]) {
        guard !isClosed else { return }
        for exchange in exchanges { curl_multi_remove_handle(handle, exchange.easy) }
        isClosed = true
        // Closes the connections, by way of `sockets`.
        curl_multi_cleanup(handle)
        onProgress = nil
        timer.cancel()
        readable.cancel()
    }

    // MARK: - Sockets and time

    private func socketsReady() {
        guard !isClosed else { return }
        sockets.drain { socket, bits in
            var running: Int32 = 0
            curl_multi_socket_action(handle, socket, bits, &running)
        }
        onProgress?()
    }

    fileprivate func watch(_ socket: Int32, _ what: Int32) {
        guard !isClosed else { return }
        sockets.want(what, of: socket)
    }

    /// libcurl's wish for its next call; negative when it has none.
    fileprivate func want(afterMilliseconds milliseconds: Int) {
        guard !isClosed else { return }
        isExpired = milliseconds == 0
        guard milliseconds > 0 else {
            wantedTime = nil
            return
        }
        let time = DispatchTime.now().uptimeNanoseconds &+ UInt64(milliseconds) &* 1_000_000
        wantedTime = time
        arm(time)
    }

    /// Sets the Dispatch timer, unless it fires early enough as it is: most wishes are timeouts of
    /// requests that end in time, each later than the one before.
    private func arm(_ time: UInt64) {
        if let armedTime, armedTime <= time { return }
        armedTime = time
        timer.schedule(
            deadline: DispatchTime(uptimeNanoseconds: time), leeway: .milliseconds(1))
    }

    private func timerFired() {
        guard !isClosed else { return }
        armedTime = nil
        isSweepDue = true
        if let wantedTime {
            if wantedTime <= DispatchTime.now().uptimeNanoseconds {
                self.wantedTime = nil
                timeOut()
            } else {
                arm(wantedTime)
            }
        }
        onProgress?()
    }

    private func timeOut() {
        var running: Int32 = 0
        curl_multi_socket_action(handle, CURL_SOCKET_TIMEOUT, 0, &running)
        // libcurl tells of a new time only when it differs from the one it told of last. Called a
        // moment too early it has nothing to say, so it is asked.
        guard wantedTime == nil, !isExpired else { return }
        var milliseconds = -1
        curl_multi_timeout(handle, &milliseconds)
        if milliseconds >= 0 { want(afterMilliseconds: milliseconds) }
    }
}

private let watchSocket: curl_socket_callback = { _, socket, what, context, _ in
    guard let context else { return 0 }
    Unmanaged<CurlMulti>.fromOpaque(context).takeUnretainedValue().watch(socket, what)
    return 0
}

private let setTimer: curl_multi_timer_callback = { _, milliseconds, context in
    guard let context else { return 0 }
    Unmanaged<CurlMulti>.fromOpaque(context).takeUnretainedValue()
        .want(afterMilliseconds: milliseconds)
    return 0
}
