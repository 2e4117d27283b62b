import CCurl
package import Dispatch
import RunwatchCore
import RunwatchLinux

/// The transport over libcurl: any number of requests, a bounded number of them under way.
///
/// Bound to the serial queue it is given: everything is called there, and completions run there. Requests
/// beyond `maximumConnections` wait in order; their time begins when they are started. It lives until
/// `close`.
package final class CurlTransport: HTTPTransport {
    /// What the transport has done so far.
    package struct Counters: Hashable, Sendable {
        /// Sockets opened, and still open.
        package var openedSockets = 0
        package var openSockets = 0
        /// Easy handles made.
        package var handles = 0
        /// Requests sent a second time since their kept connection was dead.
        package var retries = 0
        /// Requests whose timeout libcurl forgot.
        package var overdue = 0
    }

    private struct Waiting {
        var request: HTTPRequest
        var options: HTTPConnectionOptions
        var completion: (Result<HTTPResponse, HTTPFailure>) -> Void
    }

    /// Rounds of work in one turn; then others of the queue come first.
    private static let roundsOfTurn = 16

    private let queue: DispatchQueue
    private let options: HTTPConnectionOptions
    private let maximumConnections: Int
    private var multi: CurlMulti?
    /// First in, first out; those before `firstWaiting` are gone.
    private var waiting: [Waiting?] = []
    private var firstWaiting = 0
    private var exchanges: [CurlExchange] = []
    private var idle: [CurlExchange] = []
    /// Whether a connection may be kept that was made without a look at its address.
    private var keepsUnguarded = false
    private var isTurnComing = false
    private var isClosed = false
    private var retries = 0
    private var overdue = 0
    /// Completions of requests that `close` ended, still to be told.
    private var cancelled: [(Result<HTTPResponse, HTTPFailure>) -> Void] = []

    /// - Parameters:
    ///   - options: For requests that are sent without options of their own.
    ///   - maximumConnections: Requests under way at once, and connections kept; at least 1.
    package init(
        queue: DispatchQueue, options: HTTPConnectionOptions = HTTPConnectionOptions(),
        maximumConnections: Int = 64
    ) {
        self.queue = queue
        self.options = options
        self.maximumConnections = max(1, maximumConnections)
    }

    package func send(
        _ request: HTTPRequest, completion: @escaping (Result<HTTPResponse, HTTPFailure>) -> Void
    ) {
        send(request, options: options, completion: completion)
    }

    /// Starts a request to a peer of the given kind.
    package func send(
        _ request: HTTPRequest, options: HTTPConnectionOptions,
        completion: @escaping (Result<HTTPResponse, HTTPFailure>) -> Void
    ) {
        waiting.append(Waiting(request: request, options: options, completion: completion))
        comeBack()
    }

    package func close() {
        guard !isClosed else { return }
        isClosed = true
        let active = exchanges.filter { $0.completion != nil }
        multi?.close(active)
        multi = nil
        for exchange in active {
            guard let completion = exchange.completion else { continue }
            exchange.completion = nil
            // Before those that wait still, as they were sent; `turn` tells them all.
            cancelled.append(completion)
        }
        exchanges = []
        idle = []
        comeBack()
    }

    package var counters: Counters {
        Counters(
            openedSockets: multi?.sockets.openedCount ?? 0,
            openSockets: multi?.sockets.openCount ?? 0, handles: exchanges.count, retries: retries,
            overdue: overdue)
    }

    // MARK: - Turns

    /// Sees to it that a turn follows the present job of the queue; one for many calls.
    private func comeBack() {
        guard !isTurnComing else { return }
        isTurnComing = true
        // Safe, though the transport is not Sendable: the block runs on the queue it is bound to.
        nonisolated(unsafe) let transport = self
        queue.async {
            transport.isTurnComing = false
            transport.turn()
        }
    }

    /// Starts what waits and tells what ended, until there is nothing to do at once.
    private func turn() {
        for _ in 0..<CurlTransport.roundsOfTurn {
            guard !isClosed else { return tellCancelled() }
            startWaiting()
            multi?.runExpired()
            tellEnds()
            tellOverdue()
            let canStart = firstWaiting < waiting.count && hasRoom
            guard canStart || multi?.isExpired ?? false else { return }
        }
        comeBack()
    }

    private var hasRoom: Bool { !idle.isEmpty || exchanges.count < maximumConnections }

    private func startWaiting() {
        while firstWaiting < waiting.count, hasRoom, !isClosed {
            guard let next = takeWaiting() else { continue }
            do throws(HTTPFailure) {
                try start(next)
            } catch {
                next.completion(.failure(error))
            }
        }
    }

    private func start(_ next: Waiting) throws(HTTPFailure) {
        let multi = try readyMulti()
        let exchange = try idleExchange(multi)
        do throws(HTTPFailure) {
            // libcurl tells connections apart by much, but not by who looked at their address.
            let isGuarded = next.options.refusesPrivate
            try exchange.prepare(
                next.request, options: next.options, isFresh: isGuarded && keepsUnguarded)
            if !isGuarded { keepsUnguarded = true }
            guard multi.start(exchange) else {
                throw HTTPFailure(.connect, "libcurl cannot start the request")
            }
        } catch {
            idle.append(exchange)
            throw error
        }
        exchange.completion = next.completion
    }

    private func takeWaiting() -> Waiting? {
        let next = waiting[firstWaiting]
        waiting[firstWaiting] = nil
        firstWaiting += 1
        if firstWaiting == waiting.count {
            waiting.removeAll(keepingCapacity: waiting.count <= 1024)
            firstWaiting = 0
        } else if firstWaiting >= 1024, firstWaiting * 2 >= waiting.count {
            waiting.removeFirst(firstWaiting)
            firstWaiting = 0
        }
        return next
    }

    private func readyMulti() throws(HTTPFailure) -> CurlMulti {
        if let multi { return multi }
        let made = try CurlMulti(
            queue: queue, maximumConnections: maximumConnections, onProgress: { self.turn() })
        multi = made
        return made
    }

    private func idleExchange(_ multi: CurlMulti) throws(HTTPFailure) -> CurlExchange {
        // The one used last: most likely for the same service, with the same headers.
        if let exchange = idle.popLast() { return exchange }
        let exchange = try CurlExchange(sockets: multi.sockets)
        exchanges.append(exchange)
        return exchange
    }

    private func tellEnds() {
        while !isClosed, let (exchange, code) = multi?.nextEnd() {
            if exchange.preparesRetry(after: code), multi?.start(exchange) ?? false {
                retries += 1
                continue
            }
            tellEnd(exchange, code)
        }
    }

    private func tellEnd(_ exchange: CurlExchange, _ code: CURLcode) {
        let result = exchange.finish(code)
        let completion = exchange.completion
        exchange.completion = nil
        idle.append(exchange)
        completion?(result)
    }

    /// Ends what libcurl should have ended.
    private func tellOverdue() {
        guard !isClosed, multi?.takeSweep() ?? false else { return }
        let now = DispatchTime.now().uptimeNanoseconds
        for exchange in exchanges where exchange.completion != nil {
            // A completion may have closed the transport.
            guard let multi, !isClosed else { return }
            guard CurlMulti.overdueTime(of: exchange) <= now else {
                multi.watchDeadline(of: exchange)
                continue
            }
            multi.stop(exchange)
            overdue += 1
            tellEnd(exchange, CURLE_OPERATION_TIMEDOUT)
        }
    }

    private func tellCancelled() {
        let failure = HTTPFailure(.cancelled, "the request was cancelled")
        let completions = cancelled + waiting[firstWaiting...].compactMap { $0?.completion }
        cancelled = []
        waiting = []
        firstWaiting = 0
        for completion in completions { completion(.failure(failure)) }
    }
}
