import RunwatchCore
import RunwatchHTTP
import RunwatchLinux
import RunwatchStore
import TestSupport
import Testing

@testable import RunwatchDelivery

/// What people ask for: redelivery at once, a probe now, a test.
@Suite struct DelivererRequestTests {
    typealias Bench = DelivererBench

    @Test func `a redelivered message goes before a crowd that a dead receiver is owed`()
        async throws
    {
        let time = ManualTime()
        let bench = try await Bench([Bench.webhook("ops", retry: [.zero])], time: time)
        bench.end.script { _ in .status(500) }
        bench.submit("first", ["ops"])
        try await eventually("it is given up") { try await bench.owed("ops") == 0 }
        let id = bench.end.seen[0].id
        for index in 0..<600 { bench.submit("crowd/\(index)", ["ops"]) }
        await bench.deliverer.apply([Bench.webhook("ops", retry: [.zero, .seconds(3600)])])
        try await eventually("the places are taken") { bench.end.seen.count >= 257 }
        bench.end.script { _ in .never }
        try await bench.deliverer.hurry(bench.store.redeliver(id: id))
        try await eventually("it is attempted") { bench.end.seen.last?.id == id }
        await bench.deliverer.drain(until: time.now())
        await bench.store.close()
    }

    @Test func `a redelivered message is attempted once at a receiver that answered 410`()
        async throws
    {
        let bench = try await Bench([Bench.webhook("ops")])
        bench.end.script { _ in .status(410) }
        bench.submit("a/1", ["ops"])
        try await eventually("it is disabled") {
            await bench.deliverer.status().first?.isDisabled == true
        }
        let id = bench.end.seen[0].id
        bench.end.script { _ in .status(200) }
        try await bench.deliverer.hurry(bench.store.redeliver(id: id))
        try await eventually("it has arrived") { try await bench.owed("ops") == 0 }
        #expect(bench.end.seen.map(\.id) == [id, id])
        #expect(await bench.deliverer.status().first?.isDisabled == true)
        bench.submit("a/2", ["ops"])
        bench.deliverer.wake(["ops"])
        try await eventually("the second is owed") { try await bench.owed("ops") == 1 }
        #expect(bench.end.seen.count == 2)
        await bench.stop()
    }

    @Test func `an encouraged receiver is tried at once, and opens with the first success`()
        async throws
    {
        let time = ManualTime()
        let bench = try await Bench([Bench.webhook("ops")], time: time)
        bench.end.script { _ in .status(500) }
        for index in 0..<400 { bench.submit("a/\(index)", ["ops"]) }
        try await eventually("the places are taken") { bench.end.seen.count == 256 }
        bench.end.script { _ in .status(200) }
        // No time passes: without the encouragement nothing more would be tried.
        await bench.deliverer.encourage("ops")
        try await eventually("what was never tried arrives") {
            Set(bench.end.seen.map(\.subject)).count == 400
        }
        await bench.stop()
    }

    @Test func `a test says what came back, and leaves nothing behind`() async throws {
        let bench = try await Bench([Bench.webhook("ops"), Bench.webhook("pager")])
        bench.end.script { $0.host == "ops" ? .status(503, "busy") : .status(204) }
        let bad = try #require(await bench.deliverer.test("ops"))
        #expect(bad.result.outcome == .later(hint: nil))
        #expect(bad.result.status == 503)
        #expect(bad.result.message == "HTTP 503: busy")
        let good = try #require(await bench.deliverer.test("pager"))
        #expect(good.result.outcome == .delivered)
        #expect(await bench.deliverer.test("nobody") == nil)
        let seen = bench.end.seen
        #expect(seen.map(\.id) == [bad.id, good.id])
        let event = try JSONValue(parsing: seen[0].body)
        #expect(event["type"] == .string("receiver.test"))
        #expect(event["data"]?["receiver"] == .string("ops"))
        #expect(try await bench.owed("ops") == 0)
        // The health of the receiver is told by what it is owed.
        #expect(await bench.deliverer.status().allSatisfy { !$0.isFailing })
        await bench.stop()
    }

    @Test func `a test that is under way when the daemon stops has an answer`() async throws {
        let bench = try await Bench([Bench.webhook("ops")])
        bench.end.script { _ in .never }
        async let test = bench.deliverer.test("ops")
        try await eventually("it is under way") { bench.end.seen.count == 1 }
        await bench.deliverer.drain(until: SystemTime().now())
        #expect(await test?.result.outcome == .abandoned)
        await bench.store.close()
    }

