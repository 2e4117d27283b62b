import Glibc
import RunwatchCore
import RunwatchLinux
import Synchronization
import TestSupport
import Testing

@testable import RunwatchHTTP

/// What a random peer does; each of them is fatal to a server that forgets one way out.
private enum Deed: CaseIterable {
    case vanishes, vanishesInLine, standsInHead, asksTwice, pipelines, vanishesInBody
    case sendsTooMuch, sendsChunks, readsStream, standsInStream, vanishesInHandler, isMalformed
    case doesNotRead, finishesSending, asksHead, expects, pipelinesStreams
}

/// Streams that the server has not let go of.
private final class StreamCount: Sendable {
    private let count = Mutex(0)
    var now: Int { count.withLock { $0 } }
    func add(_ number: Int) { count.withLock { $0 += number } }
}

private final class StreamMark: Sendable {
    private let streams: StreamCount

    init(_ streams: StreamCount) {
        self.streams = streams
        streams.add(1)
    }

    deinit { streams.add(-1) }
}

/// A server with short limits, and handlers of each sort.
private final class Arena: Sendable {
    let folder = TemporaryFolder()
    let path: String?
    let port: UInt16
    let server: HTTPServer
    let streams = StreamCount()

    init(isUnix: Bool) throws {
        let descriptor: Int32
        if isUnix {
            let place = folder.path("s")
            descriptor = try ListeningSocket.unix(path: place, mode: 0o600, group: nil)
            (path, port) = (place, 0)
        } else {
            (descriptor, port) = try ListeningSocket.loopback(port: 0)
            path = nil
        }
        let limits = HTTPServerLimits(
            connections: 40, users: HTTPServerUserLimits(each: 16, reserved: 4, exempt: []),
            requestTimeout: .milliseconds(300), stallTimeout: .milliseconds(300), body: 20_000,
            handlers: 4, held: 700_000)
        let me = Mutex<Arena?>(nil)
        server = try HTTPServer(descriptor: descriptor, label: "arena", limits: limits) {
            guard let arena = me.withLock({ $0 }) else { return .json([]) }
            return await arena.answer($0)
        }
        me.withLock { $0 = self }
    }

    private func answer(_ request: HTTPServerRequest) async -> HTTPServerResponse {
        switch request.rawPath {
        case "/big": return .json([UInt8](repeating: 0x20, count: 300_000))
        // Until the peer is gone; on TCP that may mean that it has only finished sending, and is not told.
        case "/hang":
            try? await Task.sleep(for: path == nil ? .milliseconds(200) : .seconds(60))
            return .json([])
        case "/slow":
            try? await Task.sleep(for: .milliseconds(10))
            return .json(Array("|end".utf8))
        case "/stream", "/flood":
            let size = request.rawPath == "/flood" ? 50_000 : 20
            let mark = StreamMark(streams)
            let chunk = [UInt8](repeating: 0x2E, count: size) + Array("|end".utf8)
            return HTTPServerResponse(
                status: 200,
                body: .stream(
                    AsyncStream(
                        unfolding: {
                            try? await Task.sleep(for: .milliseconds(5))
                            return withExtendedLifetime(mark) { Task.isCancelled ? nil : chunk }
                        })))
        default: return .json(Array("|end".utf8))
        }
    }

    func connect() async -> HTTPServerRawConnection {
        if let path { return await HTTPServerRawConnection(path: path) }
        return await HTTPServerRawConnection(port: port)
    }

    /// Sockets of ours that are at the server's path: its own, and those it has accepted (proc(5)).
    var sockets: Int? {
        guard let path else { return nil }
        guard let file = fopen("/proc/net/unix", "re") else { return nil }
        defer { fclose(file) }
        var count = 0
        var line = [CChar](repeating: 0, count: 512)
        while fgets(&line, Int32(line.count), file) != nil {
            let bytes = line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            if String(decoding: bytes, as: UTF8.self).hasSuffix(" \(path)\n") { count += 1 }
        }
        return count
    }

    /// What is left in the end; `nil` when it is nothing.
    func left(sockets wanted: Int) async -> String? {
        var left = ""
        for _ in 0..<2000 {
            let figures = await server.figures
            let (streams, sockets) = (streams.now, sockets ?? wanted)
            if figures == HTTPServerFigures(), streams == 0, sockets == wanted { return nil }
            left = "\(figures), \(streams) streams, \(sockets) sockets"
            // Ends early only when the test is cancelled.
            try? await Task.sleep(for: .milliseconds(10))
        }
        return left
    }
}

private func get(_ path: String, _ more: String = "", method: String = "GET") -> String {
    "\(method) \(path) HTTP/1.1\r\nHost: x\r\n\(more)\r\n"
}

private func pause(_ milliseconds: Int) async {
    try? await Task.sleep(for: .milliseconds(milliseconds))
}

