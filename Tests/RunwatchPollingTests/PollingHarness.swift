import Dispatch
import Logging
import RunwatchCore
import RunwatchHTTP
import RunwatchStore
import Synchronization
import TestSupport

@testable import RunwatchPolling

/// A Kinetica server without a network: runs and their words, and faults on demand.
final class ScriptedKinetica: Sendable {
    struct State {
        var runs: [String: (word: String, tag: String?)] = [:]
        /// Answers given instead, in turn; a failure or a status.
        var faults: [Result<HTTPResponse, HTTPFailure>] = []
        /// Every answer is this one while it is set.
        var outage: Result<HTTPResponse, HTTPFailure>?
        /// What is answered to requests for all runs while it is set.
        var allFault: Result<HTTPResponse, HTTPFailure>?
        /// What is answered to requests for a tag while it is set.
        var tagFault: Result<HTTPResponse, HTTPFailure>?
        var singles = 0
        var alls = 0
        var tagged = 0
        var padding = 0
        /// The poller's, once it has a transport.
        var queue: DispatchQueue?
    }

    let state = Mutex(State())
    /// Answers that are kept back; `nil` while none are.
    private let held = Mutex<[@Sendable () -> Void]?>(nil)

    /// Keeps the answers back that are made from now on.
    func hold() {
        held.withLock { $0 = $0 ?? [] }
    }

    /// Gives the answers that were kept back as soon as `isTime`, before the poller does anything else.
    func release(when isTime: @escaping @Sendable () -> Bool) {
        state.withLock(\.queue)?.async {
            while !isTime() {}
            self.release()
        }
    }

    var heldCount: Int { held.withLock { $0?.count ?? 0 } }

    /// Gives the answers that were kept back, on the caller's queue, which is to be the poller's.
    func release() {
        let answers = held.withLock { held in
            defer { held = nil }
            return held ?? []
        }
        for answer in answers { answer() }
    }

    func give(_ answer: @escaping @Sendable () -> Void) {
        let isHeld = held.withLock { held in
            held?.append(answer)
            return held != nil
        }
        if !isHeld { answer() }
    }

    var requests: Int { state.withLock { $0.singles + $0.alls + $0.tagged } }
    var alls: Int { state.withLock { $0.alls } }
    var singles: Int { state.withLock { $0.singles } }
    var tagged: Int { state.withLock { $0.tagged } }

    func set(_ run: String, _ word: String?, tag: String? = nil) {
        state.withLock { $0.runs[run] = word.map { ($0, tag) } }
    }

    func fail(with faults: [Result<HTTPResponse, HTTPFailure>]) {
        state.withLock { $0.faults = faults }
    }

    func outage(_ fault: Result<HTTPResponse, HTTPFailure>?) {
        state.withLock { $0.outage = fault }
    }

    func answer(_ request: HTTPRequest) -> Result<HTTPResponse, HTTPFailure> {
        guard let body = try? JSONValue(parsing: request.body),
            let run = body["run_id"]?.stringValue
        else { return .success(HTTPResponse(status: 400)) }
        let tag = body["options"]?["run_tag"]?.stringValue
        return state.withLock { state in
            if !run.isEmpty { state.singles += 1 }
            if run.isEmpty, tag == nil { state.alls += 1 }
            if tag != nil { state.tagged += 1 }
            if let outage = state.outage { return outage }
            if run.isEmpty, tag == nil, let fault = state.allFault { return fault }
            if tag != nil, let fault = state.tagFault { return fault }
            if !state.faults.isEmpty { return state.faults.removeFirst() }
            let shown = state.runs.filter { entry in
                run.isEmpty ? tag == nil || entry.value.tag == tag : entry.key == run
            }
            return .success(ScriptedKinetica.response(shown, padding: state.padding))
        }
    }

    private static func response(
        _ runs: [String: (word: String, tag: String?)], padding: Int
    ) -> HTTPResponse {
        var inner = JSONWriter()
        inner.beginObject()
        inner.key("overall_statuses")
        inner.beginObject()
        for (run, value) in runs { inner.member(run, value.word) }
        inner.endObject()
        inner.key("options")
        inner.beginObject()
        for (run, value) in runs {
            inner.key(run)
            inner.beginObject()
            inner.member("run_tag", value.tag)
            inner.endObject()
        }
        inner.endObject()
        inner.member("padding", String(repeating: "x", count: padding))
        inner.endObject()
        var outer = JSONWriter()
        outer.beginObject()
        outer.member("status", "OK")
        outer.member("message", "")
        outer.member("data_type", "show_proc_status_response")
        outer.member("data", "")
        outer.member("data_str", inner.text)
        outer.endObject()
        return HTTPResponse(status: 200, contentType: "application/json", body: outer.bytes)
    }
}

