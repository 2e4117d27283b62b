import RunwatchCore
import RunwatchLinux
import TestSupport
import Testing

@testable import RunwatchStore

@Suite struct AdoptionTests {
    private func open() throws -> Store { try Store(at: .memory, time: ManualTime()) }

    private func discovery(_ tag: String = "nightly", line: Int = 1) -> DiscoverySpec {
        DiscoverySpec(
            service: "warehouse", runTag: tag, label: tag, settings: settings,
            path: "watches.yaml", line: line)
    }

    private func found(_ run: String, line: Int = 1) -> WatchSpec {
        WatchSpec(
            name: WatchName(service: "warehouse", run: run), label: "nightly", settings: settings,
            origin: .discovery("watches.yaml", line: line))
    }

    private func listed(_ store: Store) async throws -> Int64? {
        try await store.number("SELECT count(*) FROM watch WHERE is_listed = 1")
    }

    @Test func `new watches get rows, and the same rows again`() async throws {
        let store = try open()
        let first = try await store.list(["b", "a", "c"])
        #expect(first.map(\.name.run) == ["b", "a", "c"])
        #expect(Set(first.map(\.id.rowID)) == [1, 2, 3])
        #expect(first.allSatisfy { $0.state == .unknown && $0.sequence == 0 })
        #expect(try await store.list(["b", "a", "c"]) == first)
        #expect(try await store.list(["c", "b", "a"]) == [first[2], first[0], first[1]])
        await store.close()
    }

    @Test func `a list that is the same writes nothing`() async throws {
        let store = try open()
        let specs = (0..<100).map { spec("run-\($0)", line: $0) }
        _ = try await store.adopt(specs, discoveries: [], kinds: kinds)
        let before = store.commits
        _ = try await store.adopt(specs, discoveries: [], kinds: kinds)
        #expect(store.commits == before)
        await store.close()
    }

    @Test func `only what differs is written`() async throws {
        let store = try open()
        var specs = (0..<10).map { spec("run-\($0)") }
        _ = try await store.adopt(specs, discoveries: [], kinds: kinds)
        try await store.execute(
            """
            CREATE TEMP TABLE touched (id INTEGER);
            CREATE TEMP TRIGGER touch AFTER UPDATE ON main.watch
            BEGIN INSERT INTO touched VALUES (new.id); END
            """)
        specs[3].label = "new"
        specs[5].group = "g"
        specs[7].parameters = ["pipeline": "p"]
        specs[9].origin = .file("watches.yaml", line: 2)
        _ = try await store.adopt(specs, discoveries: [], kinds: kinds)
        #expect(try await store.number("SELECT group_concat(id, '') = '46810' FROM touched") == 1)
        await store.close()
    }

