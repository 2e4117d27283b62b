import RunwatchCore
import RunwatchStore
import TestSupport
import Testing

@testable import RunwatchPolling

/// What is kept, and what is not, of watches that leave and of those that come again.
@Suite struct PollerReturnTests {
    private static let name = WatchName(service: "warehouse", run: "1")

    private static func configuration(_ settings: WatchSettings = PollingHarness.fast)
        -> Configuration
    {
        var configuration = PollingHarness.configuration(settings: settings)
        configuration.serviceDefaults = ["warehouse": settings]
        return configuration
    }

    private func harness() async throws -> PollingHarness {
        let harness = try await PollingHarness()
        try await harness.poller.apply(Self.configuration())
        return harness
    }

    @Test func `the deadline of a watch that is added again counts from then on`() async throws {
        let harness = try await harness()
        harness.kinetica.set("1", "running")
        var request = WatchRequest(service: "warehouse")
        request.overrides.deadline = .after(.seconds(20))
        _ = try await harness.poller.add(["1"], as: request)
        try await harness.run(for: .seconds(3))
        try await harness.poller.remove(Self.name)
        harness.time.advance(by: .seconds(3600))
        _ = try await harness.poller.add(["1"], as: request)
        try await harness.run(for: .seconds(10))
        #expect(harness.told("warehouse/1") == ["run.running"])
        try await harness.run(for: .seconds(20))
        #expect(harness.told("warehouse/1") == ["run.running", "run.timeout"])
    }

    @Test func `a run that is added before it begins has its whole grace again`() async throws {
        let harness = try await harness()
        let request = WatchRequest(service: "warehouse")
        _ = try await harness.poller.add(["1"], as: request)
        try await harness.run(for: .seconds(3))
        try await harness.poller.remove(Self.name)
        harness.time.advance(by: .seconds(3600))
        _ = try await harness.poller.add(["1"], as: request)
        try await harness.run(for: .seconds(10))
        harness.kinetica.set("1", "running")
        try await harness.run(for: .seconds(10))
        #expect(harness.told("warehouse/1") == ["run.running"])
    }

    @Test func `polls are counted on when a watch is removed and added again`() async throws {
        let harness = try await harness()
        harness.kinetica.set("1", "running")
        let request = WatchRequest(service: "warehouse")
        _ = try await harness.poller.add(["1"], as: request)
        try await harness.run(for: .seconds(20))
        let polls = try #require(await harness.poller.live([Self.name])[0]?.polls)
        try #require(polls > 2)
        try await harness.poller.remove(Self.name)
        _ = try await harness.poller.add(["1"], as: request)
        #expect(await harness.poller.live([Self.name])[0]?.polls == polls)
    }

    @Test func `polls are counted on when a service leaves and returns`() async throws {
        let harness = try await harness()
        harness.kinetica.set("1", "running")
        _ = try await harness.poller.add(["1"], as: WatchRequest(service: "warehouse"))
        try await harness.run(for: .seconds(20))
        let polls = try #require(await harness.poller.live([Self.name])[0]?.polls)
        try #require(polls > 2)
        var empty = Self.configuration()
        empty.services = []
        try await harness.poller.apply(empty)
        try await harness.poller.apply(Self.configuration())
        #expect(await harness.poller.live([Self.name])[0]?.polls == polls)
    }

    // MARK: What a year without a reload leaves in memory

    @Test func `a watch that retention deletes is forgotten, and leaves its group`() async throws {
        let harness = try await harness()
        await harness.store.onPrune { [poller = harness.poller] pruned in
            Task { await poller.forget(pruned) }
        }
        for run in ["1", "2"] { harness.kinetica.set(run, "complete") }
        _ = try await harness.poller.add(["1"], as: WatchRequest(service: "warehouse", group: "g"))
        try await harness.run(for: .seconds(3))
        #expect(await harness.poller.endedMeanwhile.isEmpty)
        let later = harness.time.wallClock().advanced(by: .seconds(1))
        _ = try await harness.store.prune(before: later, limit: 100)
        while await !harness.poller.ended.isEmpty, !Task.isCancelled { await Task.yield() }
        #expect(await harness.poller.groups.isEmpty)
        await #expect(throws: WatchRefusal.noSuchWatch) {
            try await harness.poller.pollNow(Self.name)
        }
        // Its namesake is another watch.
        _ = try await harness.poller.add(["1"], as: WatchRequest(service: "warehouse"))
        let old = PrunedWatch(id: WatchID(rowID: 1), name: Self.name)
        try await harness.run(for: .seconds(3))
        await harness.poller.forget([old])
        await #expect(throws: WatchRefusal.ended(.complete)) {
            try await harness.poller.pollNow(Self.name)
        }
    }

    @Test
    func `what ended as a transient watch is no news to a discovery, also when it is deleted`()
        async throws
    {
        let harness = try await harness()
        await harness.store.onPrune { [poller = harness.poller] pruned in
            Task { await poller.forget(pruned) }
        }
        harness.kinetica.set("1", "complete", tag: "nightly")
        _ = try await harness.poller.add(["1"], as: WatchRequest(service: "warehouse"))
        try await harness.run(for: .seconds(3))
        let discovering = PollingHarness.configuration(discoveries: ["nightly"])
        try await harness.poller.apply(discovering)
        try await harness.run(for: .seconds(8))
        let later = harness.time.wallClock().advanced(by: .seconds(1))
        _ = try await harness.store.prune(before: later, limit: 100)
        while await !harness.poller.ended.isEmpty, !Task.isCancelled { await Task.yield() }
        try await harness.run(for: .seconds(20))
        #expect(harness.told("warehouse/1") == ["run.complete"])
        // The record knows it too.
        try await harness.poller.apply(Self.configuration())
        try await harness.poller.apply(discovering)
        try await harness.run(for: .seconds(20))
        #expect(harness.told("warehouse/1") == ["run.complete"])
    }

    @Test func `requests that all differ are not remembered`() {
        var specs = TransientSpecs(Self.configuration())
        var request = WatchRequest(service: "warehouse")
        for second in 1...5000 {
            request.overrides.deadline = .after(.seconds(second))
            let spec = specs.spec("\(second)", of: request)
            #expect(spec.settings.deadline == .seconds(second))
        }
        #expect(specs.settingsKept <= TransientSpecs.longest)
    }
}
