import RunwatchCore
import RunwatchStore
import Synchronization
import TestSupport
import Testing

@testable import RunwatchPolling

/// Watches that come and go by request, while everything else goes on.
@Suite struct PollerTransientTests {
    static func name(_ run: String) -> WatchName { WatchName(service: "warehouse", run: run) }
    static let name = name("1")

    private static func configuration(
        runs: [String] = [], group: String? = nil, settings: WatchSettings = PollingHarness.fast,
        discoveries: [String] = []
    ) -> Configuration {
        var configuration = PollingHarness.configuration(
            runs: runs, settings: settings, discoveries: discoveries, group: group)
        configuration.serviceDefaults = ["warehouse": settings]
        return configuration
    }

    private static func request(_ group: String? = nil) -> WatchRequest {
        WatchRequest(service: "warehouse", group: group)
    }

    private func harness(
        _ configuration: Configuration = configuration()
    ) async throws -> PollingHarness {
        let harness = try await PollingHarness()
        try await harness.poller.apply(configuration)
        return harness
    }

    // MARK: Adding

    @Test func `an added watch is polled to its end, also when it is added again`() async throws {
        let harness = try await harness()
        harness.kinetica.set("1", "running")
        let poller = harness.poller
        #expect(try await poller.add(["1", "1"], as: Self.request()) == [true, false])
        try await harness.run(for: .seconds(3))
        #expect(try await poller.add(["1"], as: Self.request()) == [false])
        harness.kinetica.set("1", "complete")
        try await harness.run(for: .seconds(6))
        #expect(harness.told("warehouse/1") == ["run.running", "run.complete"])
        #expect(try await poller.add(["1"], as: Self.request()) == [false])
        try await harness.run(for: .seconds(6))
        #expect(harness.told("warehouse/1") == ["run.running", "run.complete"])
        await #expect(throws: WatchRefusal.ended(.complete)) { try await poller.pollNow(Self.name) }
    }

