import RunwatchCore
import RunwatchHTTP
import TestSupport
import Testing

/// What is known of an answer whose body failed, and answers that are cut on purpose.
@Suite(.timeLimit(.minutes(2))) struct CurlHalfAnswerTests {
    let fixture = CurlTransportFixture()

    private struct Body: Sendable, CustomTestStringConvertible {
        var text: String
        var code: HTTPFailure.Code
        var isHeld = false
        var testDescription: String { code.rawValue }
    }

    @Test(arguments: [
        Body(text: "Content-Length: 9\r\n\r\nabc", code: .interrupted),
        Body(text: "Content-Length: 9\r\n\r\nabc", code: .timeout, isHeld: true),
        Body(text: "Content-Length: 9\r\n\r\n", code: .timeout, isHeld: true),
        Body(text: "Content-Length: 9999\r\n\r\n", code: .tooLarge, isHeld: true),
        Body(text: "Transfer-Encoding: chunked\r\n\r\n5\r\nab", code: .interrupted),
        Body(text: "Transfer-Encoding: chunked\r\n\r\nzz\r\nab", code: .malformed),
        Body(text: "Content-Encoding: gzip\r\n\r\nhello", code: .malformed),
        Body(text: "Transfer-Encoding: chunked\r\n\r\n0\r\nno trailer\r\n", code: .malformed),
        Body(text: "\r\n" + String(repeating: "a", count: 1000), code: .tooLarge, isHeld: true),
    ])
    private func `a failed body leaves the status`(_ body: Body) async {
        let start = "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 410 Gone\r\n"
        let server = ScriptedTCPServer { _ in
            [.request, .send(start + body.text)] + (body.isHeld ? [.hold] : [])
        }
        let failure = await fixture.get(
            server.url, timeout: body.code == .timeout ? .seconds(1) : .seconds(20),
            maximumAnswer: 100
        ).failure
        #expect(failure?.code == body.code)
        #expect(failure?.status == 410)
    }

    @Test(arguments: [
        "", "HTTP/1.1 410 Gone\r\n", "HTTP/1.1 410 Gone\r\nContent-Le",
        "HTTP/1.1 410 Gone\r\nContent-Length: 1\r\n",
        "HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 410 Gone\r\n",
    ])
    func `half a header block leaves none`(_ start: String) async {
        let ended = ScriptedTCPServer(.request, .send(start))
        let failure = await fixture.get(ended.url).failure
        #expect(failure?.code == .interrupted)
        #expect(failure?.status == nil)
        let silent = ScriptedTCPServer(.request, .send(start), .hold)
        let timeout = await fixture.get(silent.url, timeout: .milliseconds(150)).failure
        #expect(timeout?.code == .timeout)
        #expect(timeout?.status == nil)
    }

    @Test func `headers that are too large leave none, and trailers the answer's`() async {
        let line = "X: " + String(repeating: "a", count: 1000) + "\r\n"
        let headers = ScriptedTCPServer(
            .request, .send("HTTP/1.1 410 Gone\r\n"), .forever([.send(line)]))
        let failure = await fixture.get(headers.url).failure
        #expect(failure?.code == .tooLarge)
        #expect(failure?.status == nil)
        let trailers = ScriptedTCPServer(
            .request, .send("HTTP/1.1 410 Gone\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"),
            .forever([.send("HTTP/1.1: 103 Early\r\n"), .send(line)]))
        let late = await fixture.get(trailers.url).failure
        #expect(late?.code == .tooLarge)
        #expect(late?.status == 410)
    }

    @Test func `one answer's status is not told of the next`() async {
        let server = ScriptedTCPServer(.request, .send("HTTP/1.1 410 Gone\r\n\r\n"), .reset)
        _ = await fixture.get(server.url)
        server.stop()
        let failure = await fixture.get(server.url).failure
        #expect(failure?.code == .connect)
        #expect(failure?.status == nil)
    }

    @Test func `the blocking client tells the status too`() {
        let server = ScriptedTCPServer(
            .request, .send("HTTP/1.1 410 Gone\r\nContent-Length: 9\r\n\r\nabc"))
        let failure = #expect(throws: HTTPFailure.self) {
            try HTTPBlockingClient().perform(HTTPRequest(method: .get, url: server.url))
        }
        #expect(failure?.status == 410)
    }

    // MARK: - Cut on purpose

    private static let digits = "0123456789"

    @Test(arguments: [
        "Content-Length: 1000000000\r\n\r\n\(digits)A", "Content-Length: 11\r\n\r\n\(digits)A",
        "Transfer-Encoding: chunked\r\n\r\nb\r\n\(digits)A\r\n",
        "Transfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n6\r\n456789\r\n1\r\nA\r\n",
        "\r\n\(digits)" + String(repeating: "A", count: 100_000),
    ])
    func `a large answer is cut at the limit`(_ text: String) async throws {
        let server = ScriptedTCPServer(
            .request, .send("HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Type: a/b\r\n" + text),
            .hold)
        let response = try await fixture.send(first(10, of: server.url)).get()
        #expect(response.status == 503)
        #expect(response.retryAfter == .after(.seconds(7)))
        #expect(response.contentType == "a/b")
        #expect(String(decoding: response.body, as: UTF8.self) == Self.digits)
        // The rest is not read: the connection is gone.
        #expect(await fixture.counters.openSockets == 0)
    }

    @Test func `an answer that fits is whole, and its connection is kept`() async {
        let server = ScriptedTCPServer(.forever([.request, .send(answer(Self.digits))]))
        for _ in 0..<3 {
            #expect(await fixture.send(first(10, of: server.url)).body == Self.digits)
        }
        #expect(server.connectionCount == 1)
    }

    @Test func `of an answer to be cut to nothing the status is left`() async throws {
        let server = ScriptedTCPServer(.request, .send(answer(Self.digits, status: "410 Gone")))
        let response = try await fixture.send(first(0, of: server.url)).get()
        #expect(response.status == 410)
        #expect(response.body.isEmpty)
    }

    @Test func `a compressed answer is unpacked no further than the limit`() async throws {
        let head =
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(bomb.count)\r\n\r\n"
        let server = ScriptedTCPServer(.request, .send(head), .sendBytes(bomb), .hold)
        let response = try await fixture.send(first(1000, of: server.url)).get()
        #expect(response.body == [UInt8](repeating: 0, count: 1000))
        #expect(response.body.capacity < 1 << 18)
    }

    @Test func `an answer that breaks off before the limit is not whole`() async {
        let server = ScriptedTCPServer(
            .request, .send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc"))
        let failure = await fixture.send(first(10, of: server.url)).failure
        #expect(failure?.code == .interrupted)
        #expect(failure?.status == 200)
    }

    @Test func `one request's wish to cut is not the next one's`() async {
        let server = ScriptedTCPServer { _ in [.request, .send(answer(Self.digits))] }
        #expect(await fixture.send(first(4, of: server.url)).body == "0123")
        #expect(await fixture.get(server.url, maximumAnswer: 4).failure?.code == .tooLarge)
        #expect(await fixture.send(first(4, of: server.url)).body == "0123")
    }

    private func first(_ count: Int, of url: String) -> HTTPRequest {
        HTTPRequest(method: .get, url: url, maximumAnswer: count, cutsLargeAnswer: true)
    }
}
