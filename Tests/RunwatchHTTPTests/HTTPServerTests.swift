import Glibc
import RunwatchHTTP
import RunwatchLinux
import Synchronization
import TestSupport
import Testing

/// A server on a loopback port whose answers tell what it was asked.
private struct EchoServer {
    let server: HTTPServer
    let port: UInt16

    init(
        limits: HTTPServerLimits = HTTPServerLimits(),
        handler: @escaping @Sendable (HTTPServerRequest) async -> HTTPServerReply = EchoServer.echo
    ) throws {
        let (descriptor, port) = try ListeningSocket.loopback(port: 0)
        server = try HTTPServer(
            descriptor: descriptor, label: "echo", limits: limits, replying: handler)
        self.port = port
    }

    func connect() async -> HTTPServerRawConnection { await HTTPServerRawConnection(port: port) }

    static let echo: @Sendable (HTTPServerRequest) async -> HTTPServerReply = { request in
        let query = request.query.map { "\($0.name)=[\($0.value)]" }.joined(separator: ",")
        let body = String(decoding: request.body.prefix(100), as: UTF8.self)
        let text = "\(request.method) \(request.rawPath) \(query) \(request.body.count) \(body)|end"
        return .response(
            HTTPServerResponse(
                status: 200, headers: [("content-type", "text/plain")],
                body: .bytes(Array(text.utf8))))
    }
}

/// Waits until a condition holds, for 30 s at the most.
private func eventually(_ condition: () async -> Bool) async -> Bool {
    for _ in 0..<3000 {
        if await condition() { return true }
        // Ends early only when the test is cancelled.
        try? await Task.sleep(for: .milliseconds(10))
    }
    return false
}

private let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"

