import RunwatchCore
import RunwatchStore
import TestSupport
import Testing

@testable import RunwatchPolling

/// Deadlines, and what they are counted from, through sleeps and restarts.
@Suite struct PollerDeadlineTests {
    static let hurried = WatchSettings(
        poll: PollingHarness.fast.poll, deadline: .seconds(60), notify: ["log"])

    @Test func `what ended while nobody looked is no timeout, however late it is seen`()
        async throws
    {
        let harness = try await PollingHarness()
        for run in ["1", "2"] { harness.kinetica.set(run, "running") }
        try await harness.poller.apply(
            PollingHarness.configuration(
                runs: ["1", "2"], coalesce: .never, settings: PollerDeadlineTests.hurried))
        try await harness.run(for: .seconds(10))
        // The machine sleeps.
        harness.kinetica.set("1", "complete")
        harness.time.advance(by: .seconds(3600))
        try await harness.run(for: .seconds(30))
        #expect(harness.told("warehouse/1") == ["run.running", "run.complete"])
        #expect(harness.told("warehouse/2") == ["run.running", "run.timeout"])
    }

    @Test func `after a restart a watch is asked for before its deadline ends it`() async throws {
        let folder = TemporaryFolder()
        let configuration = PollingHarness.configuration(
            runs: ["1", "2"], settings: PollerDeadlineTests.hurried)
        let first = try await PollingHarness(
            store: Store(at: .file(folder.path("runwatch.db"))))
        for run in ["1", "2"] { first.kinetica.set(run, "running") }
        try await first.poller.apply(configuration)
        try await first.run(for: .seconds(20))
        await first.store.close()

        let second = try await PollingHarness(
            store: Store(at: .file(folder.path("runwatch.db"))))
        second.time.advance(by: .seconds(3600))
        second.kinetica.set("1", "complete")
        second.kinetica.set("2", "running")
        try await second.poller.apply(configuration)
        try await second.run(for: .seconds(30))
        #expect(second.told("warehouse/1") == ["run.complete"])
        #expect(second.told("warehouse/2") == ["run.timeout"])
        await second.store.close()
    }

    @Test func `the first poll is remembered soon, since the deadline counts from it`()
        async throws
    {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "none")
        let configuration = PollingHarness.configuration(
            runs: ["1"], settings: PollerDeadlineTests.hurried)
        try await harness.poller.apply(configuration)
        try await harness.run(for: .seconds(4))
        let adoption = try await harness.store.adopt(
            configuration.watches, discoveries: [], kinds: ["warehouse": "kinetica"])
        #expect(adoption.watches[0].phase.firstPollAt != nil)
        // A run that is not there yet has no transition to remember it by.
        harness.kinetica.set("2", nil)
        let other = PollingHarness.configuration(
            runs: ["1", "2"], settings: PollerDeadlineTests.hurried)
        try await harness.poller.apply(other)
        try await harness.run(for: .seconds(4))
        let next = try await harness.store.adopt(
            other.watches, discoveries: [], kinds: ["warehouse": "kinetica"])
        #expect(next.watches[1].phase.firstPollAt != nil)
        #expect(next.watches[1].phase.firstAnswerAt != nil)
    }

    @Test func `deadlines of watches that have ended do not pile up`() async throws {
        let harness = try await PollingHarness()
        let runs = (1...6000).map(String.init)
        let settings = WatchSettings(
            poll: PollingHarness.fast.poll, deadline: .seconds(86_400), notify: ["log"])
        for run in runs { harness.kinetica.set(run, "complete") }
        try await harness.poller.apply(
            PollingHarness.configuration(runs: runs, settings: settings))
        try await harness.run(for: .seconds(5))
        #expect(await harness.poller.deadlines.count < 100)
    }
}