    @Test func `a test of a receiver that is reconfigured meanwhile ends on its old connection`()
        async throws
    {
        let bench = try await Bench([Bench.webhook("ops")])
        bench.end.script { _ in .never }
        async let test = bench.deliverer.test("ops")
        try await eventually("it is under way") { bench.end.seen.count == 1 }
        await bench.deliverer.apply([])
        #expect(bench.end.closed == 0)
        await bench.deliverer.drain(until: SystemTime().now())
        #expect(await test != nil)
        await bench.store.close()
    }

    @Test func `what is redelivered while its last attempt is under way is tried again`()
        async throws
    {
        let bench = try await Bench(
            [Bench.webhook("ops", retry: [.zero, .milliseconds(1)]), Bench.webhook("other")])
        bench.end.script { [end = bench.end] _ in end.seen.count == 1 ? .status(500) : .held }
        bench.submit("a", ["ops"])
        try await eventually("the last attempt is under way") { bench.end.seen.count == 2 }
        let id = bench.end.seen[0].id
        try await bench.deliverer.hurry(bench.store.redeliver(id: id))
        bench.end.script { _ in .status(200) }
        bench.end.release(.status(500))
        try await eventually("it arrives") { try await bench.owed("ops") == 0 }
        #expect(bench.end.seen.map(\.id) == [id, id, id])
        #expect(try await bench.store.redeliverFailed(receiver: "ops") == 0)
        await bench.stop()
    }

    // MARK: Digests

    @Test func `what is redelivered before its digest is gathered goes under one ID for good`()
        async throws
    {
        let time = ManualTime()
        var settings = Bench.webhook("ops")
        settings.digest = DigestSettings(window: .seconds(60), max: 3)
        let bench = try await Bench([settings], time: time)
        bench.end.script { _ in .never }
        var event = Bench.event("a", ["ops"])
        event.timestamp = time.wallClock()
        bench.store.submit(.event(event, stalled: nil))
        var id: String?
        try await eventually("it is recorded") {
            id = try await bench.store.dueDeliveries(
                for: "ops", now: time.wallClock(), limit: 1, excluding: []
            ).deliveries.first?.id
            return id != nil
        }
        try await bench.deliverer.hurry(bench.store.redeliver(id: #require(id)))
        try await eventually("it is attempted") { bench.end.seen.count == 1 }
        // As a search that began before, or after a crash: what is under way is not known to it.
        let found = try await bench.store.dueDeliveries(
            for: "ops", now: time.wallClock().advanced(by: .seconds(61)), limit: 10, excluding: [],
            digest: settings.digest)
        #expect(found.deliveries.map(\.id) == bench.end.seen.map(\.id))
        await bench.deliverer.drain(until: time.now())
        await bench.store.close()
    }

    @Test func `a digest is one message, tried again as it is until it arrives`() async throws {
        let time = ManualTime()
        var settings = Bench.webhook("ops", retry: [.zero, .seconds(5)])
        settings.digest = DigestSettings(window: .seconds(60), max: 3)
        let bench = try await Bench([settings], time: time)
        bench.end.script { _ in .status(500) }
        for subject in ["a", "b", "a"] { bench.submit(subject, ["ops"]) }
        try await eventually("three fill it") { bench.end.seen.count == 1 }
        // The clock stands until the wait for the next attempt has begun.
        try await eventually("it has failed") {
            await bench.deliverer.status().first?.isFailing == true
        }
        bench.end.script { _ in .status(200) }
        time.advance(by: .seconds(6))
        bench.deliverer.wake(["ops"])
        try await eventually("the second attempt") { bench.end.seen.count == 2 }
        #expect(bench.end.seen[0].id == bench.end.seen[1].id)
        #expect(bench.end.seen[0].body == bench.end.seen[1].body)
        try await eventually("nothing is owed") { try await bench.owed("ops") == 0 }
        bench.submit("c", ["ops"])
        bench.deliverer.wake(["ops"])
        time.advance(by: .seconds(61))
        bench.deliverer.wake(["ops"])
        try await eventually("one alone goes when its window ends") { bench.end.seen.count == 3 }
        await bench.stop()
    }
}
