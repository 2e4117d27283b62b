import RunwatchCore
import RunwatchHTTP
import RunwatchStore
import Synchronization
import TestSupport
import Testing

@testable import RunwatchPolling

/// What happens between a request and its answer, and while the store works.
@Suite struct PollerRaceTests {
    static let name = WatchName(service: "warehouse", run: "1")

    @Test func `an end that is seen while a watch is started afresh is told, and so is the next`()
        async throws
    {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "running")
        try await harness.poller.apply(PollingHarness.configuration(runs: ["1"]))
        try await harness.run(for: .seconds(3))
        harness.kinetica.set("1", "error")
        harness.kinetica.hold()
        try await harness.run(for: .seconds(6))
        try #require(harness.kinetica.heldCount == 1)
        try await harness.poller.rewatch(PollerRaceTests.name, answering: harness.kinetica)
        harness.kinetica.set("1", "complete")
        try await harness.run(for: .seconds(6))
        #expect(harness.told("warehouse/1") == ["run.running", "run.error", "run.complete"])
    }

    @Test func `an answer of a service's old address says nothing of its new one`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "running")
        try await harness.poller.apply(PollingHarness.configuration(runs: ["1"]))
        try await harness.run(for: .seconds(3))
        harness.kinetica.set("1", "error")
        harness.kinetica.hold()
        try await harness.run(for: .seconds(6))
        try #require(harness.kinetica.heldCount == 1)
        harness.kinetica.set("1", "complete")
        try await harness.poller.apply(
            PollingHarness.configuration(runs: ["1"], url: "http://127.0.0.1:9192"))
        await harness.poller.answer(harness.kinetica)
        try await harness.run(for: .seconds(6))
        #expect(harness.told("warehouse/1") == ["run.running", "run.complete"])
    }

    @Test func `an answer of a service that was removed is no news of it`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "running")
        harness.kinetica.outage(PollerTests.refused)
        try await harness.poller.apply(PollingHarness.configuration(runs: ["1"]))
        try await harness.run(for: .seconds(20))
        #expect(harness.told("warehouse") == ["service.down"])
        harness.kinetica.outage(nil)
        harness.kinetica.hold()
        try await harness.run(for: .seconds(200), step: .seconds(1))
        try #require(harness.kinetica.heldCount == 1)
        var empty = PollingHarness.configuration()
        empty.services = []
        try await harness.poller.apply(empty)
        await harness.poller.answer(harness.kinetica)
        try await harness.run(for: .seconds(1))
        #expect(harness.told("warehouse") == ["service.down"])
    }

    @Test func `a run found while its discovery's settings change is watched all the same`()
        async throws
    {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "running", tag: "nightly")
        try await harness.poller.apply(
            PollingHarness.configuration(discoveries: ["nightly"], group: "old"))
        harness.kinetica.hold()
        try await harness.run(for: .seconds(1))
        try #require(harness.kinetica.heldCount == 1)
        try await harness.poller.apply(
            PollingHarness.configuration(discoveries: ["nightly"], group: "new"),
            answering: harness.kinetica)
        try await harness.run(for: .seconds(6))
        harness.kinetica.set("1", "complete", tag: "nightly")
        try await harness.run(for: .seconds(10))
        #expect(harness.told("warehouse/1") == ["run.running", "run.complete"])
        #expect(harness.told("new") == ["group.finished"])
        #expect(harness.told("old").isEmpty)
    }

    @Test func `a discovery does not take up again what has ended in a list`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "complete", tag: "nightly")
        try await harness.poller.apply(
            PollingHarness.configuration(runs: ["1"], discoveries: ["nightly"]))
        try await harness.run(for: .seconds(20))
        try await harness.poller.apply(PollingHarness.configuration(discoveries: ["nightly"]))
        try await harness.run(for: .seconds(20))
        #expect(harness.told("warehouse/1") == ["run.complete"])
        #expect(await harness.poller.live([PollerRaceTests.name]) == [nil])
    }

    // MARK: Refusals

    @Test func `many watches are asked for one by one where a request for all is refused`()
        async throws
    {
        let harness = try await PollingHarness()
        harness.kinetica.state.withLock { $0.allFault = PollerTests.status(404) }
        let runs = (1...300).map(String.init)
        for run in runs { harness.kinetica.set(run, "complete") }
        try await harness.poller.apply(PollingHarness.configuration(runs: runs))
        try await harness.run(for: .seconds(5))
        let ended = runs.filter { harness.told("warehouse/\($0)") == ["run.complete"] }
        #expect(ended.count == 300)
        #expect(harness.kinetica.alls <= 2)
    }

    @Test(arguments: [
        PollerTests.status(404), .failure(HTTPFailure(.tooLarge, "more than 256 MiB")),
    ])
    func `a discovery that is refused holds up nobody`(
        fault: Result<HTTPResponse, HTTPFailure>
    ) async throws {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "running")
        var configuration = PollingHarness.configuration(
            runs: ["1"], coalesce: .never, discoveries: ["nightly"])
        // It is seldom asked for, so that no good answer comes between the refusals.
        let seldom = WatchSettings(
            poll: PollSettings(
                initial: .seconds(5), factor: 100, maximum: .seconds(100), jitter: 0),
            notify: ["log"])
        configuration.watches = PollingHarness.configuration(runs: ["1"], settings: seldom).watches
        try await harness.poller.apply(configuration)
        try await harness.run(for: .seconds(12))
        harness.kinetica.state.withLock { $0.tagFault = fault }
        try await harness.run(for: .seconds(60))
        #expect(harness.told("warehouse").isEmpty)
        #expect(await harness.poller.serviceStatuses()[0].health == .up)
        harness.kinetica.state.withLock { $0.tagFault = nil }
        harness.kinetica.set("3", "running", tag: "nightly")
        try await harness.run(for: .seconds(20))
        #expect(harness.told("warehouse/3") == ["run.running"])
    }

    @Test func `what a discovery has found is asked for singly while its tag is refused`()
        async throws
    {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "running", tag: "nightly")
        try await harness.poller.apply(
            PollingHarness.configuration(coalesce: .never, discoveries: ["nightly"]))
        try await harness.run(for: .seconds(10))
        harness.kinetica.state.withLock { $0.tagFault = PollerTests.status(404) }
        try await harness.run(for: .seconds(20))
        let before = harness.kinetica.singles
        try await harness.run(for: .seconds(50))
        #expect(harness.kinetica.singles - before >= 9)
        harness.kinetica.set("1", "complete", tag: "nightly")
        try await harness.run(for: .seconds(6))
        #expect(harness.told("warehouse/1") == ["run.running", "run.complete"])
    }

    // MARK: Health

    @Test func `a request that never ends is a standstill`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "running")
        try await harness.poller.apply(PollingHarness.configuration(runs: ["1"]))
        harness.kinetica.hold()
        try await harness.run(for: .seconds(40))
        #expect(await harness.poller.isAdvancing(patience: .seconds(30)))
        try await harness.run(for: .seconds(40))
        #expect(await !harness.poller.isAdvancing(patience: .seconds(30)))
        await harness.poller.answer(harness.kinetica)
        #expect(await harness.poller.isAdvancing(patience: .seconds(30)))
    }

    @Test func `a service that fails now and then does not fill the log`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "running")
        try await harness.poller.apply(PollingHarness.configuration(runs: ["1"]))
        for _ in 0..<200 {
            harness.kinetica.fail(with: [PollerTests.status(503)])
            try await harness.run(for: .seconds(10), step: .milliseconds(500))
        }
        let lines = harness.log.lines.withLock { $0 }
        // 2000 seconds: a line a minute that it is degraded, and one that it is up again.
        #expect((20...70).contains(lines.count))
        #expect(lines.count { $0.contains("up again") } >= 10)
        // An outage of a week is told when it begins, and when it ends.
        harness.kinetica.outage(PollerTests.refused)
        try await harness.run(for: .seconds(7200), step: .seconds(1))
        harness.kinetica.outage(nil)
        try await harness.run(for: .seconds(200), step: .seconds(1))
        #expect(harness.log.lines.withLock { $0.count } - lines.count <= 4)
    }

    @Test func `a service whose new credentials are good is told to be up again`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "running")
        harness.kinetica.outage(PollerTests.status(401))
        try await harness.poller.apply(PollingHarness.configuration(runs: ["1"]))
        try await harness.run(for: .seconds(200), step: .milliseconds(500))
        #expect(harness.told("warehouse") == ["service.down"])
        harness.kinetica.outage(nil)
        try await harness.poller.apply(
            PollingHarness.configuration(runs: ["1"], url: "http://127.0.0.1:9192"))
        try await harness.run(for: .seconds(10))
        #expect(harness.told("warehouse") == ["service.down", "service.up"])
    }
}

extension Poller {
    /// Starts a watch afresh while the answers that were kept back arrive: after the record has been
    /// changed, and before the poller knows.
    fileprivate func rewatch(_ name: WatchName, answering kinetica: ScriptedKinetica) async throws {
        try await store.flush()
        let store = store
        let before = store.commits
        kinetica.release { store.commits > before }
        try await rewatch(name)
    }

    /// Gives the answers that were kept back.
    func answer(_ kinetica: ScriptedKinetica) {
        kinetica.release()
    }

    /// Gives the answers that were kept back, and at once takes up another configuration.
    fileprivate func apply(
        _ configuration: Configuration, answering kinetica: ScriptedKinetica
    ) async throws {
        kinetica.release()
        try await apply(configuration)
    }
}
