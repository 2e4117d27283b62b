import CCurl
package import RunwatchCore
import RunwatchLinux

/// Sends one request and waits for the answer: for programs that have nothing else to do.
///
/// Never for the daemon: the calls hold the thread. Each call has a connection of its own.
package struct HTTPBlockingClient: Sendable {
    package var options: HTTPConnectionOptions

    package init(options: HTTPConnectionOptions = HTTPConnectionOptions()) {
        self.options = options
    }

    /// The whole answer, within the request's timeout.
    package func perform(_ request: HTTPRequest) throws(HTTPFailure) -> HTTPResponse {
        let exchange = try CurlExchange()
        try exchange.prepare(request, options: options)
        return try exchange.finish(curl_easy_perform(exchange.easy)).get()
    }

    /// Hands on an answer piece by piece, as it comes, until it ends; such as Server-Sent Events.
    ///
    /// The request's timeout bounds the wait for the answer's headers only, and `maximumAnswer` nothing.
    /// - Parameters:
    ///   - idleTimeout: The longest silence once the answer has begun; `nil` for no limit.
    ///   - deadline: When to stop, without an error, whatever has come.
    ///   - wake: A descriptor that ends a wait when it can be read, which is for `onIdle` to do; -1 for none.
    ///   - onResponse: Called once with the status, before any piece; false stops without an error.
    ///   - onChunk: Called with each piece, which is never empty; false stops without an error.
    ///   - onIdle: Called before each wait for more; gives when to be called again at the latest, or `nil`
    ///     to stop without an error.
    package func stream(
        _ request: HTTPRequest, idleTimeout: Duration?, deadline: Instant? = nil, wake: Int32 = -1,
        onResponse: (Int) -> Bool, onChunk: ([UInt8]) -> Bool,
        onIdle: () -> Instant? = { .distantFuture }
    ) throws(HTTPFailure) {
        let exchange = try CurlExchange()
        try exchange.prepare(request, options: options, isStream: true)
        guard let multi = curl_multi_init() else {
            throw HTTPFailure(.connect, "libcurl cannot be set up: out of memory")
        }
        defer { curl_multi_cleanup(multi) }
        guard curl_multi_add_handle(multi, exchange.easy) == CURLM_OK else {
            throw HTTPFailure(.connect, "libcurl cannot start the request")
        }
        defer { curl_multi_remove_handle(multi, exchange.easy) }

        let time = SystemTime()
        var hasBegun = false
        var limit = time.now().advanced(by: request.timeout)
        while true {
            var running: Int32 = 0
            curl_multi_perform(multi, &running)
            // What came counts before how it ended.
            if exchange.answer.isHeaderComplete, !hasBegun {
                hasBegun = true
                limit = silenceLimit(idleTimeout)
                guard onResponse(exchange.status) else { return }
            }
            let chunk = exchange.answer.takeBody()
            if !chunk.isEmpty {
                limit = silenceLimit(idleTimeout)
                guard onChunk(chunk) else { return }
            }
            if running == 0 { return try end(multi, exchange) }
            guard let wanted = onIdle() else { return }
            let now = time.now()
            if let deadline, now >= deadline { return }
            guard now < limit else {
                throw HTTPFailure(
                    .timeout, hasBegun ? "nothing came for too long" : "no answer came in time")
            }
            let end = min(limit, deadline ?? limit, wanted)
            // Rounded up: a wait of nothing would turn the loop's last millisecond into a spin.
            let wait = max(0, min(now.duration(to: end).wholeMilliseconds, 3_600_000)) + 1
            var extra = curl_waitfd(fd: wake, events: Int16(CURL_WAIT_POLLIN), revents: 0)
            curl_multi_poll(multi, &extra, wake >= 0 ? 1 : 0, Int32(wait), nil)
        }
    }

    private func end(
        _ multi: UnsafeMutableRawPointer, _ exchange: CurlExchange
    ) throws(HTTPFailure) {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE else { continue }
            let code = message.pointee.data.result
            guard code == CURLE_OK else { throw exchange.failure(code) }
        }
    }

    /// When silence that begins now has lasted too long.
    private func silenceLimit(_ idleTimeout: Duration?) -> Instant {
        idleTimeout.map { SystemTime().now().advanced(by: $0) } ?? .distantFuture
    }
}
