import RunwatchCore
import RunwatchHTTP
import Synchronization
import TestSupport
import Testing

@testable import RunwatchPolling

/// What is counted of polls.
@Suite struct PollCountsTests {
    private func status(_ harness: PollingHarness) async throws -> ServiceStatus {
        try #require(await harness.poller.serviceStatuses().first)
    }

    @Test func `answers, their durations and the changes they bring are counted`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "running")
        try await harness.poller.apply(PollingHarness.configuration(runs: ["1"]))
        try await harness.run(for: .seconds(5))
        harness.kinetica.set("1", "complete")
        try await harness.run(for: .seconds(10))
        let status = try await status(harness)
        let requests = harness.kinetica.requests
        #expect(requests > 2)
        #expect(status.polls.answered == requests)
        #expect(status.durations.count == requests)
        #expect(status.lateness.histogram.count == requests)
        #expect(status.polls.transitions[Int(RunState.running.rawValue)] == 1)
        #expect(status.polls.transitions[Int(RunState.complete.rawValue)] == 1)
        #expect(status.polls.transitions.reduce(0, +) == 2)
        #expect(status.limits == ServiceLimits())
        #expect(status.failures == 0)
        #expect(status.pause == .zero)
    }

    @Test func `failures are counted by their reasons, and wishes to be left alone`()
        async throws
    {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "running")
        harness.kinetica.fail(with: [
            PollerTests.refused, PollerTests.status(429, retryAfter: .after(.seconds(30))),
        ])
        try await harness.poller.apply(PollingHarness.configuration(runs: ["1"]))
        var status = try await status(harness)
        for _ in 0..<200 where status.polls.hints == 0 {
            try await harness.run(for: .milliseconds(200))
            status = try await self.status(harness)
        }
        #expect(status.polls.hints == 1)
        #expect(status.failures == 2)
        #expect(status.pause > .seconds(20))
        #expect(status.pause <= .seconds(30))
        try await harness.run(for: .seconds(60))
        status = try await self.status(harness)
        #expect(status.pause == .zero)
        #expect(status.failures == 0)
        let outcomes = Dictionary(
            uniqueKeysWithValues: status.polls.outcomes.map { ($0.name, $0.count) })
        #expect(outcomes["connection"] == 1)
        #expect(outcomes["throttled"] == 1)
        #expect(outcomes["timeout"] == 0)
        #expect(outcomes.values.reduce(0, +) == harness.kinetica.requests)
    }

    @Test func `a refused answer about all runs is counted by itself`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.state.withLock { $0.allFault = PollerTests.status(404) }
        for run in ["1", "2", "3"] { harness.kinetica.set(run, "running") }
        try await harness.poller.apply(PollingHarness.configuration(runs: ["1", "2", "3"]))
        try await harness.run(for: .seconds(20))
        let counts = try await status(harness).polls
        #expect(counts.refusedCommon >= 1)
        #expect(counts.refusedCommon == harness.kinetica.alls)
        #expect(counts.outcomes.reduce(0) { $0 + $1.count } == harness.kinetica.requests)
    }

    @Test func `counters go on through a change of the service's address`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "running")
        var configuration = PollingHarness.configuration(runs: ["1"])
        try await harness.poller.apply(configuration)
        try await harness.run(for: .seconds(10))
        let before = try await status(harness).polls.answered
        configuration.services[0].url += "/moved"
        configuration.services[0].limits.concurrency = 3
        try await harness.poller.apply(configuration)
        let after = try await status(harness)
        #expect(after.polls.answered >= before)
        #expect(before > 0)
        #expect(after.limits.concurrency == 3)
    }
}
