import Dispatch
import Glibc
import RunwatchControl
import RunwatchCore
import RunwatchHTTP
import RunwatchLinux
import Synchronization
import TestSupport

/// The control server over a fake daemon at a real socket, and sessions that speak to it.
final class LiveControl: Sendable {
    let backend: FakeBackend
    let folder = TemporaryFolder()
    private let server = Mutex<HTTPServer?>(nil)
    private let limits: HTTPServerLimits

    init(_ backend: FakeBackend, limits: HTTPServerLimits = HTTPServerLimits()) throws {
        self.backend = backend
        self.limits = limits
        try start()
    }

    var socket: String { folder.path("control.sock") }

    func start() throws {
        let control = ControlServer(
            backend: backend,
            rights: ControlRights(ownUser: .max - 1, readGroup: getegid(), adminGroup: nil))
        let descriptor = try ListeningSocket.unix(path: socket, mode: 0o600, group: nil)
        let server = try HTTPServer(
            descriptor: descriptor, label: "test.control", limits: limits,
            problem: ControlServer.document(for:)
        ) { await control.respond(to: $0) }
        self.server.withLock { $0 = server }
    }

    var requestsUnderWay: Int {
        get async { await server.withLock { $0 }?.requestsUnderWay ?? 0 }
    }

    func stop() async {
        let server = self.server.withLock { server in
            defer { server = nil }
            return server
        }
        backend.endLive()
        await server?.close()
    }

    /// Carries out a verb on a thread of its own, since it blocks.
    func run(
        json: Bool = false, output: CapturedOutput = CapturedOutput(),
        screen: FakeTerminal? = nil, progress: FakeTerminal? = nil,
        _ verb: @escaping @Sendable (ControlSession) throws(ControlFailure) -> ExitStatus
    ) async -> Outcome {
        let session = ControlSession(
            socket: socket, output: output.controlOutput, isJSON: json,
            screen: screen?.terminal, progress: progress?.terminal)
        return await withCheckedContinuation { continuation in
            DispatchQueue(label: "test.verb").async {
                do throws(ControlFailure) {
                    let exit = try verb(session)
                    continuation.resume(returning: Outcome(exit: exit, output: output))
                } catch {
                    output.controlOutput.warn(error.message)
                    continuation.resume(returning: Outcome(exit: error.exit, output: output))
                }
            }
        }
    }

    /// How a verb ended.
    struct Outcome: Sendable {
        var exit: ExitStatus
        var output: CapturedOutput

        var text: String { output.text }
        var warnings: [String] { output.warnings }
        var document: JSONValue? { try? JSONValue(parsing: output.text) }
    }
}

/// What a verb wrote.
final class CapturedOutput: Sendable {
    private let written = Mutex<(bytes: [UInt8], warnings: [String])>(([], []))
    private let limit: Int

    /// - Parameter limit: The reader goes away after so many writes.
    init(limit: Int = .max) {
        self.limit = limit
    }

    private let writes = Mutex(0)

    var controlOutput: ControlOutput {
        ControlOutput(
            write: { bytes in
                self.written.withLock { $0.bytes += bytes }
                return self.writes.withLock {
                    $0 += 1
                    return $0 < self.limit
                }
            },
            warn: { warning in self.written.withLock { $0.warnings.append(warning) } })
    }

    var text: String { written.withLock { String(decoding: $0.bytes, as: UTF8.self) } }
    var lines: [String] { text.split(separator: "\n").map(String.init) }
    var warnings: [String] { written.withLock { $0.warnings } }
}

/// Waits for what must become true, and gives up long after it should be.
func eventually(_ condition: @Sendable () async -> Bool) async -> Bool {
    for _ in 0..<2000 {
        if await condition() { return true }
        guard (try? await Task.sleep(for: .milliseconds(10))) != nil else { return false }
    }
    return false
}
