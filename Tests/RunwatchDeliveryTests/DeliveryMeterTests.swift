import RunwatchCore
import RunwatchHTTP
import TestSupport
import Testing

@testable import RunwatchDelivery

/// What is counted of deliveries.
@Suite struct DeliveryMeterTests {
    typealias Bench = DelivererBench

    @Test func `each way for an attempt to end has its counter`() {
        var meter = DeliveryMeter()
        meter.ended(.delivered, events: 5, after: .milliseconds(20))
        meter.ended(.retry(after: .seconds(1)), events: 1, after: .milliseconds(20))
        meter.ended(.stillDue, events: 1, after: .milliseconds(20))
        meter.ended(.keep, events: 1, after: .milliseconds(20))
        meter.ended(.failed, events: 2, after: .seconds(15))
        #expect(DeliveryMeter.Attempt.allCases.map { meter.count($0) } == [1, 2, 1, 1])
        #expect(meter.delivered == 5)
        #expect(meter.failed == 2)
        #expect(meter.durations.count == 5)
    }

    @Test func `attempts and what came of them are counted by receiver`() async throws {
        let bench = try await Bench([
            Bench.webhook("ops", retry: [.zero, .milliseconds(20)]), Bench.webhook("log"),
        ])
        bench.end.script { $0.host == "ops" ? .status(500) : .status(200) }
        bench.submit("a/1", ["ops", "log"])
        bench.submit("a/2", ["log"])
        try await eventually("both are through with it") {
            let status = await bench.deliverer.status()
            return status.allSatisfy { $0.meter.delivered == 2 || $0.meter.failed == 1 }
        }
        let status = await bench.deliverer.status()
        #expect(status.map(\.name) == ["log", "ops"])
        #expect(status[0].meter.count(.delivered) == 2)
        #expect(status[0].meter.failed == 0)
        #expect(status[1].meter.count(.retry) == 1)
        #expect(status[1].meter.count(.failed) == 1)
        #expect(status[1].meter.delivered == 0)
        #expect(status[1].meter.durations.count == 2)
        #expect(status.map(\.concurrency) == [16, 16])
        await bench.stop()
    }

    @Test func `counters go on when a receiver's settings change`() async throws {
        let bench = try await Bench([Bench.webhook("ops")])
        bench.submit("a/1", ["ops"])
        try await eventually("it is delivered") {
            await bench.deliverer.status().first?.meter.delivered == 1
        }
        await bench.deliverer.apply([Bench.webhook("ops", path: "moved")])
        #expect(await bench.deliverer.status().first?.meter.delivered == 1)
        await bench.deliverer.apply([])
        #expect(await bench.deliverer.status().isEmpty)
        await bench.stop()
    }
}
