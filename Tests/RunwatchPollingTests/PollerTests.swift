import RunwatchCore
import RunwatchHTTP
import RunwatchStore
import Synchronization
import TestSupport
import Testing

@testable import RunwatchPolling

@Suite struct PollerTests {
    static let refused = Result<HTTPResponse, HTTPFailure>.failure(
        HTTPFailure(.connect, "connection refused"))

    static func status(_ status: Int, retryAfter: RetryHint? = nil)
        -> Result<HTTPResponse, HTTPFailure>
    {
        .success(HTTPResponse(status: status, retryAfter: retryAfter))
    }

    @Test func `a run is followed through its states to its end, each told once`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.set("12", "none")
        try await harness.poller.apply(PollingHarness.configuration(runs: ["12"]))
        try await harness.run(for: .seconds(3))
        harness.kinetica.set("12", "running")
        try await harness.run(for: .seconds(8))
        harness.kinetica.set("12", "complete")
        try await harness.run(for: .seconds(8))
        #expect(harness.told("warehouse/12") == ["run.pending", "run.running", "run.complete"])
        let before = harness.kinetica.requests
        try await harness.run(for: .seconds(60))
        #expect(harness.kinetica.requests == before)
    }

    @Test func `an event carries what the contract says`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.set("12", "running")
        try await harness.poller.apply(
            PollingHarness.configuration(runs: ["12"], group: "nightly"))
        try await harness.run(for: .seconds(3))
        harness.kinetica.set("12", "complete")
        try await harness.run(for: .seconds(6))
        let recorded = harness.events.withLock { $0.last { $0.type == .run(.complete) } }
        let event = try #require(recorded)
        let json = try JSONValue(parsing: event.json)
        #expect(json["type"] == .string("run.complete"))
        let data = try #require(json["data"])
        #expect(data["service"] == .string("warehouse"))
        #expect(data["kind"] == .string("kinetica"))
        #expect(data["run"] == .string("12"))
        #expect(data["group"] == .string("nightly"))
        #expect(data["state"] == .string("complete"))
        #expect(data["previous_state"] == .string("running"))
        #expect(data["sequence"] == .integer(2))
        let notBefore = try #require(
            data["not_before"]?.stringValue.flatMap { Timestamp(rfc3339: $0) })
        let observedAt = try #require(
            data["observed_at"]?.stringValue.flatMap { Timestamp(rfc3339: $0) })
        #expect(notBefore < observedAt)
    }

    @Test(arguments: [2, 2000])
    func `one request an interval serves two watches or two thousand`(count: Int) async throws {
        let harness = try await PollingHarness()
        let runs = (1...count).map(String.init)
        for run in runs { harness.kinetica.set(run, "running") }
        try await harness.poller.apply(
            PollingHarness.configuration(runs: runs, settings: PollingHarness.steady))
        try await harness.run(for: .seconds(10), step: .milliseconds(100))
        let before = harness.kinetica.requests
        try await harness.run(for: .seconds(100), step: .milliseconds(100))
        let made = harness.kinetica.requests - before
        #expect((18...23).contains(made), "\(made) requests in 20 intervals")
        #expect(harness.kinetica.singles <= 1)
    }

    @Test func `few watches at a server with a huge answer about all are asked for singly`()
        async throws
    {
        let harness = try await PollingHarness()
        harness.kinetica.state.withLock { $0.padding = 1_000_000 }
        for run in ["1", "2"] { harness.kinetica.set(run, "running") }
        try await harness.poller.apply(
            PollingHarness.configuration(runs: ["1", "2"], settings: PollingHarness.steady))
        try await harness.run(for: .seconds(5))
        harness.kinetica.state.withLock { $0.padding = 0 }
        // Now single answers are small, and yet the last answer about all was not.
        try await harness.run(for: .seconds(60))
        #expect(harness.kinetica.singles >= 20)
        #expect(harness.kinetica.alls <= 2)
    }

    @Test func `a refused request for all falls back to single ones`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.state.withLock { $0.allFault = PollerTests.status(404) }
        for run in ["1", "2", "3"] { harness.kinetica.set(run, "complete") }
        try await harness.poller.apply(PollingHarness.configuration(runs: ["1", "2", "3"]))
        try await harness.run(for: .seconds(5))
        for run in ["1", "2", "3"] { #expect(harness.told("warehouse/\(run)") == ["run.complete"]) }
        #expect(harness.told("warehouse").isEmpty)
    }

    @Test func `a run that an answer about all leaves out is lost after five seconds`()
        async throws
    {
        let harness = try await PollingHarness()
        for run in ["1", "2"] { harness.kinetica.set(run, "running") }
        try await harness.poller.apply(PollingHarness.configuration(runs: ["1", "2"]))
        try await harness.run(for: .seconds(3))
        harness.kinetica.set("2", nil)
        try await harness.run(for: .seconds(4))
        #expect(harness.told("warehouse/2") == ["run.running"])
        try await harness.run(for: .seconds(8))
        #expect(harness.told("warehouse/2") == ["run.running", "run.lost"])
        #expect(harness.told("warehouse/1") == ["run.running"])
    }

    @Test func `an outage is told once when it begins and once when it ends`() async throws {
        let harness = try await PollingHarness()
        let runs = (1...50).map(String.init)
        for run in runs { harness.kinetica.set(run, "running") }
        try await harness.poller.apply(
            PollingHarness.configuration(runs: runs, coalesce: .never))
        try await harness.run(for: .seconds(10))
        harness.kinetica.outage(PollerTests.refused)
        let before = harness.kinetica.requests
        try await harness.run(for: .seconds(600), step: .milliseconds(100))
        #expect(harness.told("warehouse") == ["service.down"])
        // One probe at a time, up to two minutes apart, after the eight that were in flight.
        #expect(harness.kinetica.requests - before < 60)
        for run in runs { #expect(harness.told("warehouse/\(run)") == ["run.running"]) }
        harness.kinetica.outage(nil)
        for run in runs { harness.kinetica.set(run, "complete") }
        try await harness.run(for: .seconds(150), step: .milliseconds(100))
        #expect(harness.told("warehouse") == ["service.down", "service.up"])
        for run in runs {
            #expect(harness.told("warehouse/\(run)") == ["run.running", "run.complete"])
        }
    }

    @Test func `Retry-After pauses the whole service`() async throws {
        let harness = try await PollingHarness()
        for run in ["1", "2", "3"] { harness.kinetica.set(run, "running") }
        try await harness.poller.apply(
            PollingHarness.configuration(runs: ["1", "2", "3"], coalesce: .never))
        try await harness.run(for: .seconds(5))
        harness.kinetica.fail(with: [PollerTests.status(429, retryAfter: .after(.seconds(30)))])
        try await harness.run(for: .seconds(6))
        let before = harness.kinetica.requests
        try await harness.run(for: .seconds(20))
        #expect(harness.kinetica.requests == before)
        try await harness.run(for: .seconds(10))
        #expect(harness.kinetica.requests > before)
    }

    @Test func `a rate is kept and nothing is starved`() async throws {
        let harness = try await PollingHarness()
        let runs = (1...200).map(String.init)
        for run in runs { harness.kinetica.set(run, "running") }
        try await harness.poller.apply(
            PollingHarness.configuration(
                runs: runs, coalesce: .never, limits: ServiceLimits(concurrency: 8, rate: 10)))
        try await harness.run(for: .seconds(60))
        #expect((590...605).contains(harness.kinetica.requests))
        for run in runs { #expect(harness.told("warehouse/\(run)") == ["run.running"]) }
    }

    @Test func `a deadline passes also while the service is down`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "running")
        let settings = WatchSettings(
            poll: PollingHarness.fast.poll, deadline: .seconds(20), notify: ["log"])
        try await harness.poller.apply(
            PollingHarness.configuration(runs: ["1"], settings: settings))
        try await harness.run(for: .seconds(5))
        harness.kinetica.outage(PollerTests.refused)
        try await harness.run(for: .seconds(14))
        #expect(harness.told("warehouse/1") == ["run.running"])
        try await harness.run(for: .seconds(5))
        #expect(harness.told("warehouse/1") == ["run.running", "run.timeout"])
    }

    @Test func `a stall is told once`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "running")
        let settings = WatchSettings(
            poll: PollingHarness.fast.poll, stallAfter: .seconds(10), notify: ["log"])
        try await harness.poller.apply(
            PollingHarness.configuration(runs: ["1"], settings: settings))
        try await harness.run(for: .seconds(60))
        #expect(harness.told("warehouse/1") == ["run.running", "run.stalled"])
    }

    @Test func `a run that waits too long is told of as pending`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "none")
        let settings = WatchSettings(
            poll: PollingHarness.fast.poll, pendingAfter: .seconds(10), notify: ["log"])
        try await harness.poller.apply(
            PollingHarness.configuration(runs: ["1"], settings: settings))
        try await harness.run(for: .seconds(60))
        #expect(harness.told("warehouse/1") == ["run.pending", "run.stalled"])
        let recorded = harness.events.withLock { $0.first { $0.type == .runStalled } }
        let data = try JSONValue(parsing: try #require(recorded).json)["data"]
        let since = try #require(data?["observed_at"]?.stringValue)
        #expect(data?["message"]?.stringValue == "pending since \(since)")
    }

    @Test func `a group is finished when its last watch is final`() async throws {
        let harness = try await PollingHarness()
        let runs = ["1", "2", "3"]
        for run in runs { harness.kinetica.set(run, "running") }
        try await harness.poller.apply(
            PollingHarness.configuration(runs: runs, group: "nightly"))
        try await harness.run(for: .seconds(3))
        harness.kinetica.set("1", "complete")
        harness.kinetica.set("2", "error")
        try await harness.run(for: .seconds(6))
        #expect(harness.told("nightly").isEmpty)
        harness.kinetica.set("3", "complete")
        try await harness.run(for: .seconds(6))
        #expect(harness.told("nightly") == ["group.finished"])
        let recorded = harness.events.withLock { $0.last { $0.type == .groupFinished } }
        let data = try JSONValue(parsing: try #require(recorded).json)["data"]
        #expect(
            data?["counts"]
                == .object([.init("complete", .integer(2)), .init("error", .integer(1))]))
        #expect(data?["failed"] == .array([.string("warehouse/2")]))
    }

    // MARK: Configuration

    @Test func `a watch that leaves the list is not polled, and goes on when it comes back`()
        async throws
    {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "running")
        try await harness.poller.apply(PollingHarness.configuration(runs: ["1"]))
        try await harness.run(for: .seconds(5))
        try await harness.poller.apply(PollingHarness.configuration(runs: []))
        let before = harness.kinetica.requests
        try await harness.run(for: .seconds(30))
        #expect(harness.kinetica.requests == before)
        try await harness.poller.apply(PollingHarness.configuration(runs: ["1"]))
        harness.kinetica.set("1", "complete")
        try await harness.run(for: .seconds(10))
        #expect(harness.told("warehouse/1") == ["run.running", "run.complete"])
    }

    @Test func `unchanged watches keep their backoff through a reload`() async throws {
        let harness = try await PollingHarness()
        for run in ["1", "2"] { harness.kinetica.set(run, "running") }
        let configuration = PollingHarness.configuration(runs: ["1", "2"], coalesce: .never)
        try await harness.poller.apply(configuration)
        try await harness.run(for: .seconds(60))
        let names = configuration.watches.map(\.name)
        let before = await harness.poller.live(names)
        try await harness.poller.apply(configuration)
        #expect(await harness.poller.live(names) == before)
    }

    @Test func `a restart goes on where the last process stopped, and tells nothing twice`()
        async throws
    {
        let folder = TemporaryFolder()
        let first = try await PollingHarness(
            store: Store(at: .file(folder.path("runwatch.db"))))
        for run in ["1", "2"] { first.kinetica.set(run, "running") }
        let configuration = PollingHarness.configuration(runs: ["1", "2"], coalesce: .never)
        try await first.poller.apply(configuration)
        try await first.run(for: .seconds(20))
        first.kinetica.set("1", "complete")
        try await first.run(for: .seconds(20))
        #expect(first.told("warehouse/1") == ["run.running", "run.complete"])
        await first.store.close()

        let second = try await PollingHarness(
            store: Store(at: .file(folder.path("runwatch.db"))))
        for run in ["1", "2"] { second.kinetica.set(run, "complete") }
        try await second.poller.apply(configuration)
        try await second.run(for: .seconds(20))
        #expect(second.told("warehouse/1").isEmpty)
        #expect(second.told("warehouse/2") == ["run.complete"])
        let data = try second.events.withLock {
            try JSONValue(parsing: try #require($0.first).json)["data"]
        }
        #expect(data?["previous_state"] == .string("running"))
        #expect(data?["sequence"] == .integer(2))
        await second.store.close()
    }

    @Test func `rewatch starts an ended watch afresh`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "error")
        try await harness.poller.apply(PollingHarness.configuration(runs: ["1"]))
        try await harness.run(for: .seconds(5))
        harness.kinetica.set("1", "complete")
        try await harness.poller.rewatch(WatchName(service: "warehouse", run: "1"))
        try await harness.run(for: .seconds(5))
        #expect(harness.told("warehouse/1") == ["run.error", "run.complete"])
        let last = harness.events.withLock { $0.last }
        let data = try JSONValue(parsing: try #require(last).json)["data"]
        #expect(data?["sequence"] == .integer(2))
    }

    @Test func `polling now says why it cannot`() async throws {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "complete")
        try await harness.poller.apply(PollingHarness.configuration(runs: ["1"]))
        try await harness.run(for: .seconds(5))
        await #expect(throws: WatchRefusal.ended(.complete)) {
            try await harness.poller.pollNow(WatchName(service: "warehouse", run: "1"))
        }
        await #expect(throws: WatchRefusal.noSuchWatch) {
            try await harness.poller.pollNow(WatchName(service: "warehouse", run: "2"))
        }
    }

    // MARK: Discovery

    @Test func `a discovery watches new runs and leaves alone what had ended before`()
        async throws
    {
        let harness = try await PollingHarness()
        harness.kinetica.set("1", "complete", tag: "nightly")
        harness.kinetica.set("2", "running", tag: "nightly")
        harness.kinetica.set("3", "running", tag: "other")
        try await harness.poller.apply(
            PollingHarness.configuration(discoveries: ["nightly"]))
        try await harness.run(for: .seconds(10))
        // Began and ended between two looks.
        harness.kinetica.set("4", "error", tag: "nightly")
        harness.kinetica.set("2", "complete", tag: "nightly")
        try await harness.run(for: .seconds(20))
        #expect(harness.told("warehouse/1").isEmpty)
        #expect(harness.told("warehouse/2") == ["run.running", "run.complete"])
        #expect(harness.told("warehouse/3").isEmpty)
        #expect(harness.told("warehouse/4") == ["run.error"])
    }

    @Test func `a discovery remembers through a restart what it has met`() async throws {
        let folder = TemporaryFolder()
        let configuration = PollingHarness.configuration(discoveries: ["nightly"])
        let first = try await PollingHarness(
            store: Store(at: .file(folder.path("runwatch.db"))))
        first.kinetica.set("1", "complete", tag: "nightly")
        first.kinetica.set("2", "running", tag: "nightly")
        try await first.poller.apply(configuration)
        try await first.run(for: .seconds(10))
        await first.store.close()

        let second = try await PollingHarness(
            store: Store(at: .file(folder.path("runwatch.db"))))
        second.kinetica.set("1", "complete", tag: "nightly")
        second.kinetica.set("2", "complete", tag: "nightly")
        second.kinetica.set("3", "complete", tag: "nightly")
        try await second.poller.apply(configuration)
        try await second.run(for: .seconds(20))
        #expect(second.told("warehouse/1").isEmpty)
        #expect(second.told("warehouse/2") == ["run.complete"])
        #expect(second.told("warehouse/3") == ["run.complete"])
        await second.store.close()
    }

    // MARK: All at once

    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func `among random faults every run ends as it did, told once`(seed: UInt64) async throws {
        let harness = try await PollingHarness(seed: seed)
        var generator = SeededGenerator(seed: seed)
        let ends = ["complete", "error", "killed"]
        let runs = (1...60).map(String.init)
        var endOf: [String: String] = [:]
        for run in runs { harness.kinetica.set(run, "none") }
        try await harness.poller.apply(
            PollingHarness.configuration(
                runs: runs, coalesce: seed % 2 == 0 ? .never : .auto))
        let faults: [Result<HTTPResponse, HTTPFailure>] = [
            PollerTests.refused, PollerTests.status(500), PollerTests.status(429),
            PollerTests.status(503, retryAfter: .after(.seconds(2))),
            .success(HTTPResponse(status: 200, body: Array("<html>".utf8))),
            .success(HTTPResponse(status: 200, body: Array("{\"status\":\"OK\"}".utf8))),
            .failure(HTTPFailure(.timeout, "slow")),
        ]
        for _ in 0..<120 {
            let run = runs[Int.random(in: 0..<runs.count, using: &generator)]
            if endOf[run] == nil {
                let word =
                    Bool.random(using: &generator)
                    ? "running" : ends.randomElement(using: &generator)
                if let word, ends.contains(word) { endOf[run] = word }
                harness.kinetica.set(run, word)
            }
            if generator.unit() < 0.3, let fault = faults.randomElement(using: &generator) {
                harness.kinetica.fail(with: [fault])
            }
            try await harness.run(for: .seconds(1), step: .milliseconds(100))
        }
        for run in runs where endOf[run] == nil {
            endOf[run] = "complete"
            harness.kinetica.set(run, "complete")
        }
        harness.kinetica.fail(with: [])
        try await harness.run(for: .seconds(60), step: .milliseconds(100))
        for run in runs {
            let told = harness.told("warehouse/\(run)")
            #expect(told.last == "run.\(endOf[run] ?? "")")
            #expect(Set(told).count == told.count, "\(run): \(told)")
        }
    }
}
