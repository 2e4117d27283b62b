import RunwatchCore
import RunwatchLinux
import TestSupport
import Testing

@testable import RunwatchStore

/// Watches that a request brings: how they are listed, kept and ended.
@Suite struct TransientTests {
    private func open() throws -> Store { try Store(at: .memory, time: ManualTime()) }

    /// Every setting is asked for.
    private static var whole: WatchRequest {
        var overrides = WatchOverrides()
        overrides.initial = .milliseconds(500)
        overrides.factor = 1.25
        overrides.maximum = .milliseconds(90_001)
        overrides.jitter = 0.5
        overrides.deadline = .after(.seconds(7200))
        overrides.pendingAfter = TimeLimit.none
        overrides.stallAfter = .after(.milliseconds(61_500))
        overrides.notFoundGrace = .zero
        overrides.notify = ["ops", "log"]
        return WatchRequest(
            service: "warehouse", label: "by hand", group: "g", parameters: ["pipeline": "p\"q"],
            overrides: overrides)
    }

    private static let plain = WatchRequest(service: "warehouse")

    private func add(
        _ store: Store, _ runs: [String], _ request: WatchRequest = plain
    ) async throws -> [TransientAddition.Listed] {
        switch try await store.add(runs, as: request, kind: "kinetica") {
        case .listed(let listed): listed
        case .conflict(let conflict): throw conflict
        }
    }

    private func adopted(_ store: Store, _ runs: [String] = []) async throws -> [TransientWatch] {
        try await store.adopt(runs.map { spec($0) }, discoveries: [], kinds: kinds).transient
    }

