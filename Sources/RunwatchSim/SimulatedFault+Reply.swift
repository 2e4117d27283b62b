import RunwatchCore
import RunwatchHTTP

extension SimulatedFault {
    /// What becomes of a good answer: the wait before it, and the reply.
    func spoil(
        _ answer: SimulatedAnswer, of service: SimulatedService, wallClock: Timestamp
    ) -> (wait: Duration, reply: HTTPServerReply) {
        let good = HTTPServerResponse(
            status: answer.status, headers: answer.headers, body: .bytes(answer.body))
        switch kind {
        case .status, .goingAway: return (.zero, .response(failure(service, wallClock)))
        case .reset: return (.zero, .reset)
        case .close: return (.zero, .close)
        case .hang: return (.zero, .hang)
        case .cut: return (.zero, .cut(good, after: bytes))
        case .stall: return (.zero, .stall(good, after: bytes))
        case .garbage: return (.zero, .raw(Array("220 mail.example.com ESMTP\r\n".utf8)))
        case .badJSON: return (.zero, .response(replacing(good, Array(answer.body.dropLast(2)))))
        case .badInnerJSON, .wrongTypes, .wrongInnerTypes:
            return (.zero, .response(replacing(good, wrongBody(service, answer))))
        case .huge, .endless:
            let count = kind == .huge ? bytes : Int.max
            return (.zero, .response(replacing(good, SimulatedFault.padding(count))))
        case .slow: return (wait, .response(good))
        case .drip: return (.zero, .response(replacing(good, dripping(answer.body))))
        }
    }

    private func replacing(_ response: HTTPServerResponse, _ body: [UInt8]) -> HTTPServerResponse {
        HTTPServerResponse(status: response.status, headers: response.headers, body: .bytes(body))
    }

    private func replacing(
        _ response: HTTPServerResponse, _ body: AsyncStream<[UInt8]>
    ) -> HTTPServerResponse {
        HTTPServerResponse(status: response.status, headers: response.headers, body: .stream(body))
    }

    private func failure(_ service: SimulatedService, _ wallClock: Timestamp) -> HTTPServerResponse
    {
        let message = kind == .goingAway ? text : "simulated failure \(status)"
        var type = "application/json"
        let bytes: [UInt8]
        switch body {
        case .own where service == .kinetica:
            bytes = SimulatedKinetica.wrapper(isError: true, message, "none", "")
        case .own:
            bytes = SimulatedFault.object([
                ("request_id", "00000000-0000-4000-9000-000000000000"),
                ("message", "FAILURE: \(message)"),
            ])
        case .gateway: bytes = SimulatedFault.object([("message", message)])
        case .html:
            type = "text/html"
            bytes = Array("<html><body><h1>\(status)</h1>\(message)</body></html>\n".utf8)
        case .empty:
            type = ""
            bytes = []
        }
        var headers: [(name: String, value: String)] = type.isEmpty ? [] : [("content-type", type)]
        switch retryAfter {
        case .seconds(let seconds): headers.append(("retry-after", String(seconds)))
        case .date(let wait):
            headers.append(
                ("retry-after", SimulatedText.httpDate(wallClock.advanced(by: wait))))
        case nil: break
        }
        return HTTPServerResponse(status: status, headers: headers, body: .bytes(bytes))
    }

    private static func object(_ members: [(String, String)]) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        for (name, value) in members { writer.member(name, value) }
        writer.endObject()
        return writer.bytes
    }

    private func wrongBody(_ service: SimulatedService, _ answer: SimulatedAnswer) -> [UInt8] {
        let run = answer.run ?? "1"
        switch (service, kind) {
        case (.kinetica, .badInnerJSON):
            return SimulatedKinetica.wrapper(
                isError: false, "", "show_proc_status_response",
                #"{"overall_statuses": {"\#(run)": "comp"#)
        case (.kinetica, .wrongInnerTypes):
            return SimulatedKinetica.wrapper(
                isError: false, "", "show_proc_status_response",
                #"{"overall_statuses": {"\#(run)": 7}, "statuses": [], "timings": "none"}"#)
        case (.kinetica, _):
            return Array(#"{"status":true,"message":7,"data_type":null,"data_str":{}}"#.utf8)
        case (.krixik, .badInnerJSON):
            return Array(#"{"request_id":"x","process_status":{"module_1":tru}}"#.utf8)
        case (.krixik, _):
            return Array(
                (#"{"request_id":1,"file_id":[],"message":{},"process_status":"done","#
                    + #""failure_status":7}"#).utf8)
        }
    }

    /// A JSON string of that many bytes, made as it is sent.
    static func padding(_ count: Int) -> AsyncStream<[UInt8]> {
        let sent = Counter()
        return AsyncStream {
            let rest = count - sent.value
            guard rest > 0 else { return nil }
            var chunk = [UInt8](repeating: UInt8(ascii: "x"), count: min(64 << 10, rest))
            if sent.value == 0 { chunk[0] = UInt8(ascii: "\"") }
            if rest == chunk.count { chunk[chunk.count - 1] = UInt8(ascii: "\"") }
            sent.value += chunk.count
            return chunk
        }
    }

    private func dripping(_ body: [UInt8]) -> AsyncStream<[UInt8]> {
        let sent = Counter()
        let wait = wait
        return AsyncStream {
            guard sent.value < body.count else { return nil }
            // When the peer has gone away, the stream ends at the next byte.
            try? await Task.sleep(for: wait)
            guard !Task.isCancelled else { return nil }
            sent.value += 1
            return [body[sent.value - 1]]
        }
    }

    /// How much of a stream has been made.
    ///
    /// Sendable since a stream's closure is never called by two tasks: the server has one per stream.
    private final class Counter: @unchecked Sendable {
        var value = 0
    }
}
