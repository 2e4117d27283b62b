import RunwatchCore
import RunwatchLinux
import TestSupport
import Testing

@testable import RunwatchStore

@Suite struct DigestTests {
    private static let window = Duration.seconds(300)
    private let time = ManualTime()
    private let settings = DigestSettings(window: DigestTests.window, max: 4)

    private func open() throws -> Store { try Store(at: .memory, time: time) }

    /// One event for each subject, owed to `ops`, all at the same moment.
    private func owe(_ subjects: [String], in store: Store, at: Timestamp = moment()) async throws {
        for subject in subjects {
            store.submit(.event(event(subject, to: ["ops"], at: at), stalled: nil))
        }
        try await store.flush()
    }

    private func due(
        _ store: Store, after wait: Duration, excluding: Set<String> = [],
        digest: DigestSettings? = DigestSettings(window: DigestTests.window, max: 4)
    ) async throws -> DueDeliveries {
        try await store.dueDeliveries(
            for: "ops", now: moment().advanced(by: wait), limit: 100, excluding: excluding,
            digest: digest)
    }

    private func numbers(_ delivery: PendingDelivery?) -> [Int64] {
        delivery?.parts.map(\.event.number) ?? []
    }

    @Test func `events wait for the window, then go as one, in their order`() async throws {
        let store = try open()
        try await owe(["a", "b", "a"], in: store)
        let early = try await due(store, after: .seconds(299))
        #expect(early.deliveries.isEmpty)
        #expect(early.nextDueAt == moment().advanced(by: Self.window))
        let ripe = try await due(store, after: Self.window).deliveries
        #expect(ripe.count == 1)
        #expect(ripe.first?.isDigest == true)
        #expect(numbers(ripe.first) == [1, 2, 3])
        let id = try #require(ripe.first?.id)
        #expect(id.hasPrefix("msg_") && ripe[0].parts.allSatisfy { $0.delivery != id })
        #expect(Set(ripe[0].parts.map(\.delivery)).count == 3)
        await store.close()
    }

