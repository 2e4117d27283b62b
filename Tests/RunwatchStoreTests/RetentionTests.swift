import RunwatchCore
import TestSupport
import Testing

@testable import RunwatchStore

@Suite struct RetentionTests {
    private let time = ManualTime()

    private func open() throws -> Store { try Store(at: .memory, time: time) }

    private func prune(_ store: Store, before: Timestamp, limit: Int = 100) async throws {
        while try await store.prune(before: before, limit: limit) {}
    }

    private func count(_ table: String, _ store: Store) async throws -> Int64? {
        try await store.number("SELECT count(*) FROM \(table)")
    }

    @Test func `old events go with their deliveries and attempts, newer ones stay`() async throws {
        let store = try open()
        for number: Int64 in 0..<10 {
            store.submit(.event(event("a", to: ["ops"], at: moment(number)), stalled: nil))
        }
        for _ in 0..<10 {
            let due = try #require(try await store.due("ops").deliveries.first)
            store.submit(attempt(due, .delivered))
        }
        try await store.flush()
        try await prune(store, before: moment(6), limit: 2)
        #expect(try await count("event", store) == 4)
        #expect(try await count("delivery", store) == 4)
        #expect(try await count("attempt", store) == 4)
        #expect(try await store.number("SELECT min(number) FROM event") == 7)
        await store.close()
    }

    @Test func `an event that is still owed stays, and does not hold back the others`() async throws
    {
        let store = try open()
        for subject in ["owed", "told"] {
            for number: Int64 in 0..<5 {
                store.submit(
                    .event(
                        event("\(subject)-\(number)", to: ["ops"], at: moment(number)), stalled: nil
                    ))
            }
        }
        for due in try await store.due("ops").deliveries where due.event.subject.hasPrefix("told") {
            store.submit(attempt(due, .delivered))
        }
        try await store.flush()
        try await prune(store, before: moment(100), limit: 1)
        #expect(
            try await store.number("SELECT count(*) FROM event WHERE subject LIKE 'owed%'") == 5)
        #expect(try await count("event", store) == 5)
        // In the next round, what was given up meanwhile goes too.
        for due in try await store.due("ops").deliveries {
            store.submit(attempt(due, .failed(nil)))
        }
        try await store.flush()
        try await prune(store, before: moment(100))
        #expect(try await count("event", store) == 0)
        #expect(try await count("delivery", store) == 0)
        await store.close()
    }

    @Test func `what a file lists keeps its row and its history however old`() async throws {
        let store = try open()
        let watch = try await store.list("12")
        store.submit(.transition(watch.next(.complete)))
        try await store.flush()
        try await prune(store, before: moment(1_000_000))
        #expect(try await count("watch", store) == 1)
        #expect(try await count("transition", store) == 1)
        #expect(try await count("event", store) == 0)
        await store.close()
    }

    @Test func `what ended and left the list goes with its history`() async throws {
        let store = try open()
        let watches = try await store.list(["old", "new", "kept"])
        for (watch, at) in zip(watches, [moment(0), moment(1000), moment(0)]) {
            store.submit(.transition(watch.next(.complete, at: at)))
        }
        _ = try await store.list(["kept"])
        try await prune(store, before: moment(500), limit: 1)
        #expect(try await store.number("SELECT count(*) FROM watch WHERE run = 'old'") == 0)
        #expect(try await count("watch", store) == 2)
        #expect(try await count("transition", store) == 2)
        await store.close()
    }

    @Test func `what left the list unfinished goes once it has been away that long`() async throws {
        let store = try open()
        _ = try await store.list(["a"])
        let left = time.wallClock()
        _ = try await store.list([])
        try await prune(store, before: left)
        #expect(try await count("watch", store) == 1)
        try await prune(store, before: left.advanced(by: .milliseconds(1)))
        #expect(try await count("watch", store) == 0)
        await store.close()
    }

    @Test func `an ended discovered watch goes, and is not found anew`() async throws {
        let store = try open()
        let discovery = DiscoverySpec(
            service: "warehouse", runTag: "nightly", settings: settings, path: "w.yaml", line: 1)
        let specs = ["1", "2"].map {
            WatchSpec(
                name: WatchName(service: "warehouse", run: $0), settings: settings,
                origin: .discovery("w.yaml", line: 1))
        }
        let watches = try await store.add(specs, discovery: discovery, kind: "kinetica")
        store.submit(.transition(watches[0].next(.complete)))
        try await store.flush()
        try await prune(store, before: moment(1))
        let adoption = try await store.adopt([], discoveries: [discovery], kinds: kinds)
        #expect(adoption.discovered == [[watches[1]]])
        #expect(adoption.met == [["1", "2"]])
        await store.close()
    }

    @Test func `a step looks at no more than its limit`() async throws {
        let store = try open()
        for number in 0..<10 {
            store.submit(.event(event("\(number)", to: []), stalled: nil))
        }
        try await store.flush()
        #expect(try await store.prune(before: moment(1), limit: 3))
        #expect(try await count("event", store) == 7)
        await store.close()
    }
}
