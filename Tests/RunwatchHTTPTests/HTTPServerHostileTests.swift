import Glibc
import RunwatchHTTP
import RunwatchLinux
import Synchronization
import TestSupport
import Testing

/// A server on a Unix socket with short limits, and well-behaved clients to compare with.
private struct Victim {
    let folder = TemporaryFolder()
    let server: HTTPServer
    let path: String

    init(
        limits: HTTPServerLimits,
        handler: @escaping @Sendable (HTTPServerRequest) async -> HTTPServerResponse = { request in
            .json(Array("\(request.method) \(request.rawPath)|end".utf8))
        }
    ) throws {
        path = folder.path("s")
        server = try HTTPServer(
            descriptor: try ListeningSocket.unix(path: path, mode: 0o600, group: nil),
            label: "victim", limits: limits, handler: handler)
    }

    func connect(_ text: String = "") async -> HTTPServerRawConnection {
        let connection = await HTTPServerRawConnection(path: path)
        await connection.send(text)
        return connection
    }

    func expectOthersAreServed() async {
        let other = await connect("GET /other HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await other.read(until: "|end").hasSuffix("GET /other|end"))
    }

    func isEmpty() async -> Bool {
        for _ in 0..<3000 {
            if await server.requestsUnderWay == 0 { return true }
            // Ends early only when the test is cancelled.
            try? await Task.sleep(for: .milliseconds(10))
        }
        return false
    }
}

private let get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"

@Suite struct HTTPServerSlowSenderTests {
    @Test(arguments: [
        "", "GET /", "GET /a HTTP/1.1\r\nHost: x\r\nX: ",
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n",
        "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n",
    ])
    func `bytes that trickle do not hold a connection`(begin: String) async throws {
        let victim = try Victim(limits: HTTPServerLimits(requestTimeout: .milliseconds(500)))
        let slow = await victim.connect(begin)
        var count = 0
        // Twenty a second, for longer than any limit; far shorter when it is cut off.
        while count < 600, await slow.send("x") {
            count += 1
            try await Task.sleep(for: .milliseconds(50))
        }
        #expect(count < 600)
        let answer = await slow.readToEnd()
        #expect(answer.hasPrefix("HTTP/1.1 408 ") == begin.contains("\r\n"), "\(answer)")
        #expect(await victim.isEmpty())
        await victim.expectOthersAreServed()
        await victim.server.close()
    }

    @Test func `a connection is closed that asks for nothing after its answer`() async throws {
        let victim = try Victim(limits: HTTPServerLimits(requestTimeout: .milliseconds(300)))
        let client = await victim.connect(get)
        #expect(await client.readToEnd().hasSuffix("|end"))
        await victim.server.close()
    }

    @Test func `bodies that are held for slow senders are bounded together`() async throws {
        let limits = HTTPServerLimits(body: 100_000, held: 150_000)
        let victim = try Victim(limits: limits)
        let head = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 90001\r\n\r\n"
        let body = String(repeating: "x", count: 90_000)
        let first = await victim.connect(head + body)
        let probe = await victim.connect(get)
        // Until the first body has been read, so that the second one is too much.
        _ = await probe.read(until: "|end")
        let second = await victim.connect(head + body + "x")
        let answer = await second.readToEnd()
        #expect(answer.hasPrefix("HTTP/1.1 503 "))
        #expect(answer.contains("retry-after: 1\r\n"))
        await first.send("x")
        #expect(await first.read(until: "|end").hasPrefix("HTTP/1.1 200 "))
        await first.close()
        #expect(await victim.isEmpty())
        let third = await victim.connect(head + body + "x")
        #expect(await third.read(until: "|end").hasPrefix("HTTP/1.1 200 "))
        await victim.server.close()
    }
}

@Suite struct HTTPServerSlowReaderTests {
    private static let short = HTTPServerLimits(stallTimeout: .milliseconds(400))

    @Test func `a stream whose reader takes nothing is cut off`() async throws {
        let hasEnded = Mutex(false)
        let (stream, continuation) = AsyncStream<[UInt8]>.makeStream(
            bufferingPolicy: .bufferingOldest(10))
        continuation.onTermination = { _ in hasEnded.withLock { $0 = true } }
        let victim = try Victim(limits: HTTPServerSlowReaderTests.short) { request in
            request.rawPath == "/other"
                ? .json(Array("GET /other|end".utf8))
                : HTTPServerResponse(status: 200, body: .stream(stream))
        }
        let reader = await victim.connect(get)
        _ = await reader.read(until: "\r\n\r\n")
        let chunk = [UInt8](repeating: 120, count: 256 << 10)
        for _ in 0..<10 { continuation.yield(chunk) }
        #expect(await victim.isEmpty())
        // A task of its own tells the stream's source.
        while !hasEnded.withLock({ $0 }), !Task.isCancelled { await Task.yield() }
        // What the kernel held is still there, and then the end.
        #expect(await reader.readToEnd().utf8.count < 10 * chunk.count)
        await victim.expectOthersAreServed()
        await victim.server.close()
    }