    @Test func `as many as fit go at once, and the rest waits on`() async throws {
        let store = try open()
        try await owe(["a", "b", "c", "b", "d", "e"], in: store)
        let full = try await due(store, after: .zero)
        #expect(full.deliveries.count == 1)
        #expect(full.deliveries.first?.parts.count == 4)
        let id = try #require(full.deliveries.first?.id)
        let rest = try await due(store, after: .zero, excluding: [id])
        #expect(rest.deliveries.isEmpty)
        #expect(rest.nextDueAt == moment().advanced(by: Self.window))
        store.submit(attempt(full.deliveries[0], .delivered))
        let last = try await due(store, after: Self.window).deliveries
        #expect(
            Set(numbers(full.deliveries.first) + numbers(last.first)) == Set(1...6))
        #expect(last.first?.parts.count == 2)
        await store.close()
    }

    @Test func `a digest stays as it was bound, whatever comes and whatever is configured then`()
        async throws
    {
        let store = try open()
        try await owe(["a", "b"], in: store)
        let first = try #require(try await due(store, after: Self.window).deliveries.first)
        store.submit(attempt(first, .retry(at: moment(400_000)), status: 503))
        try await owe(["a", "c"], in: store, at: moment(310_000))
        // Not yet due again, and what came later for the same subject is behind it.
        let before = try await due(store, after: .seconds(320))
        #expect(before.deliveries.isEmpty)
        for digest in [settings, nil] {
            let due = try await due(store, after: .seconds(400), digest: digest).deliveries
            let again = due.first { $0.id == first.id }
            #expect(again?.parts == first.parts)
            #expect(again?.attempts == 1)
            #expect(due.allSatisfy { !$0.parts.contains { $0.event.number == 3 } })
        }
        store.submit(attempt(first, .delivered))
        let rest = try await due(store, after: .seconds(620)).deliveries
        #expect(rest.map { numbers($0) } == [[3, 4]])
        #expect(rest.first?.id != first.id)
        #expect(try await store.number("SELECT count(*) FROM attempt") == 4)
        await store.close()
    }

    @Test func `what was attempted by itself is not gathered, for its ID may be known`()
        async throws
    {
        let store = try open()
        try await owe(["a", "a", "b"], in: store)
        let alone = try #require(
            try await due(store, after: .zero, digest: nil).deliveries.first)
        store.submit(attempt(alone, .retry(at: moment(5000)), status: 500))
        let due = try await due(store, after: Self.window).deliveries
        #expect(due.first { !$0.isDigest }?.id == alone.id)
        // The second of its subject waits behind it.
        #expect(due.filter(\.isDigest).map { numbers($0) } == [[3]])
        await store.close()
    }

    @Test func `a digest that is given up fails whole, is told of once, and comes back whole`()
        async throws
    {
        let store = try open()
        try await owe(["a", "b", "a"], in: store)
        let first = try #require(try await due(store, after: Self.window).deliveries.first)
        store.submit(attempt(first, .failed(event("ops", to: ["pager"]))))
        try await store.flush()
        #expect(try await store.number("SELECT count(*) FROM event") == 4)
        #expect(try await store.number("SELECT count(*) FROM delivery WHERE state = 'failed'") == 3)
        let redelivery = try await store.redeliver(id: first.parts[1].delivery)
        #expect(redelivery == Redelivery(receiver: "ops", message: first.id))
        let again = try #require(try await store.pendingDelivery(first.id, of: "ops"))
        #expect(again.parts == first.parts)
        #expect(again.attempts == 0)
        store.submit(attempt(again, .failed(nil)))
        #expect(try await store.redeliver(id: first.id) == redelivery)
        #expect(try await store.pendingDelivery(first.id, of: "ops")?.parts == first.parts)
        await store.close()
    }

    @Test func `all that failed comes back, each digest under its own ID`() async throws {
        let store = try open()
        try await owe(["a", "b"], in: store)
        let digest = try #require(try await due(store, after: Self.window).deliveries.first)
        store.submit(attempt(digest, .failed(nil)))
        store.submit(.event(event("c", to: ["ops", "other"]), stalled: nil))
        for receiver in ["ops", "other"] {
            let alone = try #require(try await store.due(receiver).deliveries.first)
            store.submit(attempt(alone, .failed(nil)))
        }
        #expect(try await store.redeliverFailed(receiver: "nobody") == 0)
        #expect(try await store.redeliverFailed(receiver: "ops") == 3)
        #expect(try await store.redeliverFailed(receiver: "other") == 1)
        #expect(try await store.number("SELECT count(*) FROM delivery WHERE state = 'failed'") == 0)
        let later = time.wallClock().advanced(by: .seconds(86_400))
        let due = try await store.due("ops", at: later).deliveries
        #expect(Set(due.map { numbers($0) }) == [[1, 2], [3]])
        #expect(due.first(where: \.isDigest)?.id == digest.id)
        await store.close()
    }

    @Test func `more than one commit's worth comes back in steps`() async throws {
        let store = try open()
        try await owe((0..<1200).map { "run/\($0)" }, in: store)
        let due = try await store.due("ops", limit: 2000).deliveries
        #expect(due.count == 1200)
        for delivery in due { store.submit(attempt(delivery, .failed(nil))) }
        #expect(try await store.redeliverFailed(receiver: "ops") == 1200)
        #expect(
            try await store.number("SELECT count(*) FROM delivery WHERE state = 'pending'") == 1200)
        await store.close()
    }

    @Test func `a search gives no more events than are asked for, but for the end of a digest`()
        async throws
    {
        let store = try open()
        try await owe((0..<100).map { "run/\($0)" }, in: store)
        let commits = store.commits
        var seen: Set<Int64> = []
        var excluded: Set<String> = []
        for _ in 0..<10 {
            let due = try await store.dueDeliveries(
                for: "ops", now: moment(), limit: 10, excluding: excluded, digest: settings)
            #expect(due.deliveries.map(\.parts.count) == [4, 4, 4])
            seen.formUnion(due.deliveries.flatMap { numbers($0) })
            excluded.formUnion(due.deliveries.map(\.id))
            if seen.count == 96 { break }
        }
        #expect(seen.count == 96)
        // What is found at once is bound at once.
        #expect(store.commits - commits <= 9)
        await store.close()
    }

    @Test func `a digest waits for what was redelivered before it in one of its lines`()
        async throws
    {
        let store = try open()
        try await owe(["a"], in: store)
        let old = try #require(try await due(store, after: .zero, digest: nil).deliveries.first)
        store.submit(attempt(old, .failed(nil)))
        try await owe(["b", "a"], in: store)
        let digest = try #require(try await due(store, after: Self.window).deliveries.first)
        #expect(numbers(digest) == [2, 3])
        store.submit(attempt(digest, .retry(at: moment(400_000)), status: 503))
        try await store.redeliver(id: old.id)
        let late = Timestamp(milliseconds: .max)
        #expect(try await store.due("ops", at: late).deliveries.map(\.id) == [old.id])
        #expect(try await store.pendingDelivery(digest.id, of: "ops") == nil)
        store.submit(attempt(old, .delivered))
        #expect(try await store.due("ops", at: late).deliveries.map(\.id) == [digest.id])
        await store.close()
    }

    @Test func `digests of a thousand come back as fast as so many deliveries`() async throws {
        let store = try open()
        let clock = ContinuousClock()
        try await owe((0..<3000).map { "run/\($0)" }, in: store)
        let alone = try await store.due("ops", limit: 3000).deliveries
        for delivery in alone { store.submit(attempt(delivery, .failed(nil))) }
        try await store.flush()
        func redeliver() async throws -> Duration {
            let start = clock.now
            let count = try await store.redeliverFailed(receiver: "ops")
            #expect(count == 3000)
            return start.duration(to: clock.now)
        }
        let base = try await redeliver()
        // As if they had never been attempted.
        try await store.execute("DELETE FROM attempt; UPDATE delivery SET attempts = 0")
        for _ in 0..<3 {
            let found = try await store.dueDeliveries(
                for: "ops", now: Timestamp(milliseconds: .max), limit: 100, excluding: [],
                digest: DigestSettings(window: .seconds(1), max: 1000))
            for digest in found.deliveries { store.submit(attempt(digest, .failed(nil))) }
        }
        let time = try await redeliver()
        #expect(time < base * 10, "\(time) against \(base)")
        await store.close()
    }

    @Test func `a bound digest outlives the process`() async throws {
        let folder = TemporaryFolder()
        let path = folder.path("runwatch.db")
        var store = try Store(at: .file(path), time: time)
        try await owe(["a", "b"], in: store)
        let first = try #require(try await due(store, after: Self.window).deliveries.first)
        await store.close()
        store = try Store(at: .file(path), time: time)
        #expect(try await due(store, after: Self.window).deliveries == [first])
        await store.close()
    }

    @Test func `a database of the first version gains the new columns and keeps its deliveries`()
        async throws
    {
        let folder = TemporaryFolder()
        let path = folder.path("runwatch.db")
        var connection = try Connection(path: path, mode: .write)
        try connection.execute(String(decoding: Schema.scripts[0], as: UTF8.self))
        try connection.execute("PRAGMA user_version = 1")
        try connection.execute("PRAGMA application_id = \(Schema.applicationID)")
        let checksum = Checksum.of(Array("{}".utf8))
        try connection.execute(
            """
            INSERT INTO event VALUES (1, 'service.down', 1, 'a', '{}', \(checksum));
            INSERT INTO delivery VALUES ('msg_OLD', 1, 'ops', 'a', 'pending', 3, 1, 1, NULL);
            """)
        connection.close()
        let store = try Store(at: .file(path), time: time)
        let old = try await store.due("ops").deliveries
        #expect(old.map(\.id) == ["msg_OLD"] && old.map(\.attempts) == [3])
        #expect(try await store.number("PRAGMA user_version") == Schema.version)
        await store.close()
    }
}
