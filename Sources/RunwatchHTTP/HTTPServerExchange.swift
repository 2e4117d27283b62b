import CMicrohttpd
import Dispatch
import Glibc
import RunwatchLinux

/// One request and what becomes of it.
///
/// Sendable by the loop's invariant: all of it is touched on the loop's queue alone.
final class HTTPServerExchange: @unchecked Sendable {
    private enum Phase {
        /// The request line is read.
        case begun
        /// The headers are read; the body is coming.
        case receiving
        /// The handler runs, and the connection is suspended.
        case handling
        /// The answer is libmicrohttpd's.
        case replied
        case ended
    }

    let peerConnection: HTTPServerConnection
    private unowned let loop: HTTPServerLoop
    private let connection: OpaquePointer
    private var phase = Phase.begun
    private let target: String
    private var request: HTTPServerRequest
    /// Why the body is read and dropped, and how much was.
    private var refusal: HTTPServerRefusal?
    private var dropped = 0
    /// Bytes of bodies that are held for this exchange.
    private var held = 0
    private var isSuspended = false
    private var isGone = false
    private var task: Task<Void, Never>?
    private var reply: HTTPServerReply?
    private var body: (any HTTPServerBody)?

    init(
        loop: HTTPServerLoop, connection: OpaquePointer, of peerConnection: HTTPServerConnection,
        target: String
    ) {
        self.loop = loop
        self.connection = connection
        self.peerConnection = peerConnection
        self.target = target
        let (path, query) = HTTPServerTarget.split(target)
        request = HTTPServerRequest(
            method: "", rawPath: path, query: query, peer: peerConnection.peer)
        request.brokenParameter = HTTPServerTarget.brokenParameter(target)
    }

    var socket: Int32 { peerConnection.socket }

    /// Whether the whole request has come and its answer has not left.
    var isAnswering: Bool { phase == .handling || phase == .replied }

    // MARK: Called by libmicrohttpd

    func handle(
        method: UnsafePointer<CChar>, version: UnsafePointer<CChar>, data: UnsafeRawBufferPointer,
        size: UnsafeMutablePointer<Int>
    ) -> MHD_Result {
        switch phase {
        case .begun:
            phase = .receiving
            return readHead(method, version)
        case .receiving where size.pointee > 0:
            size.pointee = 0
            return received(data)
        case .receiving:
            return startHandling()
        case .handling:
            return queueReply()
        case .replied, .ended:
            return runwatch_mhd_yes
        }
    }