    @Test(arguments: [whole, plain])
    func `a transient watch survives a restart with what it was asked with`(
        request: WatchRequest
    ) async throws {
        let folder = TemporaryFolder()
        var store = try Store(at: .file(folder.path("runwatch.db")))
        let added = try await add(store, ["7", "8"], request)
        #expect(added.map(\.isNew) == [true, true])
        await store.close()
        store = try Store(at: .file(folder.path("runwatch.db")))
        let kept = try await adopted(store, ["a"])
        #expect(kept.map(\.request) == [request, request])
        #expect(kept.map(\.saved) == added.map(\.saved))
        // Nothing asked, nothing kept: so it follows the configuration.
        let text = request == TransientTests.plain ? "'{}'" : "settings"
        #expect(
            try await store.number("SELECT count(*) FROM watch WHERE settings = \(text)") == 2)
        await store.close()
    }

    @Test func `adding again in the same words changes nothing`() async throws {
        let store = try open()
        let first = try await add(store, ["7", "7", "8"], TransientTests.whole)
        #expect(first.map(\.isNew) == [true, false, true])
        #expect(first[0].saved == first[1].saved)
        let again = try await add(store, ["8", "7", "9"], TransientTests.whole)
        #expect(again.map(\.isNew) == [false, false, true])
        #expect(again[1].saved == first[0].saved)
        await store.close()
    }

    @Test func `one conflict refuses all, and names the run and the keys`() async throws {
        let store = try open()
        _ = try await add(store, ["7"])
        var other = TransientTests.plain
        other.label = "l"
        other.overrides.deadline = .after(.seconds(1))
        let name = WatchName(service: "warehouse", run: "7")
        #expect(
            try await store.add(["6", "7", "8"], as: other, kind: "kinetica")
                == .conflict(WatchConflict(name: name, place: nil, keys: ["label", "deadline"])))
        #expect(try await adopted(store).map(\.saved.name) == [name])
        await store.close()
    }

    @Test func `what a file lists stays the file's, and is in nobody's way`() async throws {
        let store = try open()
        let listed = try await store.list("7")
        let plain = try await add(store, ["7"])
        #expect(plain == [.init(saved: listed, isNew: false)])
        let conflict = WatchConflict(name: listed.name, place: "watches.yaml:1")
        #expect(
            try await store.add(["7"], as: TransientTests.whole, kind: "kinetica")
                == .conflict(conflict))
        #expect(try await adopted(store, ["7"]).isEmpty)
        await store.close()
    }

    @Test func `a file that lists the run takes it over, and ends it when it drops it`()
        async throws
    {
        let store = try open()
        let added = try await add(store, ["7"], TransientTests.whole)
        #expect(try await store.list("7").id == added[0].saved.id)
        #expect(
            try await store.number(
                "SELECT count(*) FROM watch WHERE source = 'file' AND settings IS NULL") == 1)
        #expect(try await adopted(store).isEmpty)
        #expect(try await store.number("SELECT count(*) FROM watch WHERE is_listed = 1") == 0)
        await store.close()
    }

    @Test func `a removed watch is listed no more, and comes back with its history`() async throws {
        let store = try open()
        let added = try await add(store, ["7"])
        let change = added[0].saved.next(.complete)
        let told = Told()
        await store.onCommit { told.add($0) }
        await store.submitTogether([
            .transition(change),
            .removal(WatchRemoval(id: added[0].saved.id, events: [event("g", to: ["log"])])),
            // It is not listed any more: nothing follows from this one.
            .removal(WatchRemoval(id: added[0].saved.id, events: [event("g", to: ["log"])])),
        ])
        #expect(try await adopted(store).isEmpty)
        #expect(told.events.map(\.subject) == ["warehouse/7", "g"])
        let again = try await add(store, ["7"], TransientTests.whole)
        #expect(again == [.init(saved: added[0].saved.after(change), isNew: true)])
        #expect(try await adopted(store).map(\.request) == [TransientTests.whole])
        await store.close()
    }

    @Test func `the kind of a watch follows its service, and stays when that is gone`()
        async throws
    {
        let store = try open()
        _ = try await add(store, ["7"])
        func adopt(_ kinds: [String: String]) async throws -> Int64? {
            _ = try await store.adopt([], discoveries: [], kinds: kinds)
            return try await store.number("SELECT count(*) FROM watch WHERE kind = 'krixik'")
        }
        #expect(try await adopt(["warehouse": "krixik"]) == 1)
        #expect(try await adopt([:]) == 1)
        let before = store.commits
        #expect(try await adopt(["warehouse": "krixik"]) == 1)
        #expect(store.commits == before)
        await store.close()
    }

    @Test func `settings that cannot be read are left to the defaults`() async throws {
        let store = try open()
        _ = try await add(store, ["7"], TransientTests.whole)
        for text in ["", "nonsense", "[1]", #"{"deadline":5,"poll":"x","notify":{}}"#] {
            try await store.execute("UPDATE watch SET settings = '\(text)'")
            #expect(try await adopted(store)[0].request.overrides.isEmpty, "\(text)")
        }
        try await store.execute(
            #"UPDATE watch SET settings = '{"poll":{"initial":"1ms","factor":0,"jitter":9}}'"#)
        let overrides = try await adopted(store)[0].request.overrides
        #expect(overrides.initial == .milliseconds(50))
        #expect(overrides.factor == 1)
        #expect(overrides.jitter == 1)
        await store.close()
    }

    @Test func `IDs come back byte by byte`() async throws {
        let store = try open()
        let runs = [
            "a/b", "\u{E9}", "e\u{301}", "%2F", "'; DROP TABLE watch; --", "\"", "\\", "..",
            "\u{5D0}\u{5D1}", "\u{1F468}\u{200D}\u{1F469}", "\u{301}x",
            String(repeating: "\u{1F600}", count: 200),
        ]
        #expect(try await add(store, runs).allSatisfy(\.isNew))
        #expect(try await !add(store, runs).contains { $0.isNew })
        let kept = try await adopted(store).map { Array($0.saved.name.run.utf8) }
        #expect(kept == runs.map { Array($0.utf8) })
        await store.close()
    }
}
