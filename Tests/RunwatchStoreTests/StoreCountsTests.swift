import RunwatchCore
import TestSupport
import Testing

@testable import RunwatchStore

/// What the store counts as it commits, against what queries find.
@Suite struct StoreCountsTests {
    private let folder = TemporaryFolder()
    private var path: String { folder.path("runwatch.db") }

    /// The same, by going through every row.
    private func counted(_ reader: StoreReader) async throws -> StoreCounts {
        StoreCounts(
            watches: try await reader.stateCounts().map {
                .init(service: $0.service, state: $0.state, count: $0.count)
            },
            deliveries: try await reader.backlog().map {
                .init(receiver: $0.receiver, pending: $0.pending, failed: $0.failed)
            })
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `whatever is done in whatever order, the counts are those of the rows`(
        seed: UInt64
    ) async throws {
        var work = RandomWork(seed: seed)
        for _ in 0..<4 {
            let store = try Store(at: .file(path), time: ManualTime())
            let reader = try StoreReader(path: path)
            #expect(store.counts == (try await counted(reader)))
            for _ in 0..<60 {
                let what = try await work.step(on: store, reader)
                let found = try await counted(reader)
                #expect(store.counts == found, "after \(what)")
            }
            await reader.close()
            await store.close()
        }
        #expect(work.done.count == RandomWork.all.count, "\(work.done)")
    }

    @Test func `what is rolled back is not counted`() async throws {
        let store = try Store(at: .file(path), time: ManualTime())
        let watches = try await store.list(["1", "2"])
        let before = store.counts
        #expect(before?.watches == [.init(service: "warehouse", state: .unknown, count: 2)])
        try await store.limitPages(to: store.pages())
        var body = watches[0].next(.running, to: ["log"])
        body.events[0].json = Array(repeating: 0x20, count: 200_000)
        store.submit(.transition(body))
        await #expect(throws: StoreError.self) { try await store.flush() }
        #expect(store.counts == before)
        try await store.limitPages(to: nil)
        try await store.flush()
        #expect(store.counts?.deliveries == [.init(receiver: "log", pending: 1)])
        #expect(store.counts?.watches.map(\.state) == [.unknown, .running])
        await store.close()
    }

    @Test func `a change that is dropped alone is not counted`() async throws {
        let store = try Store(at: .file(path), time: ManualTime())
        let watch = try await store.list("1")
        // No such watch: its history has nothing to refer to, and the transaction is taken apart.
        var lost = watch.next(.error, to: ["ops"])
        lost.id = WatchID(rowID: 99)
        await store.submitTogether([
            .transition(lost), .transition(watch.next(.running, to: ["log"])),
        ])
        try await store.flush()
        #expect(store.counts?.deliveries == [.init(receiver: "log", pending: 1)])
        #expect(
            store.counts?.watches == [.init(service: "warehouse", state: .running, count: 1)])
        await store.close()
    }

    @Test(arguments: Connection.firstCounts)
    func `the start counts by indexes that have all it asks for`(sql: String) async throws {
        let store = try Store(at: .memory, time: ManualTime())
        let plan = try await store.plan(sql)
        #expect(plan.contains { $0.contains("USING COVERING INDEX") }, "\(plan)")
        #expect(!plan.contains { $0.contains("TEMP B-TREE") }, "\(plan)")
        await store.close()
    }

    @Test func `the oldest that is owed is the oldest event's, whatever was made first`()
        async throws
    {
        let store = try Store(at: .file(path), time: ManualTime())
        let reader = try StoreReader(path: path)
        for (offset, subject) in ["a", "b", "a", "c"].enumerated() {
            let at = moment(Int64(offset) * 1000 - 1_000_000)
            store.submit(.event(event(subject, to: ["log"], at: at), stalled: nil))
        }
        try await store.flush()
        #expect(try await reader.oldestPending(of: ["log", "ops"]) == ["log": moment(-1_000_000)])
        let due = try await store.due("log", at: moment(3_600_000)).deliveries
        let first = try #require(due.first { $0.event.subject == "a" })
        store.submit(attempt(first, .delivered))
        try await store.flush()
        #expect(try await reader.oldestPending(of: ["log"]) == ["log": moment(-999_000)])
        // Made pending again, it is the oldest again.
        try await store.redeliver(id: first.id)
        #expect(try await reader.oldestPending(of: ["log"]) == ["log": moment(-1_000_000)])
        await reader.close()
        await store.close()
    }
}