    @Test func `an answer whose reader takes nothing is given up`() async throws {
        let victim = try Victim(limits: HTTPServerSlowReaderTests.short) { request in
            request.rawPath == "/other"
                ? .json(Array("GET /other|end".utf8))
                : .json([UInt8](repeating: 120, count: 8 << 20))
        }
        let reader = await victim.connect(get)
        _ = await reader.read(until: "\r\n\r\n")
        #expect(await victim.isEmpty())
        await victim.expectOthersAreServed()
        await victim.server.close()
    }

    @Test func `a reader that takes slowly but steadily gets everything`() async throws {
        let size = 2 << 20
        let limits = HTTPServerLimits(stallTimeout: .seconds(10))
        let (stream, continuation) = AsyncStream<[UInt8]>.makeStream()
        continuation.yield([UInt8](repeating: 120, count: size))
        continuation.finish()
        let victim = try Victim(limits: limits) { _ in
            HTTPServerResponse(status: 200, body: .stream(stream))
        }
        let reader = await victim.connect("GET /a HTTP/1.0\r\n\r\n")
        let began = ContinuousClock.now
        var count = 0
        // Longer than a reader that stands still would have.
        while case let part = await reader.readSome(), !part.isEmpty {
            count += part.utf8.filter { $0 == 120 }.count
            if ContinuousClock.now - began < .seconds(12) {
                try await Task.sleep(for: .milliseconds(200))
            }
        }
        #expect(count == size)
        await victim.server.close()
    }

    @Test func `answers that are held for slow readers are bounded together`() async throws {
        let victim = try Victim(limits: HTTPServerLimits(held: 3 << 20)) { _ in
            .json([UInt8](repeating: 120, count: 2 << 20))
        }
        let first = await victim.connect(get)
        _ = await first.read(until: "\r\n\r\n")
        let second = await victim.connect(get)
        #expect(await second.readToEnd().hasPrefix("HTTP/1.1 503 "))
        await first.close()
        #expect(await victim.isEmpty())
        let third = await victim.connect(get)
        #expect(await third.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 200 "))
        await victim.server.close()
    }
}

@Suite struct HTTPServerFairnessTests {
    @Test func `a user with too many connections is told, and has a place when one is left`()
        async throws
    {
        let limits = HTTPServerLimits(
            connections: 20, users: HTTPServerUserLimits(each: 2, reserved: 4, exempt: []))
        let victim = try Victim(limits: limits)
        let clients = [await victim.connect(get), await victim.connect(get)]
        for client in clients { _ = await client.read(until: "|end") }
        let third = await victim.connect(get)
        let answer = await third.readToEnd()
        #expect(answer.hasPrefix("HTTP/1.1 503 "))
        #expect(answer.contains("retry-after: 1\r\n"))
        #expect(answer.contains("application/problem+json"))
        await clients[0].close()
        // The end is noticed soon, but when cannot be seen from here.
        var isServed = false
        for _ in 0..<1000 where !isServed {
            let fourth = await victim.connect(get)
            isServed = await fourth.read(until: "\r\n").hasPrefix("HTTP/1.1 200 ")
        }
        #expect(isServed)
        await victim.server.close()
    }

    @Test func `who is refused and says nothing is let go of soon`() async throws {
        let limits = HTTPServerLimits(
            connections: 20, users: HTTPServerUserLimits(each: 1, reserved: 2, exempt: []),
            requestTimeout: .seconds(3600), stallTimeout: .seconds(1))
        let victim = try Victim(limits: limits)
        let first = await victim.connect(get)
        _ = await first.read(until: "|end")
        let silent = await victim.connect()
        let tooMany = await victim.connect()
        #expect(await tooMany.hasEnded())
        #expect(await silent.hasEnded())
        await victim.server.close()
    }

