import RunwatchCore
import RunwatchHTTP
import RunwatchStore
import Synchronization
import TestSupport
import Testing

@testable import RunwatchPolling

/// What the poller says of a watch: how it was asked, when it is asked next, and why then.
@Suite struct PollerExplainTests {
    private static func name(_ run: String) -> WatchName {
        WatchName(service: "warehouse", run: run)
    }

    private static func single(
        _ runs: [String], limits: ServiceLimits = ServiceLimits(),
        settings: WatchSettings = PollingHarness.fast
    ) -> Configuration {
        PollingHarness.configuration(
            runs: runs, coalesce: .never, limits: limits, settings: settings)
    }

    private func explain(
        _ run: String, _ harness: PollingHarness
    ) async throws -> WatchExplanation {
        try #require(await harness.poller.explain(PollerExplainTests.name(run)))
    }

    @Test func `a hundred thousand watches pay sixteen bytes each for it`() throws {
        // What is kept for it stands at the end of a slot.
        let start = try #require(MemoryLayout<WatchSlot>.offset(of: \.plan))
        let without = (start + 7) / 8 * 8
        #expect(MemoryLayout<WatchSlot>.stride <= without + 16)
        #expect(MemoryLayout<WatchSlot>.stride <= 256)
    }

    @Test func `before and after the first poll`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "running")
        try await harness.poller.apply(PollerExplainTests.single(["1"]))
        let before = try await explain("1", harness)
        #expect(before.live.lastPoll == nil)
        #expect(before.live.nextPoll.reason == .first)
        #expect(before.live.nextPoll.detail == "the first poll, at its place in the first 1s")
        #expect(before.settings == PollingHarness.fast)
        #expect(before.prospects.isEmpty)
        try await harness.run(for: .seconds(1))
        let after = try await explain("1", harness).live
        let poll = try #require(after.lastPoll)
        #expect(poll.outcome == "answered")
        #expect(poll.status == 200)
        #expect(poll.duration == .zero)
        #expect(!poll.isCommon)
        #expect(poll.at == after.lastPollAt)
        #expect(after.nextPoll.reason == .change)
        #expect(after.nextPoll.detail == "the first wait after a change, 1s ±10%")
        #expect(after.nextPoll.at == after.nextPollAt)
    }

    @Test func `the backoff names its step, its wait and its limit`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "running")
        try await harness.poller.apply(PollerExplainTests.single(["1"]))
        try await harness.run(for: .seconds(4))
        #expect(
            try await explain("1", harness).live.nextPoll.detail
                == "backoff: 2 polls without a change, so the wait is 2.2s ±10% of at most 5s")
        try await harness.run(for: .seconds(40))
        let late = try await explain("1", harness).live.nextPoll
        #expect(late.reason == .backoff)
        #expect(late.detail.hasSuffix("so the wait is the longest, 5s ±10%"))
    }

    @Test func `a common answer, a run that is missing in it and a word nobody knows`()
        async throws
    {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "running")
        harness.kinetica.set("2", "napping")
        try await harness.poller.apply(
            PollingHarness.configuration(
                runs: ["1", "2", "3"], coalesce: .always, settings: PollingHarness.steady))
        try await harness.run(for: .seconds(6))
        let live = await harness.poller.live(["1", "2", "3"].map(PollerExplainTests.name))
        #expect(live.map { $0?.lastPoll?.outcome } == ["answered", "unknown_word", "not_found"])
        #expect(live.allSatisfy { $0?.lastPoll?.isCommon == true })
        let missing = try await explain("3", harness)
        #expect(missing.prospects.map(\.what) == [.lost])
        #expect(missing.live.lastError == nil)
    }

    @Test func `what happens by itself is said with its moment, the earliest first`() async throws {
        let settings = WatchSettings(
            poll: PollSettings(
                initial: .seconds(100), factor: 1, maximum: .seconds(100), jitter: 0),
            deadline: .seconds(600), pendingAfter: .seconds(120), stallAfter: .seconds(90))
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "none")
        try await harness.poller.apply(PollerExplainTests.single(["1"], settings: settings))
        try await harness.run(for: .seconds(100))
        let explanation = try await explain("1", harness)
        #expect(explanation.prospects.map(\.what) == [.stalled, .stalled, .timeout])
        let first = try #require(explanation.live.lastPollAt)
        #expect(explanation.prospects.last?.at == first.advanced(by: .seconds(600)))
        // The stall is looked for before the backoff's wait is over.
        #expect(explanation.live.nextPoll.reason == .alarm)
        #expect(explanation.live.nextPoll.detail == "stall_after ends then")
        harness.kinetica.set("1", nil)
        try await harness.poller.pollNow(PollerExplainTests.name("1"))
        #expect(try await explain("1", harness).live.nextPoll.reason == .asked)
        try await harness.run(for: .milliseconds(100))
        let missing = try await explain("1", harness)
        #expect(missing.prospects.first?.what == .lost)
        #expect(missing.live.nextPoll.reason == .secondLook)
    }

    @Test func `a request under way is told, and the answer before it`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "running")
        try await harness.poller.apply(PollerExplainTests.single(["1"]))
        try await harness.run(for: .seconds(1))
        harness.kinetica.hold()
        try await harness.run(for: .seconds(2))
        try #require(harness.kinetica.heldCount == 1)
        let live = try await explain("1", harness).live
        #expect(live.nextPoll.reason == .inFlight)
        #expect(live.nextPollAt == nil)
        #expect(live.nextPoll.detail.hasSuffix(" ago and not answered yet; given up after 30s"))
        let last = try #require(live.lastPoll)
        #expect(last.outcome == "answered")
        #expect(try last.at < #require(live.lastPollAt))
        await harness.poller.answer(harness.kinetica)
    }

    @Test func `a rate that is too small names itself, and who is before`() async throws {
        let harness = try await PollingHarness()
        let runs = (1...9).map(String.init)
        for run in runs { harness.kinetica.set(run, "running") }
        try await harness.poller.apply(
            PollerExplainTests.single(runs, limits: ServiceLimits(concurrency: 8, rate: 0.5)))
        try await harness.run(for: .seconds(6))
        var places: [String] = []
        for run in runs {
            let next = try await explain(run, harness).live.nextPoll
            guard next.reason == .rate else { continue }
            #expect(next.detail.contains("; limits.rate allows 30/m, and "), "\(next.detail)")
            #expect(try #require(next.at) > harness.time.wallClock())
            places.append(String(next.detail.drop { $0 != "," }.dropFirst(6)))
        }
        #expect(
            places.sorted() == (1..<places.count).map { "\($0) are before it" } + ["it is the next"]
        )
        #expect(places.count >= 6)
        let status = try #require(await harness.poller.serviceStatuses().first)
        #expect(status.ready == places.count)
        #expect(status.late?.limit == "rate 30/m")
        #expect(try #require(status.late?.by) > .seconds(3))
        // In a list nobody's place is looked for.
        let listed = await harness.poller.live(runs.map(PollerExplainTests.name))
        #expect(listed.contains { $0?.nextPollReason.hasSuffix("\(places.count) wait") == true })
    }

    @Test func `as many requests as may be name the concurrency`() async throws {
        let harness = try await PollingHarness()
        for run in ["1", "2", "3"] { harness.kinetica.set(run, "running") }
        try await harness.poller.apply(
            PollerExplainTests.single(["1", "2", "3"], limits: ServiceLimits(concurrency: 1)))
        harness.kinetica.hold()
        try await harness.run(for: .seconds(3))
        let live = await harness.poller.live(["1", "2", "3"].map(PollerExplainTests.name))
        #expect(live.filter { $0?.nextPoll.reason == .concurrency }.count == 2)
        #expect(live.filter { $0?.nextPoll.reason == .inFlight }.count == 1)
        let status = try #require(await harness.poller.serviceStatuses().first)
        #expect(status.late?.limit == "concurrency 1")
        await harness.poller.answer(harness.kinetica)
        try await harness.run(for: .milliseconds(200))
        #expect(await harness.poller.serviceStatuses().first?.late == nil)
    }

    @Test func `a service that is down is the reason, and says how it is probed`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.outage(PollerTests.refused)
        try await harness.poller.apply(PollerExplainTests.single(["1"]))
        try await harness.run(for: .seconds(20))
        let live = try await explain("1", harness).live
        #expect(live.lastPoll?.outcome == "failed")
        #expect(live.lastPoll?.reason == .connection)
        #expect(live.lastPoll?.status == nil)
        #expect(live.lastPoll?.message == "connection refused")
        #expect(live.nextPoll.reason == .service)
        #expect(live.nextPoll.detail.hasPrefix("the service is down ("))
        let status = try #require(await harness.poller.serviceStatuses().first)
        #expect(status.failures >= 3)
        #expect(status.reason == .connection)
        // Its own pauses are what makes polls late, not its limits.
        #expect(status.late == nil)
        harness.kinetica.outage(nil)
        harness.kinetica.set("1", "running")
        try await harness.run(for: .seconds(130))
        #expect(try await explain("1", harness).live.nextPoll.reason == .backoff)
    }

    @Test func `refused credentials and a wish to be left alone are told apart`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.outage(PollerTests.status(401))
        try await harness.poller.apply(PollerExplainTests.single(["1"]))
        try await harness.run(for: .seconds(10))
        let refused = try await explain("1", harness).live
        #expect(refused.nextPoll.reason == .credentials)
        #expect(refused.lastPoll?.status == 401)
        #expect(refused.lastPoll?.reason == .unauthorized)
        harness.kinetica.outage(PollerTests.status(429, retryAfter: .after(.seconds(600))))
        try await harness.run(for: .seconds(90))
        let throttled = try await explain("1", harness).live.nextPoll
        #expect(throttled.reason == .retryAfter)
        #expect(try #require(throttled.at) > harness.time.wallClock().advanced(by: .seconds(400)))
    }

    @Test func `a request that is refused for one watch says so of that watch`() async throws {
        let harness = try await PollingHarness()
        try await harness.poller.apply(PollerExplainTests.single(["1"]))
        harness.kinetica.fail(with: [PollerTests.status(400)])
        try await harness.run(for: .seconds(1))
        let live = try await explain("1", harness).live
        #expect(["refused", "failed"].contains(live.lastPoll?.outcome))
        #expect(live.lastPoll?.status == 400)
        #expect(live.lastPoll?.message == live.lastError)
    }

    @Test func `a plan of before the restart is kept, and told as such`() async throws {
        let slow = WatchSettings(
            poll: PollSettings(
                initial: .seconds(60), factor: 1, maximum: .seconds(60), jitter: 0),
            notify: ["log"])
        let first = try await PollingHarness()
        first.kinetica.set("1", "running")
        try await first.poller.apply(PollerExplainTests.single(["1"], settings: slow))
        try await first.run(for: .seconds(70))
        await first.poller.drain(limit: .zero)
        #expect(
            await first.poller.explain(PollerExplainTests.name("1"))?.live.nextPoll.reason
                == .stopping)
        try await first.store.flush()
        let second = try await PollingHarness(store: first.store)
        second.time.advance(by: .seconds(70))
        try await second.poller.apply(PollerExplainTests.single(["1"], settings: slow))
        let live = try await explain("1", second).live
        #expect(live.nextPoll.reason == .kept)
        #expect(live.lastPollAt != nil)
        #expect(live.lastPoll == nil)
    }

    @Test func `a discovery that finds nothing names its tag and why`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.state.withLock { $0.tagFault = PollerTests.status(404) }
        try await harness.poller.apply(PollingHarness.configuration(discoveries: ["nightly"]))
        try await harness.run(for: .seconds(3))
        let refused = try #require(await harness.poller.serviceStatuses().first?.discoveries)
        #expect(refused.map(\.runTag) == ["nightly"])
        #expect(refused.first?.error.contains("404") == true, "\(refused)")
        harness.kinetica.state.withLock { $0.tagFault = nil }
        try await harness.run(for: .seconds(20))
        #expect(await harness.poller.serviceStatuses().first?.discoveries == [])
    }

    @Test func `settings are known of what has ended too, and nothing else is`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "complete")
        try await harness.poller.apply(PollerExplainTests.single(["1"]))
        try await harness.run(for: .seconds(2))
        #expect(await harness.poller.explain(PollerExplainTests.name("1")) == nil)
        #expect(
            await harness.poller.settings(of: PollerExplainTests.name("1")) == PollingHarness.fast)
        #expect(await harness.poller.settings(of: PollerExplainTests.name("9")) == nil)
        #expect(await harness.poller.serviceNames() == ["warehouse"])
    }

    @Test(arguments: [
        (20.0, "20/s"), (0.5, "30/m"), (1.0, "1/s"), (2.5, "2.5/s"), (0.01, "0.6/m"),
    ])
    func `a rate is written as it is configured`(rate: Double, text: String) {
        #expect(ServiceSlot.text(rate: rate) == text)
    }
}
