/// Serves HTTP/1.1 on a listening socket with libmicrohttpd, driven by one Dispatch queue of its own.
///
/// Handlers run beside the queue, one task a request; a connection rests while its handler runs and costs
/// nothing then. When the peer goes away meanwhile, the handler's task is cancelled, and the connection
/// ends with the handler. On TCP a peer that has only finished sending still gets its answer; a *stream*
/// ends with it, since TCP does not tell the two apart.
package final class HTTPServer: Sendable {
    private let loop: HTTPServerLoop

    /// Starts to serve.
    ///
    /// - Parameters:
    ///   - descriptor: A listening stream socket, non-blocking. From here on it is the server's, also when
    ///     this throws.
    ///   - label: Names the queue.
    ///   - problem: The document for a request that the server refuses by itself.
    ///   - handler: Answers one request; many run at once. It should end soon after it is cancelled.
    /// - Throws: `HTTPServerError` when the process is short of descriptors or memory.
    package convenience init(
        descriptor: Int32, label: String, limits: HTTPServerLimits = HTTPServerLimits(),
        problem: @escaping @Sendable (HTTPServerRefusal) -> [UInt8] = HTTPServerRefusal.plain,
        handler: @escaping @Sendable (HTTPServerRequest) async -> HTTPServerResponse
    ) throws(HTTPServerError) {
        try self.init(
            descriptor: descriptor, label: label, limits: limits, problem: problem,
            replying: { .response(await handler($0)) })
    }

    /// Starts to serve with a handler that may misbehave on purpose; for simulated services.
    package init(
        descriptor: Int32, label: String, limits: HTTPServerLimits = HTTPServerLimits(),
        problem: @escaping @Sendable (HTTPServerRefusal) -> [UInt8] = HTTPServerRefusal.plain,
        replying handler: @escaping @Sendable (HTTPServerRequest) async -> HTTPServerReply
    ) throws(HTTPServerError) {
        loop = HTTPServerLoop(
            label: label, limits: limits, problem: problem, handler: handler)
        try loop.start(descriptor: descriptor)
    }

    deinit {
        loop.abandon()
    }

    /// Stops listening, ends the streams, and waits for the requests under way.
    ///
    /// Requests that are still under way after `limit` are cancelled and their connections closed. May
    /// be called more than once, but not from a handler: it would wait for itself.
    package func close(within limit: Duration = .seconds(5)) async {
        await loop.close(within: limit)
    }

    /// Requests that have begun and not ended, streams included.
    package var requestsUnderWay: Int {
        get async { await loop.requestsUnderWay }
    }

    package var figures: HTTPServerFigures {
        get async { await loop.figures }
    }
}
