import Dispatch
import Glibc
import RunwatchCore
import RunwatchHTTP
import RunwatchLinux
import RunwatchStore
import Synchronization
import Testing

struct TimedOut: Error, CustomStringConvertible {
    var description: String
}

/// Waits until something is true; a generous limit stands for "never".
func eventually(
    _ what: String, limit: Duration = .seconds(60), _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now.advanced(by: limit)
    while try await !condition() {
        guard ContinuousClock.now < end else { throw TimedOut(description: "never: \(what)") }
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// A pipe of a test's own; both ends are closed with it.
final class TestPipe: Sendable {
    let readEnd: Int32
    let writeEnd: Int32
    private let isReadEndOpen = Mutex(true)

    init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else {
            throw SystemCallError(call: "pipe", errno: errno)
        }
        readEnd = ends[0]
        writeEnd = ends[1]
        _ = fcntl(readEnd, F_SETFL, O_NONBLOCK)
    }

    deinit {
        closeReadEnd()
        close(writeEnd)
    }

    func closeReadEnd() {
        isReadEndOpen.withLock { isOpen in
            if isOpen { close(readEnd) }
            isOpen = false
        }
    }

    /// Fills the pipe, so that the next write has to wait.
    func fill() {
        _ = fcntl(writeEnd, F_SETFL, O_NONBLOCK)
        let bytes = [UInt8](repeating: 0x2E, count: 4096)
        while write(writeEnd, bytes, bytes.count) > 0 {}
        while write(writeEnd, bytes, 1) > 0 {}
        _ = fcntl(writeEnd, F_SETFL, 0)
    }

    /// Gives what has arrived, at least one byte.
    func read(atMost limit: Int) async throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: limit)
        var count = 0
        try await eventually("bytes in the pipe") {
            count = Glibc.read(readEnd, &buffer, limit)
            return count > 0
        }
        return Array(buffer.prefix(count))
    }
}

/// What a scripted receiver answers to one request.
enum Answer: Sendable {
    case response(HTTPResponse)
    case failure(HTTPFailure)
    /// Answers when the transport is closed.
    case never
    /// Answers when the end is told to release it.
    case held

    static func status(_ status: Int, _ body: String = "", retryAfter: RetryHint? = nil) -> Answer {
        .response(HTTPResponse(status: status, retryAfter: retryAfter, body: Array(body.utf8)))
    }
}

extension Answer {
    fileprivate var result: Result<HTTPResponse, HTTPFailure>? {
        switch self {
        case .response(let response): .success(response)
        case .failure(let failure): .failure(failure)
        case .never, .held: nil
        }
    }
}

/// A far end whose answers a closure decides; it remembers every request.
final class ScriptedEnd: Sendable {
    struct Seen: Sendable {
        var url: String
        var id: String
        var headers: [String: String]
        var body: [UInt8]
        var timeout: Duration
    }

    private struct State {
        var seen: [Seen] = []
        var options: [HTTPConnectionOptions] = []
        var script: @Sendable (Seen) -> Answer
        var closed = 0
        var inFlight = 0
        var mostInFlight = 0
        var held: [@Sendable (Answer) -> Void] = []
    }

    private let state: Mutex<State>

    init(_ script: @escaping @Sendable (Seen) -> Answer = { _ in .status(204) }) {
        state = Mutex(State(script: script))
    }

    var seen: [Seen] { state.withLock { $0.seen } }
    var closed: Int { state.withLock { $0.closed } }
    var options: [HTTPConnectionOptions] { state.withLock { $0.options } }
    var mostInFlight: Int { state.withLock { $0.mostInFlight } }

    func script(_ script: @escaping @Sendable (Seen) -> Answer) {
        state.withLock { $0.script = script }
    }

    /// Answers everything that is held.
    func release(_ answer: Answer) {
        let held = state.withLock { state in
            defer { state.held = [] }
            return state.held
        }
        for give in held { give(answer) }
    }

    fileprivate func hold(_ give: @escaping @Sendable (Answer) -> Void) {
        state.withLock { $0.held.append(give) }
    }

    /// The transport's maker, as the deliverer wants it.
    var make: @Sendable (DispatchQueue, HTTPConnectionOptions) -> any HTTPTransport {
        { queue, options in
            self.state.withLock { $0.options.append(options) }
            return ScriptedTransport(self, queue)
        }
    }

    fileprivate func answer(_ request: HTTPRequest) -> Answer {
        let headers = Dictionary(request.headers.map { ($0.name, $0.value) }) { $1 }
        let seen = Seen(
            url: request.url, id: headers["webhook-id"] ?? "", headers: headers,
            body: request.body, timeout: request.timeout)
        let script = state.withLock { state in
            state.seen.append(seen)
            state.inFlight += 1
            state.mostInFlight = max(state.mostInFlight, state.inFlight)
            return state.script
        }
        return script(seen)
    }

    fileprivate func ended() { state.withLock { $0.inFlight -= 1 } }
    fileprivate func noteClosed() { state.withLock { $0.closed += 1 } }
}

/// A transport without a network: the scripted end decides.
final class ScriptedTransport: HTTPTransport {
    private let end: ScriptedEnd
    private let queue: DispatchQueue
    private var pending: [(Result<HTTPResponse, HTTPFailure>) -> Void] = []

    init(_ end: ScriptedEnd, _ queue: DispatchQueue) {
        self.end = end
        self.queue = queue
    }

    func send(
        _ request: HTTPRequest, completion: @escaping (Result<HTTPResponse, HTTPFailure>) -> Void
    ) {
        let (end, queue) = (end, queue)
        nonisolated(unsafe) let completion = completion
        let give: @Sendable (Answer) -> Void = { answer in
            guard let result = answer.result else { return }
            queue.async {
                end.ended()
                completion(result)
            }
        }
        switch end.answer(request) {
        case .never: pending.append(completion)
        case .held: end.hold(give)
        case let answer: give(answer)
        }
    }

    func close() {
        end.noteClosed()
        let waiting = pending
        pending = []
        for completion in waiting {
            nonisolated(unsafe) let completion = completion
            queue.async { completion(.failure(HTTPFailure(.cancelled, "closed"))) }
        }
    }
}