    /// Gives the next part of the body.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard !isGone, let body else { return HTTPServerExchange.endWithError }
        switch body.read(into: buffer) {
        case .bytes(let count):
            // Whatever waited before has been taken.
            peerConnection.owes(.take, since: loop.time.now())
            return count
        case .end: return HTTPServerExchange.endOfBody
        case .abort: return HTTPServerExchange.endWithError
        case .wait:
            // Without suspension libmicrohttpd would ask again and again.
            guard suspend(halfClosed: true) else { return HTTPServerExchange.endWithError }
            return 0
        }
    }

    func end() {
        phase = .ended
        loop.unwatch(self)
        task?.cancel()
        body?.cancel()
        body = nil
        // It may still stand among those that wait for a handler.
        request.body = []
        reply = nil
        loop.held -= held
        peerConnection.exchange = nil
        peerConnection.owes(.send, since: loop.time.now())
        loop.ended(self)
    }

    private static let endOfBody = -1
    private static let endWithError = -2

    // MARK: Called by the loop

    /// The peer of a suspended connection has closed it.
    func peerWentAway() {
        guard isSuspended else { return }
        isGone = true
        task?.cancel()
        // A handler that still runs keeps the connection, so that their number stays bounded.
        if task == nil { resume() }
    }

    /// Ends a stream as if it had ended by itself; anything else goes on.
    func endStream() {
        if case .hang? = reply { return abort() }
        body?.finish()
        if body != nil { resume() }
    }

    /// Ends whatever it is; the loop runs libmicrohttpd afterwards.
    func abort() {
        isGone = true
        task?.cancel()
        resume()
    }

    /// Tells a peer that is too slow with its request; the loop closes the connection then.
    func tellTimeout() {
        guard phase == .begun || phase == .receiving else { return }
        sendRaw(.late)
    }

    /// Runs the handler, when it is this exchange's turn.
    ///
    /// - Returns: Whether a handler was begun: none is for a peer that has gone meanwhile.
    func runHandler() -> Bool {
        guard phase == .handling, !isGone else { return false }
        let whole = request
        request.body = []
        task = Task { [loop, handler = loop.handler] in
            let reply = await handler(whole)
            loop.perform { self.answered(reply) }
        }
        return true
    }

    // MARK: The request

    private func readHead(
        _ method: UnsafePointer<CChar>, _ version: UnsafePointer<CChar>
    ) -> MHD_Result {
        request.method = String(cString: method)
        withUnsafeMutablePointer(to: &request.headers) { headers in
            _ = MHD_get_connection_values(
                connection, runwatch_mhd_headers,
                { context, _, name, value in
                    guard let context, let name else { return runwatch_mhd_yes }
                    // White space after a value is no part of it (RFC 9112, section 5).
                    let text = value.map { String(cString: $0) } ?? ""
                    let end = text.lastIndex { $0 != " " && $0 != "\t" }
                    context.assumingMemoryBound(to: [(name: String, value: String)].self).pointee
                        .append((String(cString: name), end.map { String(text[...$0]) } ?? ""))
                    return runwatch_mhd_yes
                }, headers)
        }
        if peerConnection.verdict == .refuse { return refuse(.tooManyConnections) }
        if let refusal = headRefusal { return refuse(refusal) }
        let fault = HTTPServerHeadCheck.fault(
            in: request, target: target, version: String(cString: version))
        if let fault { return refuse(fault) }
        guard let length = request.header("content-length").flatMap({ Int($0) }) else {
            return runwatch_mhd_yes
        }
        // What is moderately too large is read first: a client that is still sending when the
        // connection closes would see a reset instead of the answer.
        if length > loop.limits.body, length > mostDropped || request.header("expect") != nil {
            return refuse(.tooLarge(limit: loop.limits.body))
        }
        return runwatch_mhd_yes
    }

    /// The library's own bound is that of the connection's memory.
    private var headRefusal: HTTPServerRefusal? {
        let limit = loop.limits.head
        guard target.utf8.count <= limit else { return .targetTooLong(limit: limit) }
        let size = request.headers.reduce(request.method.utf8.count + target.utf8.count) {
            $0 + $1.name.utf8.count + $1.value.utf8.count + 4
        }
        return size > limit ? .headTooLarge(limit: limit) : nil
    }

    private var mostDropped: Int {
        loop.limits.body.multipliedReportingOverflow(by: 8).partialValue
    }

    private func received(_ data: UnsafeRawBufferPointer) -> MHD_Result {
        if refusal == nil, request.body.count + data.count > loop.limits.body {
            refusal = .tooLarge(limit: loop.limits.body)
        } else if refusal == nil, !hold(data.count) {
            refusal = .tooMuchHeld
        }
        guard let refusal else {
            request.body.append(contentsOf: data)
            return runwatch_mhd_yes
        }
        request.body = []
        dropped += data.count
        guard dropped > mostDropped else { return runwatch_mhd_yes }
        // In the middle of a body the library takes no answer.
        sendRaw(refusal)
        return runwatch_mhd_no
    }

    /// Counts bytes as held until the exchange ends; `false` when there are too many.
    private func hold(_ count: Int) -> Bool {
        guard loop.mayHold(count, for: peerConnection.peer) else { return false }
        held += count
        loop.held += count
        return true
    }

    // MARK: The answer

    private func startHandling() -> MHD_Result {
        if let refusal { return refuse(refusal) }
        guard loop.mayAnswer else { return refuse(.stopping) }
        guard suspend(halfClosed: false) else { return runwatch_mhd_no }
        phase = .handling
        loop.wantsHandler(self)
        return runwatch_mhd_yes
    }

    private func answered(_ reply: HTTPServerReply) {
        task = nil
        loop.handlerEnded(of: self)
        guard phase == .handling else { return }
        self.reply = reply
        if case .hang = reply, !isGone, loop.mayAnswer {
            loop.watch(self, halfClosed: true)
            return
        }
        resume()
    }

    /// Hands the reply over; called by libmicrohttpd after the connection was resumed.
    private func queueReply() -> MHD_Result {
        guard !isGone, let reply else { return runwatch_mhd_no }
        self.reply = nil
        switch reply {
        case .response(let response):
            switch response.body {
            case .bytes(let bytes):
                return hold(bytes.count) ? queue(response, bytes) : refuse(.tooMuchHeld)
            case .stream(let stream):
                return queue(
                    response, HTTPServerStreamBody(stream, loop: loop, exchange: self), length: nil)
            }
        case .cut(let response, let count): return queue(response, upTo: count, then: .abort)
        case .stall(let response, let count): return queue(response, upTo: count, then: .wait)
        case .raw(let bytes):
            _ = bytes.withUnsafeBytes {
                send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            return runwatch_mhd_no
        case .reset:
            SocketReset.reset(socket)
            return runwatch_mhd_no
        case .close, .hang: return runwatch_mhd_no
        }
    }

    private func refuse(_ refusal: HTTPServerRefusal) -> MHD_Result {
        var headers = [("content-type", "application/problem+json"), ("connection", "close")]
        if let seconds = refusal.retryAfter { headers.append(("retry-after", "\(seconds)")) }
        return queue(
            HTTPServerResponse(status: refusal.status, headers: headers, body: .bytes([])),
            loop.problem(refusal))
    }

    /// Answers past the library, as far as the socket takes it; the connection has to be closed then.
    private func sendRaw(_ refusal: HTTPServerRefusal) {
        let body = loop.problem(refusal)
        let head =
            "HTTP/1.1 \(refusal.status) \(refusal.phrase)\r\nconnection: close\r\n"
            + "content-type: application/problem+json\r\ncontent-length: \(body.count)\r\n\r\n"
        let bytes = Array(head.utf8) + body
        _ = bytes.withUnsafeBytes {
            send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
    }

    private func queue(_ answer: HTTPServerResponse, _ bytes: [UInt8]) -> MHD_Result {
        // libmicrohttpd promises not to write to what it copies.
        let response = bytes.withUnsafeBytes {
            MHD_create_response_from_buffer(
                $0.count, UnsafeMutableRawPointer(mutating: $0.baseAddress), runwatch_mhd_copy)
        }
        return queue(answer, response)
    }

    private func queue(
        _ answer: HTTPServerResponse, upTo count: Int, then end: HTTPServerBodyPart
    ) -> MHD_Result {
        guard case .bytes(let bytes) = answer.body else { return runwatch_mhd_no }
        return queue(
            answer, HTTPServerPartialBody(bytes, count: count, end: end), length: bytes.count)
    }

    private func queue(
        _ answer: HTTPServerResponse, _ body: any HTTPServerBody, length: Int?
    ) -> MHD_Result {
        self.body = body
        if !loop.mayAnswer { body.finish() }
        // A stream's end may be its connection's only; so the connection serves nothing else.
        var answer = answer
        answer.headers.append(("connection", "close"))
        let response = MHD_create_response_from_callback(
            length.map { UInt64($0) } ?? UInt64.max, 16 << 10, HTTPServerCallbacks.fill,
            Unmanaged.passRetained(self).toOpaque(), HTTPServerCallbacks.release)
        if response == nil { Unmanaged.passUnretained(self).release() }
        return queue(answer, response)
    }

    private func queue(_ answer: HTTPServerResponse, _ response: OpaquePointer?) -> MHD_Result {
        guard let response else { return runwatch_mhd_no }
        defer { MHD_destroy_response(response) }
        for (name, value) in answer.headers {
            // What cannot be a header (a line break in it) is left out; the length is the library's.
            _ = MHD_add_response_header(response, name, value)
        }
        phase = .replied
        peerConnection.owes(.take, since: loop.time.now())
        let status = (200...599).contains(answer.status) ? answer.status : 500
        return MHD_queue_response(connection, UInt32(status), response)
    }

    // MARK: Suspension

    private func suspend(halfClosed: Bool) -> Bool {
        guard loop.maySuspend else { return false }
        isSuspended = true
        peerConnection.owes(.wait, since: loop.time.now())
        MHD_suspend_connection(connection)
        loop.watch(self, halfClosed: halfClosed)
        return true
    }

    /// Lets libmicrohttpd go on with the connection at its next run.
    func resume() {
        guard isSuspended else { return }
        isSuspended = false
        loop.unwatch(self)
        MHD_resume_connection(connection)
        loop.needsRun()
    }
}