@Suite struct HTTPServerStressTests {
    private static func act(
        _ deed: Deed, at arena: Arena, _ random: inout SeededGenerator
    ) async {
        let peer = await arena.connect()
        let wait = Int.random(in: 0...25, using: &random)
        switch deed {
        case .vanishes: await pause(wait)
        case .vanishesInLine: await peer.send("GET /a")
        case .standsInHead:
            await peer.send("GET /a HTTP/1.1\r\nHost: x\r\nX:")
            _ = await peer.readToEnd()
        case .asksTwice:
            for path in ["/slow", "/a"] {
                await peer.send(get(path))
                _ = await peer.read(until: "|end")
            }
        case .pipelines:
            await peer.send((0..<20).map { get($0 % 3 == 0 ? "/slow" : "/a") }.joined())
            for _ in 0..<wait { _ = await peer.read(until: "|end") }
        case .pipelinesStreams:
            await peer.send(get("/stream") + get("/hang") + get("/a"))
            _ = await peer.read(until: "|end")
        case .vanishesInBody:
            await peer.send(get("/a", "Content-Length: 9000\r\n", method: "POST") + "body")
            await pause(wait)
        case .sendsTooMuch:
            await peer.send(get("/a", "Content-Length: 30000\r\n", method: "POST"))
            await peer.send(String(repeating: "x", count: wait < 12 ? 30_000 : 29_999))
            if wait < 12 { _ = await peer.read(until: "}") }
        case .sendsChunks:
            await peer.send(get("/a", "Transfer-Encoding: chunked\r\n", method: "POST"))
            for _ in 0..<wait { await peer.send("3\r\nabc\r\n") }
            if wait % 2 == 0 {
                await peer.send("0\r\n\r\n")
                _ = await peer.read(until: "|end")
            }
        case .readsStream:
            await peer.send(get("/stream"))
            for _ in 0..<(wait / 4) { _ = await peer.read(until: "|end") }
        case .standsInStream:
            await peer.send(get("/flood"))
            await pause(wait * 20)
        case .vanishesInHandler:
            await peer.send(get(wait < 8 ? "/hang" : "/slow"))
            await pause(wait)
        case .isMalformed:
            await peer.send(wait % 2 == 0 ? "\0\r\n\r\n" : "GET  /a b HTTP/9\r\nx y\r\n\r\n")
            if wait < 12 { _ = await peer.readToEnd() }
        case .doesNotRead:
            await peer.send(get("/big") + get("/big"))
            await pause(wait * 20)
        case .finishesSending:
            await peer.send(get(wait < 12 ? "/slow" : "/a", "Connection: close\r\n"))
            await peer.finishSending()
            _ = await peer.readToEnd()
        case .asksHead:
            await peer.send(get(wait < 12 ? "/stream" : "/big", method: "HEAD"))
            _ = await peer.read(until: "\r\n\r\n")
        case .expects:
            await peer.send(
                get("/a", "Content-Length: 4\r\nExpect: 100-continue\r\n", method: "POST"))
            if wait < 12 {
                _ = await peer.read(until: "\r\n\r\n")
                await peer.send("body")
                _ = await peer.read(until: "|end")
            }
        }
        await peer.close()
    }

    /// Lets so many peers act beside each other, each one several times.
    private static func rage(_ arena: Arena, peers: Int, deeds: Int, seed: UInt64) async {
        await withTaskGroup(of: Void.self) { group in
            for peer in 0..<peers {
                group.addTask {
                    var random = SeededGenerator(seed: seed &+ UInt64(peer))
                    for _ in 0..<deeds {
                        guard let deed = Deed.allCases.randomElement(using: &random) else { return }
                        await act(deed, at: arena, &random)
                    }
                }
            }
        }
    }

    @Test(.timeLimit(.minutes(3)), arguments: [true, false])
    func `after random peers nothing is left of them, and the server answers`(
        isUnix: Bool
    ) async throws {
        let arena = try Arena(isUnix: isUnix)
        await HTTPServerStressTests.rage(arena, peers: 24, deeds: 17, seed: isUnix ? 1 : 100)
        let left = await arena.left(sockets: 1)
        #expect(left == nil, "\(left ?? "")")
        let other = await arena.connect()
        await other.send(get("/a"))
        #expect(await other.read(until: "|end").hasSuffix("|end"))
        await other.close()
        await arena.server.close()
    }

    @Test(.timeLimit(.minutes(3)), arguments: [0, 100])
    func `closed among random peers, a server leaves nothing`(limit: Int) async throws {
        for seed in 0..<4 {
            let arena = try Arena(isUnix: true)
            async let raging: Void = HTTPServerStressTests.rage(
                arena, peers: 16, deeds: 4, seed: UInt64(1000 + seed * 100))
            while await arena.server.figures.requests < 5 { await Task.yield() }
            await arena.server.close(within: .milliseconds(limit))
            await raging
            let left = await arena.left(sockets: 0)
            #expect(left == nil, "\(left ?? "")")
        }
    }
}