    @Test func `what leaves the list keeps its row and its history, and may come back`()
        async throws
    {
        let store = try open()
        let watches = try await store.list(["a", "b"])
        let change = watches[1].next(.running)
        store.submit(.transition(change))
        _ = try await store.list(["a"])
        #expect(try await listed(store) == 1)
        #expect(try await store.number("SELECT count(*) FROM transition") == 1)
        #expect(try await store.list(["a", "b"])[1] == watches[1].after(change))
        #expect(try await listed(store) == 2)
        #expect(
            try await store.number("SELECT count(*) FROM watch WHERE unlisted_at_ms IS NOT NULL")
                == 0)
        await store.close()
    }

    @Test func `a name that comes twice is one watch`() async throws {
        let store = try open()
        let watches = try await store.list(["a", "b", "a"])
        #expect(watches[0] == watches[2])
        #expect(watches[0].id != watches[1].id)
        #expect(watches[0].id.rowID != 0)
        #expect(try await store.list(["a", "b", "a"]) == watches)
        await store.close()
    }

    @Test func `a row ID is never used twice`() async throws {
        let store = try open()
        _ = try await store.list(["a", "b"])
        try await store.execute("DELETE FROM watch WHERE run = 'b'")
        #expect(try await store.list(["a", "c"])[1].id.rowID == 3)
        await store.close()
    }

    @Test func `more watches than one transaction takes are all adopted`() async throws {
        let store = try open()
        let runs = (0..<25_000).map { "run-\($0)" }
        let watches = try await store.list(runs)
        #expect(watches.map(\.id.rowID) == Array(1...25_000))
        #expect(try await store.list(runs) == watches)
        await store.close()
    }

    // MARK: Discovery

    @Test func `a discovery that never looked has met nothing, one that looked in vain has`()
        async throws
    {
        let store = try open()
        let spec = discovery()
        var adoption = try await store.adopt([], discoveries: [spec], kinds: kinds)
        #expect(adoption.met == [nil])
        #expect(adoption.discovered == [[]])
        try await store.noteMet([], by: spec)
        adoption = try await store.adopt([], discoveries: [spec, discovery("other")], kinds: kinds)
        #expect(adoption.met == [[], nil])
        await store.close()
    }

    @Test func `what a discovery found is given back, with all it has met`() async throws {
        let store = try open()
        let spec = discovery()
        try await store.noteMet(["old"], by: spec)
        let watches = try await store.add(
            [found("1"), found("2")], discovery: spec, kind: "kinetica")
        #expect(watches.map(\.name.run) == ["1", "2"])
        let adoption = try await store.adopt([], discoveries: [spec], kinds: kinds)
        #expect(adoption.discovered == [watches])
        #expect(adoption.met == [["old", "1", "2"]])
        #expect(try await listed(store) == 2)
        await store.close()
    }

    @Test func `a discovery is known by its service and tag, wherever its line stands`()
        async throws
    {
        let store = try open()
        let watches = try await store.add([found("1")], discovery: discovery(), kind: "kinetica")
        let adoption = try await store.adopt([], discoveries: [discovery(line: 9)], kinds: kinds)
        #expect(adoption.discovered == [watches])
        #expect(
            try await store.number("SELECT origin = 'watches.yaml:9 (discovered)' FROM watch") == 1)
        await store.close()
    }

    @Test func `when a discovery leaves the list so do its watches, and they come back with it`()
        async throws
    {
        let store = try open()
        let watches = try await store.add([found("1")], discovery: discovery(), kind: "kinetica")
        _ = try await store.adopt([], discoveries: [], kinds: kinds)
        #expect(try await listed(store) == 0)
        let adoption = try await store.adopt([], discoveries: [discovery()], kinds: kinds)
        #expect(adoption.discovered == [watches])
        #expect(try await listed(store) == 1)
        await store.close()
    }

    @Test func `a discovered run that a file lists is the file's, until it leaves the file`()
        async throws
    {
        let store = try open()
        let watches = try await store.add([found("1")], discovery: discovery(), kind: "kinetica")
        var adoption = try await store.adopt(
            [spec("1")], discoveries: [discovery()], kinds: kinds)
        #expect(adoption.watches == watches)
        #expect(adoption.discovered == [[]])
        #expect(adoption.met == [["1"]])
        adoption = try await store.adopt([], discoveries: [discovery()], kinds: kinds)
        #expect(adoption.discovered == [watches])
        await store.close()
    }

    @Test func `a run that a file lists and a discovery finds stays the file's`() async throws {
        let store = try open()
        let listed = try await store.list("1")
        let added = try await store.add([found("1")], discovery: discovery(), kind: "kinetica")
        #expect(added == [listed])
        let adoption = try await store.adopt([spec("1")], discoveries: [discovery()], kinds: kinds)
        #expect(adoption.watches == [listed])
        #expect(adoption.met == [["1"]])
        await store.close()
    }

    // MARK: Afresh

    @Test func `a watch started afresh has its history and its sequence, and nothing else`()
        async throws
    {
        let store = try open()
        let watch = try await store.list("12")
        let running = watch.next(.running)
        let complete = watch.after(running).next(.complete, message: "done")
        await store.submitTogether([
            .transition(running), .transition(complete),
            .phases([(watch.id, 9, SavedPhase(lastPollAt: moment(), step: 3))]),
        ])
        var fresh = watch
        fresh.sequence = 2
        fresh.polls = 9
        #expect(try await store.rewatch(watch.id) == fresh)
        #expect(try await store.list("12") == fresh)
        #expect(try await store.number("SELECT count(*) FROM transition") == 2)
        store.submit(.transition(fresh.next(.running)))
        #expect(try await store.list("12").sequence == 3)
        await #expect(throws: StoreError.self) {
            _ = try await store.rewatch(WatchID(rowID: 99))
        }
        await store.close()
    }
}