/// Answers at once, on the poller's queue, after `send` has returned.
final class ScriptedTransport: HTTPTransport {
    private let queue: DispatchQueue
    private let kinetica: ScriptedKinetica

    init(queue: DispatchQueue, kinetica: ScriptedKinetica) {
        self.queue = queue
        self.kinetica = kinetica
        kinetica.state.withLock { $0.queue = queue }
    }

    func send(
        _ request: HTTPRequest,
        completion: @escaping (Result<HTTPResponse, HTTPFailure>) -> Void
    ) {
        let result = kinetica.answer(request)
        let kinetica = kinetica
        // Both sides of the hop are the same queue.
        nonisolated(unsafe) let completion = completion
        queue.async { kinetica.give { completion(result) } }
    }

    func close() {}
}

/// Keeps the messages of the log, from `notice` on.
struct RecordingLogHandler: LogHandler {
    let messages: @Sendable (String) -> Void
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.notice

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { messages("\(event.message)") }
}

/// A poller whose time stands still until a test moves it, over a real database.
final class PollingHarness: Sendable {
    let time = ManualTime()
    let kinetica = ScriptedKinetica()
    let store: Store
    let poller: Poller
    let events = Mutex<[RecordedEvent]>([])
    let log: Log

    /// The lines of the log.
    final class Log: Sendable {
        let lines = Mutex<[String]>([])
    }

    init(store: Store? = nil, seed: UInt64 = 1) async throws {
        self.store = try store ?? Store(at: .memory, time: time)
        let kinetica = kinetica
        let log = Log()
        self.log = log
        poller = Poller(
            store: self.store, time: time,
            logger: Logger(label: "test") { _ in
                RecordingLogHandler { line in log.lines.withLock { $0.append(line) } }
            }, seed: seed
        ) { queue, _ in
            ScriptedTransport(queue: queue, kinetica: kinetica)
        }
        await self.store.onCommit { [weak self] committed in
            self?.events.withLock { $0 += committed.events }
        }
    }

    /// Moves the time on in steps and lets everything happen that falls due.
    func run(for duration: Duration, step: Duration = .milliseconds(50)) async throws {
        var left = duration
        while left > .zero {
            time.advance(by: step)
            left -= step
            await poller.tick()
            // Answers stand in the poller's queue before this call does.
            _ = await poller.requestsInFlight
            while await poller.requestsInFlight > kinetica.heldCount {}
            while await poller.adoptions > 0 { await Task.yield() }
        }
        try await store.flush()
    }

    func told(_ subject: String) -> [String] {
        events.withLock { $0.filter { $0.subject == subject }.map(\.type.name) }
    }

    static func configuration(
        runs: [String] = [], coalesce: KineticaSettings.Coalesce = .auto,
        limits: ServiceLimits = ServiceLimits(), settings: WatchSettings = fast,
        discoveries: [String] = [], group: String? = nil, url: String = "http://127.0.0.1:9191",
        discoveryLabel: String? = nil
    ) -> Configuration {
        Configuration(
            file: "runwatch.yaml",
            services: [
                ServiceSettings(
                    name: "warehouse", kind: .kinetica(KineticaSettings(coalesce: coalesce)),
                    url: url, limits: limits)
            ],
            receivers: [
                ReceiverSettings(name: "log", kind: .stdout(.json), on: Set(EventType.all))
            ],
            watches: runs.enumerated().map { line, run in
                WatchSpec(
                    name: WatchName(service: "warehouse", run: run), group: group,
                    settings: settings, origin: .file("watches.yaml", line: line + 1))
            },
            discoveries: discoveries.map {
                DiscoverySpec(
                    service: "warehouse", runTag: $0, label: discoveryLabel, group: group,
                    settings: settings, path: "watches.yaml", line: 1)
            })
    }

    static let fast = WatchSettings(
        poll: PollSettings(
            initial: .seconds(1), factor: 1.5, maximum: .seconds(5), jitter: 0.1),
        notify: ["log"])

    static let steady = WatchSettings(
        poll: PollSettings(initial: .seconds(5), factor: 1, maximum: .seconds(5), jitter: 0.1),
        notify: ["log"])
}