    @Test func `the exempt find a place whoever has taken the others`() async throws {
        let limits = HTTPServerLimits(
            connections: 20, users: HTTPServerUserLimits(each: 1, reserved: 4, exempt: [getuid()]))
        let victim = try Victim(limits: limits)
        var clients: [HTTPServerRawConnection] = []
        for _ in 0..<20 { clients.append(await victim.connect(get)) }
        for client in clients { #expect(await client.read(until: "|end").contains(" 200 ")) }
        await victim.server.close()
    }

    @Test func `handlers beyond the limit wait for their turn, and not for those who left`()
        async throws
    {
        let release = AsyncStream<Void>.makeStream()
        let order = Mutex<[String]>([])
        let victim = try Victim(limits: HTTPServerLimits(handlers: 1)) { request in
            order.withLock { $0.append(request.rawPath) }
            if request.rawPath == "/first" { for await _ in release.stream { break } }
            return .json(Array("|end".utf8))
        }
        let request = { (path: String) in "GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n" }
        let first = await victim.connect(request("/first"))
        while order.withLock({ $0.isEmpty }) { await Task.yield() }
        let gone = await victim.connect(request("/gone"))
        while await victim.server.requestsUnderWay < 2 { await Task.yield() }
        let second = await victim.connect(request("/second"))
        while await victim.server.requestsUnderWay < 3 { await Task.yield() }
        await gone.close()
        while await victim.server.requestsUnderWay > 2 { await Task.yield() }
        release.continuation.yield()
        #expect(await first.read(until: "|end").hasSuffix("|end"))
        #expect(await second.read(until: "|end").hasSuffix("|end"))
        #expect(order.withLock { $0 } == ["/first", "/second"])
        await victim.server.close()
    }

    @Test func `thousands of pipelined requests are answered in order, and delay nobody`()
        async throws
    {
        let victim = try Victim(limits: HTTPServerLimits())
        let count = 2000
        let greedy = await victim.connect(
            (0..<count).map { "GET /\($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined())
        await victim.expectOthersAreServed()
        var isInOrder = true
        for number in 0..<count where isInOrder {
            isInOrder = await greedy.read(until: "|end").hasSuffix("GET /\(number)|end")
        }
        #expect(isInOrder)
        await victim.server.close()
    }
}

@Suite struct HTTPServerMalformedTests {
    /// A request, and the status that it gets: 0 when the connection ends without an answer.
    private static let refused: [(text: String, status: Int, isOurs: Bool)] = [
        ("GET /a\r\n\r\n", 400, false),
        ("GET\r\n\r\n", 0, false),
        ("GET /a HTTP/0.9\r\n\r\n", 505, false),
        ("GET /a HTTP/2.0\r\nHost: x\r\n\r\n", 505, false),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, false),
        ("GET /a HTTP/1.1\r\n\r\n", 400, true),
        ("GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400, true),
        ("GET /a HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400, false),
        ("GET /a HTTP/1.1\r\nHost : x\r\n\r\n", 400, true),
        ("GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400, true),
        ("G(T /a HTTP/1.1\r\nHost: x\r\n\r\n", 400, true),
        ("\(String(repeating: "G", count: 1000)) /a HTTP/1.1\r\nHost: x\r\n\r\n", 400, true),
        ("GET /\(String(repeating: "a", count: 100_000)) HTTP/1.1\r\n", 414, false),
        ("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400, false),
        ("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 1\r\n\r\nx", 400, false),
        ("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", 413, false),
        (
            "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", 400,
            true
        ),
        (
            "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            400, true
        ),
        ("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 400, true),
        ("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, false),
        ("POST /a HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nContent-Length: 3\r\n\r\n", 400, true),
    ]

    @Test(arguments: refused.indices)
    func `a malformed request is refused`(index: Int) async throws {
        let (text, status, isOurs) = HTTPServerMalformedTests.refused[index]
        let victim = try Victim(limits: HTTPServerLimits())
        let client = await victim.connect(text)
        let answer = await client.readToEnd()
        #expect(answer.hasPrefix(status == 0 ? "" : "HTTP/1.1 \(status) "), "\(text) \(answer)")
        #expect(answer.isEmpty == (status == 0), "\(text) \(answer)")
        #expect(answer.contains("application/problem+json") == isOurs, "\(text) \(answer)")
        await victim.expectOthersAreServed()
        await victim.server.close()
    }

    @Test(arguments: [
        "FROBNICATE /a HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        "CONNECT other:443 HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a HTTP/1.0\r\n\r\n",
        "GET http://other/a HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n", "GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n",
        "\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a HTTP/1.1\nHost: x\n\n",
        "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
        "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    ])
    func `an unusual request is the handler's to judge`(text: String) async throws {
        let victim = try Victim(limits: HTTPServerLimits())
        let client = await victim.connect(text)
        let answer = await client.read(until: "|end")
        #expect(answer.contains("HTTP/1.1 200 ") || answer.contains("HTTP/1.0 200 "), "\(answer)")
        await victim.server.close()
    }

    @Test(arguments: ["X: ", "X: y\r\n"])
    func `a head without an end is cut off where its memory ends`(piece: String) async throws {
        let victim = try Victim(limits: HTTPServerLimits())
        let client = await victim.connect("GET /a HTTP/1.1\r\nHost: x\r\n\(piece)")
        let block = String(repeating: piece, count: 8192)
        var count = 0
        while count < 32_768, await client.send(block) { count += 1 }
        #expect(count < 1000)
        let answer = await client.readToEnd()
        #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 431 "), "\(answer.prefix(100))")
        await victim.expectOthersAreServed()
        await victim.server.close()
    }

    @Test func `an endless body is told that it is too large`() async throws {
        let victim = try Victim(limits: HTTPServerLimits(body: 1000))
        let client = await victim.connect(
            "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        let chunk = "1000\r\n" + String(repeating: "x", count: 4096) + "\r\n"
        var count = 0
        while count < 10_000, await client.send(chunk) { count += 1 }
        #expect(count < 10_000)
        #expect(await client.readToEnd().hasPrefix("HTTP/1.1 413 "))
        await victim.server.close()
    }
}
