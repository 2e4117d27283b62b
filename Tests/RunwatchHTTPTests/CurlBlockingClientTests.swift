import RunwatchCore
import RunwatchHTTP
import RunwatchLinux
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct CurlBlockingClientTests {
    let client = HTTPBlockingClient()

    @Test func `a whole answer is returned`() throws {
        let server = ScriptedTCPServer(
            .request, .send(answer("{}", status: "404 No", headers: "Content-Type: a/b\r\n")))
        let response = try client.perform(HTTPRequest(method: .get, url: server.url))
        #expect(response.status == 404)
        #expect(response.contentType == "a/b")
        #expect(response.body == Array("{}".utf8))
    }

    @Test func `failures are thrown`() {
        let server = ScriptedTCPServer(.request, .hold)
        #expect(throws: HTTPFailure.self) {
            try client.perform(
                HTTPRequest(method: .get, url: server.url, timeout: .milliseconds(50)))
        }
    }

    @Test func `a stream hands on its pieces as they come`() throws {
        let server = ScriptedTCPServer(
            .request, .send("HTTP/1.1 100 Continue\r\n\r\n"),
            .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
            .send("4\r\none \r\n"), .pause(.milliseconds(30)), .send("4\r\ntwo \r\n0\r\n\r\n"))
        var statuses: [Int] = []
        var text = ""
        var pieces = 0
        try client.stream(
            HTTPRequest(method: .get, url: server.url), idleTimeout: .seconds(20),
            onResponse: {
                statuses.append($0)
                return true
            },
            onChunk: {
                pieces += 1
                text += String(decoding: $0, as: UTF8.self)
                return true
            })
        #expect(statuses == [200])
        #expect(text == "one two ")
        #expect(pieces >= 1)
        #expect(server.requests.first?.lowercased().contains("accept-encoding") == false)
    }

    @Test func `a stream outlasts the request's timeout and its size`() throws {
        let server = ScriptedTCPServer(
            .request, .send("HTTP/1.1 200 OK\r\n\r\n"), .pause(.milliseconds(300)),
            .sendBytes([UInt8](repeating: 65, count: 1 << 20)))
        var count = 0
        try client.stream(
            HTTPRequest(
                method: .get, url: server.url, timeout: .milliseconds(200), maximumAnswer: 10),
            idleTimeout: nil, onResponse: { _ in true },
            onChunk: {
                count += $0.count
                return true
            })
        #expect(count == 1 << 20)
    }

    @Test func `either callback stops the stream without an error`() throws {
        let server = ScriptedTCPServer(
            .request, .send("HTTP/1.1 200 OK\r\n\r\n"), .forever([.send("tick\n")]))
        let request = HTTPRequest(method: .get, url: server.url)
        try client.stream(
            request, idleTimeout: nil, onResponse: { _ in false },
            onChunk: { _ in
                Issue.record("a piece after the stop")
                return true
            })
        var pieces = 0
        try client.stream(
            request, idleTimeout: nil, onResponse: { _ in true },
            onChunk: { _ in
                pieces += 1
                return pieces < 3
            })
        #expect(pieces == 3)
    }

    @Test func `a deadline ends a silent stream without an error`() throws {
        let server = ScriptedTCPServer(.request, .send("HTTP/1.1 200 OK\r\n\r\n"), .hold)
        let deadline = SystemTime().now().advanced(by: .milliseconds(150))
        var status = 0
        try client.stream(
            HTTPRequest(method: .get, url: server.url), idleTimeout: nil, deadline: deadline,
            onResponse: {
                status = $0
                return true
            },
            onChunk: { _ in true })
        #expect(SystemTime().now() >= deadline)
        // On a busy machine the answer itself may be later than the deadline.
        #expect(status == 200 || status == 0)
    }

    @Test(arguments: ["", "HTTP/1.1 200 OK\r\n\r\n"])
    func `silence is a timeout, before the answer and in it`(_ start: String) {
        let server = ScriptedTCPServer(.request, .send(start), .hold)
        let failure = #expect(throws: HTTPFailure.self) {
            try client.stream(
                HTTPRequest(method: .get, url: server.url, timeout: .milliseconds(300)),
                idleTimeout: .milliseconds(100), onResponse: { _ in true },
                onChunk: { _ in true })
        }
        #expect(failure?.code == .timeout)
    }

    @Test func `a stream that breaks off is told from one that ends`() {
        let server = ScriptedTCPServer(
            .request, .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"))
        var text = ""
        let failure = #expect(throws: HTTPFailure.self) {
            try client.stream(
                HTTPRequest(method: .get, url: server.url), idleTimeout: nil,
                onResponse: { _ in true },
                onChunk: {
                    text += String(decoding: $0, as: UTF8.self)
                    return true
                })
        }
        #expect(failure?.code == .interrupted)
        #expect(text == "ab")
    }
}