    @Test func `a conflict adds nothing, and what a file lists is left to it`() async throws {
        let harness = try await harness(Self.configuration(runs: ["1"]))
        let poller = harness.poller
        #expect(try await poller.add(["1", "2"], as: Self.request()) == [false, true])
        let conflict = WatchConflict(name: Self.name, place: "watches.yaml:1")
        await #expect(throws: WatchRefusal.conflict(conflict)) {
            try await poller.add(["3", "1"], as: Self.request("g"))
        }
        #expect(await poller.live([Self.name("3")]) == [nil])
        await #expect(throws: WatchRefusal.listed(at: "watches.yaml:1")) {
            try await poller.remove(Self.name)
        }
        let elsewhere = WatchRequest(service: "elsewhere")
        await #expect(throws: WatchRefusal.noSuchService) {
            try await poller.add(["1"], as: elsewhere)
        }
    }

    @Test func `a run that looks like one met before is discovered all the same`() async throws {
        let harness = try await harness(Self.configuration(discoveries: ["nightly"]))
        harness.kinetica.set("\u{E9}", "running", tag: "nightly")
        try await harness.run(for: .seconds(3))
        harness.kinetica.set("\u{E9}", nil)
        harness.kinetica.set("e\u{301}", "running", tag: "nightly")
        try await harness.run(for: .seconds(20))
        let told = harness.events.withLock { $0.filter { $0.type == .run(.running) } }
        #expect(
            told.map { Array($0.subject.utf8) }
                == ["warehouse/\u{E9}", "warehouse/e\u{301}"].map { Array($0.utf8) })
    }

    // MARK: Reloads and restarts

    @Test func `a reload leaves it standing, under the new defaults and its own settings`()
        async throws
    {
        let harness = try await harness()
        harness.kinetica.set("1", "running")
        harness.kinetica.set("2", "running")
        var asked = Self.request()
        asked.overrides.deadline = TimeLimit.none
        _ = try await harness.poller.add(["1"], as: Self.request())
        _ = try await harness.poller.add(["2"], as: asked)
        try await harness.run(for: .seconds(3))
        let limited = WatchSettings(
            poll: PollingHarness.fast.poll, deadline: .seconds(10), notify: ["log"])
        try await harness.poller.apply(Self.configuration(settings: limited))
        try await harness.run(for: .seconds(20))
        #expect(harness.told("warehouse/1") == ["run.running", "run.timeout"])
        #expect(harness.told("warehouse/2") == ["run.running"])
    }

    @Test func `the next process takes it up where this one left it`() async throws {
        let folder = TemporaryFolder()
        var store = try Store(at: .file(folder.path("runwatch.db")))
        var harness = try await PollingHarness(store: store)
        harness.kinetica.set("1", "running")
        try await harness.poller.apply(Self.configuration())
        _ = try await harness.poller.add(["1", "2"], as: Self.request("g"))
        try await harness.run(for: .seconds(3))
        try await harness.poller.remove(Self.name("2"))
        await store.close()
        store = try Store(at: .file(folder.path("runwatch.db")))
        harness = try await PollingHarness(store: store)
        harness.kinetica.set("1", "complete")
        try await harness.poller.apply(Self.configuration())
        try await harness.run(for: .seconds(6))
        #expect(harness.told("warehouse/1") == ["run.complete"])
        #expect(harness.told("g") == ["group.finished"])
        #expect(await harness.poller.live([Self.name("2")]) == [nil])
        await store.close()
    }

    @Test func `a service that leaves parks it, and takes it up again when it returns`()
        async throws
    {
        let harness = try await harness()
        for run in ["1", "2", "3"] { harness.kinetica.set(run, "running") }
        harness.kinetica.set("3", "complete")
        _ = try await harness.poller.add(["1", "2", "3"], as: Self.request("g"))
        try await harness.run(for: .seconds(3))
        var empty = Self.configuration()
        empty.services = []
        try await harness.poller.apply(empty)
        let requests = harness.kinetica.requests
        try await harness.run(for: .seconds(20))
        #expect(harness.kinetica.requests == requests)
        let live = await harness.poller.live([Self.name])[0]
        #expect(live?.nextPollAt == nil)
        #expect(live?.nextPollReason.contains("'warehouse' is not configured") == true)
        await #expect(throws: WatchRefusal.self) { try await harness.poller.pollNow(Self.name) }
        await #expect(throws: WatchRefusal.self) { try await harness.poller.rewatch(Self.name) }
        await #expect(throws: WatchRefusal.noSuchService) {
            try await harness.poller.rewatch(Self.name("3"))
        }
        // What is parked can be removed, and counts in its group until then.
        try await harness.poller.remove(Self.name("2"))
        #expect(harness.told("g").isEmpty)
        harness.kinetica.set("1", "complete")
        try await harness.poller.apply(Self.configuration())
        try await harness.run(for: .seconds(6))
        #expect(harness.told("warehouse/1") == ["run.running", "run.complete"])
        #expect(harness.told("g") == ["group.finished"])
        #expect(await harness.poller.live([Self.name("2")]) == [nil])
    }

    @Test func `a Krixik watch without a pipeline is parked until its service has one`()
        async throws
    {
        let harness = try await PollingHarness()
        var configuration = Self.configuration()
        configuration.services = [
            ServiceSettings(
                name: "krixik", kind: .krixik(KrixikSettings(apiKey: Secret("k"))),
                url: "http://127.0.0.1:9191")
        ]
        configuration.serviceParameters = ["krixik": ["pipeline": "p"]]
        try await harness.poller.apply(configuration)
        _ = try await harness.poller.add(["1"], as: WatchRequest(service: "krixik"))
        let name = WatchName(service: "krixik", run: "1")
        #expect(await harness.poller.live([name])[0]?.nextPollAt != nil)
        configuration.serviceParameters = [:]
        try await harness.poller.apply(configuration)
        #expect(await harness.poller.live([name])[0]?.nextPollReason.contains("pipeline") == true)
        configuration.serviceParameters = ["krixik": ["pipeline": "q"]]
        try await harness.poller.apply(configuration)
        #expect(await harness.poller.live([name])[0]?.nextPollAt != nil)
    }

    @Test func `a file that lists the run takes it over without a second poll at once`()
        async throws
    {
        let harness = try await harness()
        harness.kinetica.set("1", "running")
        _ = try await harness.poller.add(["1"], as: Self.request())
        try await harness.run(for: .seconds(3))
        try await harness.poller.apply(Self.configuration(runs: ["1"], group: "files"))
        await #expect(throws: WatchRefusal.listed(at: "watches.yaml:1")) {
            try await harness.poller.remove(Self.name)
        }
        harness.kinetica.set("1", "complete")
        try await harness.run(for: .seconds(6))
        #expect(harness.told("warehouse/1") == ["run.running", "run.complete"])
        #expect(harness.told("files") == ["group.finished"])
    }

    @Test func `additions and removals asked for during a reload come after it`() async throws {
        let harness = try await harness(Self.configuration(runs: ["0"]))
        for run in ["1", "2", "3"] { harness.kinetica.set(run, "running") }
        let poller = harness.poller
        _ = try await poller.add(["1", "2"], as: Self.request())
        try await harness.run(for: .seconds(2))
        async let reloaded: Void = poller.apply(Self.configuration())
        async let removed: Void = poller.remove(Self.name)
        async let added = poller.add(["3"], as: Self.request())
        async let again: Void = poller.apply(Self.configuration())
        _ = try await (reloaded, removed, added, again)
        #expect(await poller.live([Self.name, Self.name("0")]) == [nil, nil])
        for run in ["1", "2", "3"] { harness.kinetica.set(run, "complete") }
        try await harness.run(for: .seconds(8))
        #expect(harness.told("warehouse/1") == ["run.running"])
        #expect(harness.told("warehouse/2") == ["run.running", "run.complete"])
        #expect(harness.told("warehouse/3") == ["run.complete"])
    }

    // MARK: Removing

    @Test func `an answer that comes after the removal records nothing`() async throws {
        let harness = try await harness()
        harness.kinetica.set("1", "running")
        _ = try await harness.poller.add(["1"], as: Self.request())
        try await harness.run(for: .seconds(3))
        harness.kinetica.set("1", "complete")
        harness.kinetica.hold()
        try await harness.run(for: .seconds(6))
        try #require(harness.kinetica.heldCount == 1)
        try await harness.poller.remove(Self.name)
        let requests = harness.kinetica.requests
        await harness.poller.answer(harness.kinetica)
        try await harness.run(for: .seconds(20))
        #expect(harness.told("warehouse/1") == ["run.running"])
        #expect(harness.kinetica.requests == requests)
        await #expect(throws: WatchRefusal.noSuchWatch) {
            try await harness.poller.remove(Self.name)
        }
    }

    @Test func `an answer from before does not speak for a watch that was added again`()
        async throws
    {
        let harness = try await harness()
        harness.kinetica.set("1", "running")
        _ = try await harness.poller.add(["1"], as: Self.request())
        try await harness.run(for: .seconds(3))
        harness.kinetica.set("1", "error")
        harness.kinetica.hold()
        try await harness.run(for: .seconds(6))
        try #require(harness.kinetica.heldCount == 1)
        try await harness.poller.remove(Self.name)
        harness.kinetica.set("1", "complete")
        _ = try await harness.poller.add(["1"], as: Self.request("g"))
        await harness.poller.answer(harness.kinetica)
        try await harness.run(for: .seconds(8))
        #expect(harness.told("warehouse/1") == ["run.running", "run.complete"])
        #expect(harness.told("g") == ["group.finished"])
    }

    @Test func `what has ended can be removed, and added again stays ended`() async throws {
        let harness = try await harness()
        harness.kinetica.set("1", "complete")
        _ = try await harness.poller.add(["1"], as: Self.request())
        try await harness.run(for: .seconds(3))
        try await harness.poller.remove(Self.name)
        #expect(try await harness.poller.add(["1"], as: Self.request()) == [true])
        let requests = harness.kinetica.requests
        try await harness.run(for: .seconds(6))
        #expect(harness.kinetica.requests == requests)
        #expect(harness.told("warehouse/1") == ["run.complete"])
        try await harness.poller.rewatch(Self.name)
        try await harness.run(for: .seconds(3))
        #expect(harness.told("warehouse/1") == ["run.complete", "run.complete"])
    }

    @Test func `a watch whose row retention has deleted is added as a new one`() async throws {
        let harness = try await harness()
        harness.kinetica.set("1", "complete")
        _ = try await harness.poller.add(["1"], as: Self.request("g"))
        try await harness.run(for: .seconds(3))
        // Deleted, it is no watch any more; the next one is another.
        let later = harness.time.wallClock().advanced(by: .seconds(1))
        #expect(try await harness.store.prune(before: later, limit: 100) == false)
        await #expect(throws: WatchRefusal.noSuchWatch) {
            try await harness.poller.rewatch(Self.name)
        }
        #expect(try await harness.poller.add(["1"], as: Self.request("g")) == [true])
        try await harness.run(for: .seconds(3))
        #expect(harness.told("warehouse/1") == ["run.complete", "run.complete"])
        #expect(harness.told("g") == ["group.finished", "group.finished"])
    }

    // MARK: Groups

    @Test func `the last active watch that is removed finishes its group, if others ended`()
        async throws
    {
        let harness = try await harness()
        harness.kinetica.set("1", "complete")
        harness.kinetica.set("2", "error")
        for run in ["3", "4"] { harness.kinetica.set(run, "running") }
        _ = try await harness.poller.add(["1", "2", "3", "4"], as: Self.request("g"))
        _ = try await harness.poller.add(["5"], as: Self.request("alone"))
        try await harness.run(for: .seconds(3))
        try await harness.poller.remove(Self.name("2"))
        try await harness.poller.remove(Self.name("3"))
        #expect(harness.told("g").isEmpty)
        try await harness.poller.remove(Self.name("4"))
        #expect(harness.told("g") == ["group.finished"])
        let event = harness.events.withLock { $0.last { $0.type == .groupFinished } }
        let data = try JSONValue(parsing: try #require(event).json)["data"]
        #expect(data?["counts"] == .object([.init("complete", .integer(1))]))
        #expect(data?["failed"] == .array([]))
        // Of a group without watches nothing is told.
        try await harness.poller.remove(Self.name("5"))
        try await harness.poller.remove(Self.name("1"))
        #expect(harness.told("alone").isEmpty)
        #expect(harness.told("g") == ["group.finished"])
        #expect(await harness.poller.groups.isEmpty)
    }

    @Test func `who left a group is not told of its end`() async throws {
        var configuration = Self.configuration()
        configuration.receivers.append(
            ReceiverSettings(name: "ops", kind: .stdout(.json), on: Set(EventType.all)))
        let harness = try await harness(configuration)
        for run in ["1", "2"] { harness.kinetica.set(run, "running") }
        var loud = Self.request("g")
        loud.overrides.notify = ["ops"]
        _ = try await harness.poller.add(["1"], as: loud)
        _ = try await harness.poller.add(["2"], as: Self.request("g"))
        try await harness.run(for: .seconds(2))
        #expect(await harness.poller.groups["g"]?.notify == ["ops", "log"])
        try await harness.poller.rewatch(Self.name)
        #expect(await harness.poller.groups["g"]?.notify == ["ops", "log"])
        try await harness.poller.remove(Self.name)
        #expect(await harness.poller.groups["g"]?.notify == ["log"])
        #expect(await harness.poller.groups["g"]?.active == 1)
    }
}