/// Random work of every kind that changes rows.
private struct RandomWork {
    static let all = [
        "adopt", "add", "remove", "rewatch", "transition", "event", "attempt", "digest",
        "redeliver", "redeliver all", "prune", "phases",
    ]

    private var generator: SeededGenerator
    private var now: Int64 = 0
    private(set) var done: Set<String> = []

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    private mutating func some<Value>(_ values: [Value]) -> [Value] {
        values.filter { _ in Bool.random(using: &generator) }
    }

    mutating func step(on store: Store, _ reader: StoreReader) async throws -> String {
        now += 1000
        let kind = RandomWork.all.randomElement(using: &generator) ?? ""
        done.insert(kind)
        let rows = try await reader.watches(WatchFilter(), after: nil, limit: 1000)
        let watch = rows.randomElement(using: &generator)?.watch
        switch kind {
        case "adopt":
            let specs = some(
                (0..<12).map { spec("\($0)", service: $0 % 3 == 0 ? "krixik" : "warehouse") })
            let discovery = DiscoverySpec(
                service: "warehouse", runTag: "t", settings: settings, path: "w.yaml", line: 1)
            _ = try await store.adopt(specs, discoveries: some([discovery]), kinds: kinds)
        case "add":
            let discovery = DiscoverySpec(
                service: "warehouse", runTag: "t", settings: settings, path: "w.yaml", line: 1)
            let runs = some((8..<20).map { "\($0)" })
            guard Bool.random(using: &generator) else {
                _ = try await store.add(
                    runs, as: WatchRequest(service: "warehouse"), kind: "kinetica")
                break
            }
            let specs = runs.map {
                WatchSpec(
                    name: WatchName(service: "warehouse", run: $0), settings: settings,
                    origin: .discovery("w.yaml", line: 1))
            }
            _ = try await store.add(specs, discovery: discovery, kind: "kinetica")
        case "remove":
            if let watch { store.submit(.removal(WatchRemoval(id: watch.id, events: []))) }
        case "rewatch": if let watch { _ = try await store.rewatch(watch.id) }
        case "transition":
            guard let watch else { break }
            let state = RunState.allCases.dropFirst().randomElement(using: &generator) ?? .lost
            store.submit(
                .transition(watch.next(state, at: moment(now), to: some(["log", "ops", "old"]))))
            // Known already: left alone, and its deliveries with it.
            store.submit(.transition(watch.next(.lost, at: moment(now), to: ["log"])))
        case "event":
            for number in 0..<Int.random(in: 1...9, using: &generator) {
                let new = event("s\(number % 3)", to: some(["log", "ops"]), at: moment(now))
                store.submit(.event(new, stalled: nil))
            }
        case "attempt", "digest":
            let digest = DigestSettings(window: .seconds(1), max: 3)
            for receiver in ["log", "ops"] {
                let due = try await store.dueDeliveries(
                    for: receiver, now: moment(now + 3_600_000), limit: 5, excluding: [],
                    digest: kind == "digest" ? digest : nil)
                for delivery in due.deliveries {
                    store.submit(RunwatchStoreTests.attempt(delivery, outcome()))
                }
            }
        case "redeliver":
            let all = try await reader.deliveries(DeliveryFilter(), limit: 1000)
            if let one = all.randomElement(using: &generator) {
                try await store.redeliver(id: one.id)
            }
        case "redeliver all": _ = try await store.redeliverFailed(receiver: "ops")
        case "prune":
            let before = moment(Int64.random(in: 0...now, using: &generator))
            _ = try await store.prune(before: before, limit: 20)
        default:
            if let watch { store.submit(.phases([(watch.id, watch.polls + 1, watch.phase)])) }
        }
        try await store.flush()
        return kind
    }

    private mutating func outcome() -> AttemptChange.Outcome {
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: .delivered
        case 1: .retry(at: moment(now + 1))
        case 2: .failed(nil)
        default: .failed(event("f", to: ["log"], at: moment(now)))
        }
    }
}

extension Store {
    /// The steps of a query's plan (sqlite.org/eqp.html).
    fileprivate func plan(_ sql: String) throws(StoreError) -> [String] {
        var row = try connection.statement("EXPLAIN QUERY PLAN " + sql)
        var steps: [String] = []
        while try row.step() { steps.append(row.text(3)) }
        return steps
    }
}
