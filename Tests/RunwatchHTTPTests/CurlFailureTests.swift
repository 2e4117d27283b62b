import Glibc
import RunwatchCore
import RunwatchHTTP
import TestSupport
import Testing

/// What becomes of answers that are late, broken, too large or none at all.
@Suite(.timeLimit(.minutes(2))) struct CurlFailureTests {
    let fixture = CurlTransportFixture()

    @Test func `a refused connection is a failure to connect`() async {
        let server = ScriptedTCPServer(.hold)
        let url = server.url
        server.stop()
        #expect(
            await fixture.burst(100) { _ in HTTPRequest(method: .get, url: url) }
                .allSatisfy { $0.failure?.code == .connect })
        #expect(await fixture.counters.openSockets == 0)
    }

    @Test func `a name that does not resolve is told from a refused connection`() async {
        #expect(await fixture.get("http://runs.invalid/").failure?.code == .name)
    }

    @Test(arguments: ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"])
    func `silence at any point is a timeout`(_ start: String) async {
        let server = ScriptedTCPServer(.request, .send(start), .hold)
        let outcome = await fixture.get(server.url, timeout: .milliseconds(150))
        #expect(outcome.failure?.code == .timeout)
    }

    @Test func `a slow drip meets the total timeout`() async {
        let server = ScriptedTCPServer(
            .request, .send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"),
            .forever([.send("x"), .pause(.milliseconds(10))]))
        let outcome = await fixture.get(server.url, timeout: .milliseconds(300))
        #expect(outcome.failure?.code == .timeout)
    }

    @Test func `many timeouts at different times all come`() async {
        let server = ScriptedTCPServer(.request, .hold)
        let url = server.url
        // The later ones first, so that the wanted time moves earlier and later.
        let outcomes = await fixture.burst(100) { index in
            HTTPRequest(
                method: .get, url: url, timeout: .milliseconds(20 + (index * 37) % 300))
        }
        #expect(outcomes.count == 100)
        #expect(outcomes.allSatisfy { $0.failure?.code == .timeout })
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        "",
    ])
    func `a connection that ends before the answer interrupts it`(_ start: String) async {
        let server = ScriptedTCPServer(.request, .send(start))
        #expect(await fixture.get(server.url).failure?.code == .interrupted)
    }

    @Test func `a reset at any byte of the answer is an interruption`() async {
        let whole = answer("0123456789", headers: "Content-Type: text/plain\r\n")
        let bytes = Array(whole.utf8)
        let server = ScriptedTCPServer { number in
            // The pause lets what was sent arrive: a reset throws away what was not read yet.
            [.request, .sendBytes(Array(bytes[..<number])), .pause(.milliseconds(2)), .reset]
        }
        let url = server.url
        for count in 0..<bytes.count {
            let code = await fixture.get(url).failure?.code
            #expect(code == .interrupted, "after \(count) bytes")
        }
        #expect(server.connectionCount == bytes.count)
        #expect(await fixture.counters.openSockets == 0)
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH_9.2\r\n", "\0\0\0\0\0\0\0\0\0\0", "200 OK\r\n\r\n", "{\"a\": 1}\n\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Encoding: gzip\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
    ])
    func `what is not HTTP is malformed`(_ text: String) async {
        let server = ScriptedTCPServer(.request, .send(text))
        let failure = await fixture.get(server.url).failure
        #expect(failure?.code == .malformed, "\(String(describing: failure))")
    }

    @Test(arguments: 0..<40)
    func `noise neither stops the program nor the transport`(_ seed: UInt64) async {
        var random = SeededGenerator(seed: seed)
        let start = seed % 2 == 0 ? "HTTP/1.1 200 OK\r\n" : ""
        let noise = (0..<Int.random(in: 1...4000, using: &random)).map { _ in
            UInt8.random(in: 0...255, using: &random)
        }
        let server = ScriptedTCPServer { number in
            number == 0
                ? [.request, .sendBytes(Array(start.utf8) + noise)]
                : [.request, .send(answer("ok"))]
        }
        _ = await fixture.get(server.url)
        #expect(await fixture.get(server.url).body == "ok")
    }

    @Test(arguments: [(1 << 20, 1), (1000, 1000), (1, 200_000)])
    func `headers of a megabyte are too large`(_ length: Int, _ count: Int) async {
        let line = "X: " + String(repeating: "a", count: length) + "\r\n"
        let headers = String(repeating: line, count: count)
        let server = ScriptedTCPServer(.request, .send(answer("ok", headers: headers)))
        let failure = await fixture.get(server.url).failure
        #expect(failure?.code == .tooLarge, "\(failure?.message ?? "an answer")")
    }

    @Test func `endless interim answers are too large`() async {
        let server = ScriptedTCPServer(
            .request, .forever([.send("HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n")]))
        #expect(await fixture.get(server.url).failure?.code == .tooLarge)
    }

    @Test func `endless trailers are too large`() async {
        let server = ScriptedTCPServer(
            .request, .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"),
            .forever([.send("X-Trailer: a\r\n")]))
        #expect(await fixture.get(server.url).failure?.code == .tooLarge)
    }

    @Test func `a body of the limit is taken and one byte more is not`() async {
        let fitting = ScriptedTCPServer(.request, .send(answer("0123456789")))
        #expect(await fixture.get(fitting.url, maximumAnswer: 10).body == "0123456789")
        let announced = ScriptedTCPServer(.request, .send(answer("0123456789A")), .hold)
        #expect(
            await fixture.get(announced.url, maximumAnswer: 10).failure?.code == .tooLarge)
        let chunked = ScriptedTCPServer(
            .request,
            .send(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n0123456789A\r\n0\r\n\r\n"
            ))
        let failure = await fixture.get(chunked.url, maximumAnswer: 10).failure
        #expect(failure?.code == .tooLarge)
        #expect(failure?.message == "the answer's body is larger than 10 bytes")
    }

    @Test func `an endless body is cut off at the limit`() async {
        let server = ScriptedTCPServer(
            .request, .send("HTTP/1.1 200 OK\r\n\r\n"),
            .forever([.sendBytes([UInt8](repeating: 65, count: 65536))]))
        #expect(
            await fixture.get(server.url, maximumAnswer: 1 << 20).failure?.code == .tooLarge)
    }

    @Test func `a compressed body is measured as it is read`() async {
        let head =
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(bomb.count)\r\n\r\n"
        let server = ScriptedTCPServer(
            .forever([.request, .send(head), .sendBytes(bomb)]))
        let whole = await fixture.get(server.url)
        #expect((try? whole.get())?.body == [UInt8](repeating: 0, count: 1 << 20))
        #expect(
            await fixture.get(server.url, maximumAnswer: (1 << 20) - 1).failure?.code == .tooLarge)
    }

    @Test func `a huge announced length reserves nothing`() async {
        let server = ScriptedTCPServer(
            .request, .send("HTTP/1.1 200 OK\r\nContent-Length: 9000000000000000000\r\n\r\nabc"))
        #expect(
            await fixture.get(server.url, maximumAnswer: .max).failure?.code == .interrupted)
    }

    @Test func `chunks, trailers and interim answers make one answer`() async throws {
        let server = ScriptedTCPServer(
            .request,
            .send("HTTP/1.1 103 Early Hints\r\nContent-Type: a/b\r\nRetry-After: 9\r\n\r\n"),
            .send("HTTP/1.1 503 Busy\r\ncontent-TYPE:text/HTML \r\nretry-AFTER: 7\r\n"),
            .send("Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n"), .pause(.milliseconds(5)),
            .send("2\r\nde\r\n0\r\nRetry-After: 1\r\n\r\n"))
        let response = try await fixture.get(server.url).get()
        #expect(response.status == 503)
        #expect(response.contentType == "text/html")
        #expect(response.retryAfter == .after(.seconds(7)))
        #expect(response.body == Array("abcde".utf8))
    }

    @Test func `a dead kept connection is one more try, unseen`() async {
        // Each connection serves one request and resets in answer to the second.
        let server = ScriptedTCPServer { number in
            number == 0
                ? [.request, .send(answer("a")), .request, .reset]
                : [.forever([.request, .send(answer("b"))])]
        }
        #expect(await fixture.get(server.url).body == "a")
        let request = HTTPRequest(url: server.url, body: Array("post".utf8))
        #expect(await fixture.send(request).body == "b")
        #expect(server.requests.count == 3)
        #expect(await fixture.counters.retries <= 1)
    }

    @Test func `a new connection that dies is not tried again`() async {
        let server = ScriptedTCPServer(.request, .reset)
        #expect(await fixture.get(server.url).failure?.code == .interrupted)
        #expect(server.connectionCount == 1)
        #expect(await fixture.counters.retries == 0)
    }

    @Test func `a connection that the server closed in the pause is not used`() async {
        let server = ScriptedTCPServer { _ in [.request, .send(answer("ok"))] }
        for _ in 0..<20 { #expect(await fixture.get(server.url).body == "ok") }
        #expect(server.connectionCount == 20)
    }

    @Test(arguments: [
        ("X-A", "a\r\nX-B: c"), ("X-A", "a\nb"), ("X-A", "a\0"), ("X-A\r\nX-B", "a"), ("X A", "a"),
        ("X-A:", "a"), ("", "a"), ("X-\0", "a"),
    ])
    func `a header that would become two is refused`(_ name: String, _ value: String) async {
        let server = ScriptedTCPServer(.request, .send(answer("ok")))
        let request = HTTPRequest(
            method: .get, url: server.url,
            headers: [("Authorization", "Bearer top-secret"), (name, value)])
        let failure = await fixture.send(request).failure
        #expect(failure?.code == .badRequest)
        #expect(failure?.message.contains("top-secret") == false)
        #expect(server.connectionCount == 0)
    }

    @Test(arguments: [
        "", "127.0.0.1", "ftp://127.0.0.1/", "file:///etc/passwd", "http://", "http://a b/",
        "http://127.0.0.1:99999/", "http://127.0.0.1/\r\nX: y", "http://127.0.0.1/\0",
        "https://[::1/", "gopher://127.0.0.1/",
    ])
    func `a bad URL is the request's own fault`(_ url: String) async {
        let code = await fixture.get(url).failure?.code
        #expect(code == .badRequest)
    }

    @Test func `a bad proxy's password is not told`() async {
        let options = HTTPConnectionOptions(proxy: "nonsense://user:top-secret@127.0.0.1:1")
        let request = HTTPRequest(method: .get, url: "http://127.0.0.1/")
        let failure = await fixture.send(request, options: options).failure
        #expect(failure != nil)
        #expect(failure?.message.contains("top-secret") == false, "\(failure?.code.rawValue ?? "")")
    }

    @Test(arguments: [
        HTTPConnectionOptions(caFile: "/nowhere/ca.pem"),
        HTTPConnectionOptions(certFile: "/nowhere/cert.pem", keyFile: "/nowhere/key.pem"),
        HTTPConnectionOptions(unixSocket: "/nowhere/socket"),
        HTTPConnectionOptions(unixSocket: "/" + String(repeating: "x", count: 200)),
    ])
    func `files that are not there fail the connection`(_ options: HTTPConnectionOptions) async {
        let server = ScriptedTCPServer(.hold)
        let url = "https://127.0.0.1:\(server.port)/"
        let request = HTTPRequest(method: .get, url: url)
        #expect(await fixture.send(request, options: options).failure?.code == .connect)
    }

    @Test func `TLS with something else at the other end fails the connection`() async {
        let server = ScriptedTCPServer(.send("SSH-2.0-OpenSSH_9.2\r\n"), .hold)
        let url = "https://127.0.0.1:\(server.port)/"
        #expect(await fixture.get(url).failure?.code == .connect)
    }

    @Test func `failures in a burst leave a transport that works`() async {
        let server = ScriptedTCPServer { number in
            switch number % 4 {
            case 0: [.request, .send(answer("ok"))]
            case 1: [.request, .reset]
            case 2: [.request, .send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")]
            default: [.reset]
            }
        }
        let url = server.url
        let outcomes = await fixture.burst(400) { _ in HTTPRequest(method: .get, url: url) }
        #expect(outcomes.count == 400)
        #expect(outcomes.contains { $0.body == "ok" })
        #expect(
            outcomes.allSatisfy {
                $0.body == "ok" || $0.failure?.code == .interrupted || $0.failure?.code == .connect
            })
        let good = ScriptedTCPServer(.forever([.request, .send(answer("fine"))]))
        #expect(await fixture.get(good.url).body == "fine")
    }
}