@Suite struct HTTPServerTests {
    @Test func `a request gets its answer, and the connection stays open`() async throws {
        let echo = try EchoServer()
        let client = await echo.connect()
        for _ in 0..<3 {
            await client.send(get)
            let answer = await client.read(until: "|end")
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.contains("GET /a  0 |end"))
        }
        await echo.server.close()
        #expect(await client.hasEnded())
    }

    @Test func `a path stays escaped, a query does not`() async throws {
        let echo = try EchoServer()
        let client = await echo.connect()
        await client.send(
            "GET /v1/a%2Fb/%zz/gr\u{fc}n?since=1h%20ago&tag=a+b%2B&bad=%zz&empty HTTP/1.1\r\n"
                + "Host: x\r\n\r\n")
        let answer = await client.read(until: "|end")
        #expect(answer.contains("GET /v1/a%2Fb/%zz/gr\u{fc}n "))
        #expect(answer.contains("since=[1h ago],tag=[a b+],bad=[%zz],empty=[]"))
        await client.send("GET http://other:80/abs?q=1 HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await client.read(until: "|end").contains("GET /abs q=[1]"))
        await echo.server.close()
    }

    @Test func `headers come in order, and their names match in any case`() async throws {
        let seen = Mutex<[String]>([])
        let echo = try EchoServer { request in
            seen.withLock {
                $0 = request.headers.map { "\($0.name)=\($0.value)" }
                $0.append(request.header("x-ONE") ?? "none")
            }
            return await EchoServer.echo(request)
        }
        let client = await echo.connect()
        await client.send("GET / HTTP/1.1\r\nHost: x\r\nX-One: 1\r\nx-two:  2 \r\nX-One: 3\r\n\r\n")
        _ = await client.read(until: "|end")
        #expect(seen.withLock { $0 } == ["Host=x", "X-One=1", "x-two=2", "X-One=3", "1"])
        await echo.server.close()
    }

    @Test func `pipelined requests are answered in order`() async throws {
        let echo = try EchoServer()
        let client = await echo.connect()
        var requests = ""
        for index in 0..<20 { requests += "GET /\(index) HTTP/1.1\r\nHost: x\r\n\r\n" }
        await client.send(requests)
        for index in 0..<20 {
            #expect(await client.read(until: "|end").contains("GET /\(index) "))
        }
        await echo.server.close()
    }

    @Test func `a request that comes byte by byte is answered`() async throws {
        let echo = try EchoServer()
        let client = await echo.connect()
        for byte in "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello".utf8 {
            await client.send([byte])
        }
        #expect(await client.read(until: "|end").contains("POST /b  5 hello|end"))
        await echo.server.close()
    }

    @Test func `a chunked body is put together`() async throws {
        let echo = try EchoServer()
        let client = await echo.connect()
        await client.send(
            "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")
        #expect(await client.read(until: "|end").contains("POST /c  7 abcdefg|end"))
        await echo.server.close()
    }

    @Test func `HEAD has the length and no body`() async throws {
        let echo = try EchoServer()
        let client = await echo.connect()
        await client.send("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        let answer = await client.readToEnd()
        #expect(answer.contains("Content-Length: 15\r\n"))
        #expect(answer.hasSuffix("\r\n\r\n"))
        await echo.server.close()
    }

    @Test func `garbage, half a request and silence harm nobody else`() async throws {
        let echo = try EchoServer()
        let garbage = await echo.connect()
        let half = await echo.connect()
        let silent = await echo.connect()
        let gone = await echo.connect()
        await garbage.send([1, 2, 0xFF, 0, 0x0D, 0x0A, 0x0D, 0x0A, 0x0D, 0x0A])
        await half.send("GET /half HTTP/1.1\r\nHos")
        await gone.send("POST /gone HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
        await gone.close()
        let client = await echo.connect()
        await client.send(get)
        #expect(await client.read(until: "|end").contains("GET /a  0 "))
        let refusal = await garbage.readToEnd()
        #expect(refusal.isEmpty || refusal.hasPrefix("HTTP/1.1 4"))
        await half.send("t: x\r\n\r\n")
        #expect(await half.read(until: "|end").contains("GET /half "))
        await echo.server.close()
        #expect(await silent.hasEnded())
        #expect(await echo.server.requestsUnderWay == 0)
    }

    @Test func `a head larger than the connection's memory is refused`() async throws {
        let echo = try EchoServer()
        let client = await echo.connect()
        await client.send("GET /a HTTP/1.1\r\nHost: x\r\nX: ")
        let block = [UInt8](repeating: 120, count: 64 << 10)
        var sent = 0
        while sent < 1 << 20, await client.send(block) { sent += block.count }
        let answer = await client.readToEnd()
        #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 431"))
        let other = await echo.connect()
        await other.send(get)
        #expect(await other.read(until: "|end").contains("GET /a "))
        await echo.server.close()
    }

    @Test(arguments: [true, false])
    func `a body over the limit is answered 413`(isChunked: Bool) async throws {
        let echo = try EchoServer(limits: HTTPServerLimits(body: 1000))
        let client = await echo.connect()
        let body = String(repeating: "x", count: 2000)
        await client.send("POST /a HTTP/1.1\r\nHost: x\r\n")
        await client.send(
            isChunked
                ? "Transfer-Encoding: chunked\r\n\r\n7d0\r\n\(body)\r\n0\r\n\r\n"
                : "Content-Length: 2000\r\n\r\n\(body)")
        let answer = await client.read(until: "}")
        #expect(answer.hasPrefix("HTTP/1.1 413 "))
        #expect(answer.contains("application/problem+json"))
        #expect(answer.hasSuffix("larger than 1000 bytes.\"}"))
        await echo.server.close()
    }

    @Test func `a body announced far over the limit is refused before it is sent`() async throws {
        let echo = try EchoServer(limits: HTTPServerLimits(body: 1000))
        let client = await echo.connect()
        await client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
        #expect(await client.readToEnd().hasPrefix("HTTP/1.1 413 "))
        let polite = await echo.connect()
        await polite.send(
            "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\nExpect: 100-continue\r\n\r\n")
        #expect(await polite.readToEnd().hasPrefix("HTTP/1.1 413 "))
        await echo.server.close()
    }

    @Test func `an endless chunked body ends the connection, not the server`() async throws {
        let echo = try EchoServer(limits: HTTPServerLimits(body: 1000))
        let client = await echo.connect()
        await client.send("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        let chunk = "ffff\r\n" + String(repeating: "x", count: 0xFFFF) + "\r\n"
        var count = 0
        while count < 1000, await client.send(chunk) { count += 1 }
        #expect(count < 1000)
        await echo.server.close()
    }

    @Test func `an idle connection is closed`() async throws {
        let echo = try EchoServer(limits: HTTPServerLimits(requestTimeout: .seconds(1)))
        let silent = await echo.connect()
        let half = await echo.connect()
        await half.send("GET /a HTT")
        #expect(await silent.hasEnded())
        // A request that never came whole may be answered 408.
        _ = await half.readToEnd()
        #expect(await half.hasEnded())
        await echo.server.close()
    }

    @Test func `requests that their peers broke off are let go of`() async throws {
        let echo = try EchoServer(limits: HTTPServerLimits(requestTimeout: .seconds(1)))
        let request = Array("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc".utf8)
        for count in stride(from: 1, through: request.count, by: 2) {
            let client = await echo.connect()
            await client.send(Array(request.prefix(count)))
            await client.close()
        }
        let client = await echo.connect()
        await client.send(get)
        _ = await client.read(until: "|end")
        #expect(await eventually { await echo.server.requestsUnderWay == 0 })
        await echo.server.close()
    }

    @Test func `a handler may take longer than the idle timeout`() async throws {
        let release = AsyncStream<Void>.makeStream()
        let echo = try EchoServer(limits: HTTPServerLimits(requestTimeout: .seconds(3))) {
            request in
            if request.rawPath == "/slow" { for await _ in release.stream { break } }
            return await EchoServer.echo(request)
        }
        let slow = await HTTPServerRawConnection(
            port: echo.port, sending: "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        let silent = await echo.connect()
        #expect(await silent.hasEnded())
        release.continuation.yield()
        let answer = await slow.read(until: "|end")
        #expect(answer.contains("GET /slow "), "\(answer)")
        await echo.server.close()
    }

    @Test func `a handler is cancelled when its peer goes away`() async throws {
        let folder = TemporaryFolder()
        let path = folder.path("s")
        let wasCancelled = Mutex(false)
        let server = try HTTPServer(
            descriptor: try ListeningSocket.unix(path: path, mode: 0o600, group: nil),
            label: "cancel"
        ) { _ in
            // An hour unless it is cancelled.
            try? await Task.sleep(for: .seconds(3600))
            wasCancelled.withLock { $0 = Task.isCancelled }
            return .json([])
        }
        let client = await HTTPServerRawConnection(path: path)
        await client.send(get)
        #expect(await eventually { await server.requestsUnderWay == 1 })
        await client.close()
        #expect(await eventually { await server.requestsUnderWay == 0 })
        #expect(wasCancelled.withLock { $0 })
        await server.close()
    }

    @Test func `a peer that has only finished sending gets its answer`() async throws {
        let echo = try EchoServer()
        let client = await echo.connect()
        await client.send(get)
        await client.finishSending()
        #expect(await client.readToEnd().hasSuffix("GET /a  0 |end"))
        await echo.server.close()
    }

    @Test func `the peer of a Unix socket is known`() async throws {
        let folder = TemporaryFolder()
        let path = folder.path("s")
        let server = try HTTPServer(
            descriptor: try ListeningSocket.unix(path: path, mode: 0o600, group: nil), label: "peer"
        ) { request in
            let matches =
                request.peer
                == PeerCredentials(processID: getpid(), userID: getuid(), groupID: getgid())
            return .json(Array("\(matches)|end".utf8))
        }
        let client = await HTTPServerRawConnection(path: path)
        await client.send(get)
        #expect(await client.read(until: "|end").hasSuffix("true|end"))
        await server.close()
    }

    @Test func `five hundred connections are served at once`() async throws {
        // On a busy machine the first one waits for long until the last one is there.
        let echo = try EchoServer(
            limits: HTTPServerLimits(connections: 600, requestTimeout: .seconds(600)))
        let port = echo.port
        var connections: [HTTPServerRawConnection] = []
        for _ in 0..<500 { connections.append(await HTTPServerRawConnection(port: port)) }
        for connection in connections { await connection.send(get) }
        var answers = 0
        for connection in connections {
            if await connection.read(until: "|end").contains("GET /a ") { answers += 1 }
        }
        #expect(answers == 500)
        await echo.server.close()
        for connection in connections { #expect(await connection.hasEnded()) }
    }

    @Test func `parameters fit however many, and what is longer than a head may be is refused`()
        async throws
    {
        let echo = try EchoServer()
        let name = "name=" + String(repeating: "a", count: 145) + "&"
        let full = await echo.connect()
        await full.send(
            "GET /a?\(String(repeating: name, count: 200)) HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await full.read(until: "|end").contains("GET /a "))
        let many = await echo.connect()
        await many.send(
            "GET /a?\(String(repeating: "a&", count: 15_000)) HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await many.read(until: "|end").contains("GET /a "))
        for (head, status) in [
            ("GET /a?\(String(repeating: name, count: 230)) HTTP/1.1\r\nHost: x\r\n", "414"),
            (
                "GET /a HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: name, count: 230))\r\n",
                "431"
            ),
        ] {
            let client = await echo.connect()
            await client.send("\(head)\r\n")
            let answer = await client.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer.prefix(100))")
            #expect(answer.contains("application/problem+json"))
        }
        await echo.server.close()
    }

    @Test func `connections beyond the limit wait for a place`() async throws {
        let echo = try EchoServer(limits: HTTPServerLimits(connections: 2))
        let first = await echo.connect()
        let second = await echo.connect()
        for client in [first, second] {
            await client.send(get)
            _ = await client.read(until: "|end")
        }
        let third = await echo.connect()
        await third.send(get)
        await first.close()
        #expect(await third.read(until: "|end").contains("GET /a "))
        await echo.server.close()
    }

    @Test func `close waits for the answer under way, and cancels after its limit`() async throws {
        let begun = AsyncStream<Void>.makeStream()
        let echo = try EchoServer { request in
            begun.continuation.yield()
            // Longer than any test, unless cancelled; "short" ends while the server is closing.
            let wait: Duration = request.rawPath == "/short" ? .milliseconds(50) : .seconds(3600)
            try? await Task.sleep(for: wait)
            return await EchoServer.echo(request)
        }
        var arrivals = begun.stream.makeAsyncIterator()
        let short = await echo.connect()
        await short.send("GET /short HTTP/1.1\r\nHost: x\r\n\r\n")
        _ = await arrivals.next()
        let long = await echo.connect()
        await long.send("GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
        _ = await arrivals.next()
        await echo.server.close(within: .seconds(2))
        #expect(await short.readToEnd().hasSuffix("|end"))
        #expect(await long.readToEnd() == "")
        #expect(HTTPServerRawConnection.connected(port: echo.port) == -1)
        await echo.server.close()
    }
}

@Suite struct HTTPServerReplyTests {
    private static func answer(_ text: String) -> HTTPServerResponse {
        HTTPServerResponse(status: 200, body: .bytes(Array(text.utf8)))
    }

    private func server(_ reply: HTTPServerReply) throws -> EchoServer {
        try EchoServer { _ in reply }
    }

    @Test func `a cut answer announces more than it brings`() async throws {
        let echo = try server(.cut(HTTPServerReplyTests.answer("0123456789"), after: 4))
        let client = await echo.connect()
        await client.send(get)
        let answer = await client.readToEnd()
        #expect(answer.contains("Content-Length: 10\r\n"))
        #expect(answer.hasSuffix("\r\n\r\n0123"))
        await echo.server.close()
    }

    @Test func `a stalled answer stops and stays`() async throws {
        let echo = try server(.stall(HTTPServerReplyTests.answer("0123456789"), after: 4))
        let client = await echo.connect()
        await client.send(get)
        #expect(await client.read(until: "0123").hasSuffix("\r\n\r\n0123"))
        #expect(await echo.server.requestsUnderWay == 1)
        await client.close()
        #expect(await eventually { await echo.server.requestsUnderWay == 0 })
        await echo.server.close()
    }

    @Test func `a reset is seen as one`() async throws {
        let echo = try server(.reset)
        let client = await echo.connect()
        await client.send(get)
        #expect(await client.readError() == ECONNRESET)
        await echo.server.close()
    }

    @Test func `raw bytes come as they are, and a close brings none`() async throws {
        let raw = try server(.raw(Array("not http".utf8)))
        let client = await raw.connect()
        await client.send(get)
        #expect(await client.readToEnd() == "not http")
        await raw.server.close()
        let closing = try server(.close)
        let other = await closing.connect()
        await other.send(get)
        #expect(await other.readError() == 0)
        await closing.server.close()
    }

    @Test func `a hanging request ends with its peer or with the server`() async throws {
        let echo = try server(.hang)
        let first = await echo.connect()
        await first.send(get)
        #expect(await eventually { await echo.server.requestsUnderWay == 1 })
        await first.close()
        #expect(await eventually { await echo.server.requestsUnderWay == 0 })
        let second = await echo.connect()
        await second.send(get)
        #expect(await eventually { await echo.server.requestsUnderWay == 1 })
        await echo.server.close()
        #expect(await second.readToEnd() == "")
    }
}
