import Dispatch
import Glibc
import Logging
import RunwatchCore
import RunwatchDelivery
import RunwatchHTTP
import RunwatchLinux
import RunwatchStore
import Synchronization
import TestSupport
import Testing

/// Keeps what was logged.
final class LogBook: Sendable {
    let lines = Mutex<[(level: Logger.Level, text: String)]>([])

    struct Handler: LogHandler {
        let book: LogBook
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            book.lines.withLock { $0.append((event.level, "\(event.message)")) }
        }
    }

    var logger: Logger { Logger(label: "test") { _ in Handler(book: self) } }

    /// What was logged above debug level.
    var told: [String] {
        lines.withLock { $0.filter { $0.level > .debug }.map(\.text) }
    }
}

/// A store, a scripted far end and a deliverer between them.
struct DelivererBench {
    let store: Store
    let end: ScriptedEnd
    let log = LogBook()
    let deliverer: Deliverer

    init(
        _ receivers: [ReceiverSettings], store: Store? = nil, end: ScriptedEnd = ScriptedEnd(),
        time: any TimeSource = SystemTime(), seed: UInt64 = 1, standardOutput: Int32 = -1
    ) async throws {
        let store = try store ?? Store(at: .memory, time: time)
        let deliverer = Deliverer(
            store: store, time: time, logger: log.logger, seed: seed,
            standardOutput: standardOutput, makeTransport: end.make)
        await store.onCommit { [weak deliverer] in deliverer?.wake($0.receivers) }
        await deliverer.apply(receivers)
        self.store = store
        self.end = end
        self.deliverer = deliverer
    }

    static func webhook(
        _ name: String, retry: [Duration] = ReceiverSettings.standardRetry,
        on: Set<EventType> = EventType.finalStates, path: String = ""
    ) -> ReceiverSettings {
        ReceiverSettings(
            name: name, kind: .webhook(WebhookSettings(url: Secret("http://\(name).test/\(path)"))),
            on: on,
            retry: retry)
    }

    static func event(
        _ subject: String, _ receivers: [String], number: Int = 0, type: EventType = .run(.complete)
    ) -> NewEvent {
        NewEvent(
            type: type, timestamp: SystemTime().wallClock(), subject: subject,
            json: Array(
                #"{"type":"\#(type)","data":{"run":"\#(subject)","number":\#(number)}}"#.utf8),
            receivers: receivers)
    }

    func submit(_ subject: String, _ receivers: [String], number: Int = 0) {
        store.submit(.event(Self.event(subject, receivers, number: number), stalled: nil))
    }

    /// How many deliveries of a receiver are owed, when they are of different runs.
    func owed(_ receiver: String) async throws -> Int {
        let later = SystemTime().wallClock().advanced(by: .seconds(100 * 365 * 86_400))
        return try await store.dueDeliveries(
            for: receiver, now: later, limit: 100_000, excluding: []
        ).deliveries.count
    }

    /// Returns when something submitted now has gone through: what else was possible has begun by then.
    func settle(_ receiver: String) async throws {
        let subject = "settle/\(end.seen.count)-\(UInt64.random(in: 0 ... .max))"
        submit(subject, [receiver])
        try await eventually("\(receiver) settles") {
            end.seen.contains { $0.subject == subject }
        }
    }

    func stop() async {
        await deliverer.drain(until: SystemTime().now().advanced(by: .seconds(10)))
        await store.close()
    }
}

extension ScriptedEnd.Seen {
    var subject: String {
        (try? JSONValue(parsing: body))?["data"]?["run"]?.stringValue ?? ""
    }

    var number: Int {
        Int((try? JSONValue(parsing: body))?["data"]?["number"]?.integerValue ?? -1)
    }

    /// The receiver's name.
    var host: String { String(url.dropFirst(7).prefix { $0 != "." }) }
}
