import RunwatchHTTP
import RunwatchLinux
import Synchronization
import TestSupport
import Testing

/// A server on a Unix socket that answers every request with one stream made by the test.
private struct StreamServer {
    let folder = TemporaryFolder()
    let server: HTTPServer
    let path: String
    let continuation: AsyncStream<[UInt8]>.Continuation
    let hasTerminated: TerminationFlag

    final class TerminationFlag: Sendable {
        let value = Mutex(false)
        var isSet: Bool { value.withLock { $0 } }
    }

    init(
        _ policy: AsyncStream<[UInt8]>.Continuation.BufferingPolicy = .bufferingNewest(10),
        limits: HTTPServerLimits = HTTPServerLimits()
    ) throws {
        path = folder.path("s")
        let (stream, continuation) = AsyncStream<[UInt8]>.makeStream(bufferingPolicy: policy)
        let flag = TerminationFlag()
        continuation.onTermination = { _ in flag.value.withLock { $0 = true } }
        hasTerminated = flag
        self.continuation = continuation
        server = try HTTPServer(
            descriptor: try ListeningSocket.unix(path: path, mode: 0o600, group: nil),
            label: "stream", limits: limits
        ) { request in
            request.rawPath == "/other"
                ? .json(Array("other|end".utf8))
                : HTTPServerResponse(
                    status: 200, headers: [("content-type", "text/event-stream")],
                    body: .stream(stream))
        }
    }

    func connect(_ request: String = "GET /s HTTP/1.1\r\nHost: x\r\n\r\n") async
        -> HTTPServerRawConnection
    {
        let connection = await HTTPServerRawConnection(path: path)
        await connection.send(request)
        return connection
    }

    func expectOthersAreServed() async {
        let other = await connect("GET /other HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await other.read(until: "|end").hasSuffix("other|end"))
    }
}

private func eventually(_ condition: () async -> Bool) async -> Bool {
    for _ in 0..<3000 {
        if await condition() { return true }
        // Ends early only when the test is cancelled.
        try? await Task.sleep(for: .milliseconds(10))
    }
    return false
}

@Suite struct HTTPServerStreamTests {
    @Test func `the head comes before the first chunk, and chunks as they are made`() async throws {
        let server = try StreamServer()
        let client = await server.connect()
        let head = await client.read(until: "\r\n\r\n")
        #expect(head.contains("Transfer-Encoding: chunked"))
        server.continuation.yield(Array("one\n".utf8))
        #expect(await client.read(until: "one\n") == "4\r\none\n")
        server.continuation.yield([])
        server.continuation.yield(Array("two\n".utf8))
        #expect(await client.read(until: "two\n") == "\r\n4\r\ntwo\n")
        server.continuation.finish()
        #expect(await client.readToEnd() == "\r\n0\r\n\r\n")
        await server.server.close()
    }

    @Test func `on TCP, too, nothing is held back`() async throws {
        let (stream, continuation) = AsyncStream<[UInt8]>.makeStream()
        let (descriptor, port) = try ListeningSocket.loopback(port: 0)
        let server = try HTTPServer(descriptor: descriptor, label: "tcp stream") { _ in
            HTTPServerResponse(status: 200, body: .stream(stream))
        }
        let client = await HTTPServerRawConnection(port: port)
        await client.send("GET /s HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await client.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 200"))
        continuation.yield(Array("one".utf8))
        #expect(await client.read(until: "one") == "3\r\none")
        await client.close()
        #expect(await eventually { await server.requestsUnderWay == 0 })
        await server.close()
    }

    @Test func `a large chunk comes whole`() async throws {
        let server = try StreamServer()
        let client = await server.connect("GET /s HTTP/1.0\r\n\r\n")
        server.continuation.yield([UInt8](repeating: 97, count: 3 << 20))
        server.continuation.finish()
        let answer = await client.readToEnd()
        #expect(answer.utf8.filter { $0 == 97 }.count >= 3 << 20)
        await server.server.close()
    }

    @Test func `a stream whose peer goes away is terminated`() async throws {
        let server = try StreamServer()
        let client = await server.connect()
        server.continuation.yield([120])
        _ = await client.read(until: "\r\nx")
        #expect(!server.hasTerminated.isSet)
        await client.close()
        #expect(await eventually { server.hasTerminated.isSet })
        #expect(await eventually { await server.server.requestsUnderWay == 0 })
        await server.expectOthersAreServed()
        await server.server.close()
    }

    @Test func `a stream outlives the idle timeout, and a peer that only listens`() async throws {
        let server = try StreamServer(limits: HTTPServerLimits(requestTimeout: .seconds(1)))
        let client = await server.connect()
        await client.finishSending()
        _ = await client.read(until: "\r\n\r\n")
        let silent = await server.connect("")
        #expect(await silent.hasEnded())
        server.continuation.yield([120])
        #expect(await client.read(until: "\r\nx") == "1\r\nx")
        await server.server.close()
    }

    @Test func `a slow reader does not make the server pull ahead`() async throws {
        let pulled = Mutex(0)
        let stream = AsyncStream<[UInt8]> {
            pulled.withLock { $0 += 1 }
            return [UInt8](repeating: 120, count: 64 << 10)
        }
        let folder = TemporaryFolder()
        let path = folder.path("s")
        let server = try HTTPServer(
            descriptor: try ListeningSocket.unix(path: path, mode: 0o600, group: nil), label: "slow"
        ) { _ in HTTPServerResponse(status: 200, body: .stream(stream)) }
        let client = await HTTPServerRawConnection(path: path)
        await client.send("GET /s HTTP/1.1\r\nHost: x\r\n\r\n")
        // The kernel's buffers fill; then the count stands still.
        var before = -1
        #expect(
            await eventually {
                try? await Task.sleep(for: .milliseconds(200))
                let now = pulled.withLock { $0 }
                defer { before = now }
                return now > 0 && now == before
            })
        #expect(pulled.withLock { $0 } < 100)
        await client.close()
        #expect(await eventually { await server.requestsUnderWay == 0 })
        await server.close()
    }

    @Test func `HEAD on a stream ends it at once`() async throws {
        let server = try StreamServer()
        let client = await server.connect("HEAD /s HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(await client.readToEnd().hasPrefix("HTTP/1.1 200"))
        #expect(await eventually { server.hasTerminated.isSet })
        await server.server.close()
    }

    @Test func `closing ends streams in good order and soon`() async throws {
        let server = try StreamServer()
        let client = await server.connect()
        server.continuation.yield([120])
        _ = await client.read(until: "\r\nx")
        let start = ContinuousClock.now
        await server.server.close(within: .seconds(60))
        #expect(ContinuousClock.now - start < .seconds(30))
        let rest = await client.readToEnd()
        #expect(rest == "\r\n0\r\n\r\n")
        #expect(await eventually { server.hasTerminated.isSet })
    }

    @Test func `a server that is let go of closes by itself`() async throws {
        let (stream, continuation) = AsyncStream<[UInt8]>.makeStream()
        let (descriptor, port) = try ListeningSocket.loopback(port: 0)
        var server: HTTPServer? = try HTTPServer(descriptor: descriptor, label: "let go") { _ in
            HTTPServerResponse(status: 200, body: .stream(stream))
        }
        let client = await HTTPServerRawConnection(port: port)
        await client.send("GET /s HTTP/1.1\r\nHost: x\r\n\r\n")
        continuation.yield([120])
        _ = await client.read(until: "\r\nx")
        #expect(server != nil)
        server = nil
        _ = await client.readToEnd()
        #expect(await eventually { HTTPServerRawConnection.connected(port: port) == -1 })
    }
}
