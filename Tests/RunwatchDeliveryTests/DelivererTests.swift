import Glibc
import RunwatchCore
import RunwatchHTTP
import RunwatchLinux
import RunwatchStore
import Synchronization
import TestSupport
import Testing

@testable import RunwatchDelivery

@Suite struct DelivererTests {
    typealias Bench = DelivererBench

    @Test func `an event reaches its receivers as it was recorded`() async throws {
        let bench = try await Bench([Bench.webhook("one"), Bench.webhook("two")])
        bench.submit("a/1", ["one", "two"])
        try await eventually("two requests") { bench.end.seen.count == 2 }
        let seen = bench.end.seen
        #expect(Set(seen.map(\.host)) == ["one", "two"])
        #expect(Set(seen.map(\.id)).count == 2)
        #expect(seen.allSatisfy { $0.body == Bench.event("a/1", []).json && !$0.id.contains(".") })
        try await eventually("nothing is owed") {
            try await bench.owed("one") + bench.owed("two") == 0
        }
        let status = await bench.deliverer.status()
        #expect(status.map(\.name) == ["one", "two"])
        #expect(status.allSatisfy { $0.lastSuccessAt != nil && $0.inFlight == 0 && !$0.isFailing })
        #expect(!bench.deliverer.isStuck(now: SystemTime().now()))
        await bench.stop()
    }

    @Test func `the schedule is followed, then the delivery has failed and others are told`()
        async throws
    {
        let bench = try await Bench([
            Bench.webhook("ops", retry: [.zero, .milliseconds(20), .milliseconds(20)]),
            Bench.webhook("pager", on: [.deliveryFailed]),
        ])
        bench.end.script { $0.host == "ops" ? .status(500, "broken") : .status(200) }
        bench.submit("a/1", ["ops"])
        try await eventually("the pager is told") {
            bench.end.seen.contains { $0.host == "pager" }
        }
        let attempts = bench.end.seen.filter { $0.host == "ops" }
        #expect(attempts.count == 3)
        #expect(Set(attempts.map(\.id)).count == 1)
        let told = try #require(bench.end.seen.first { $0.host == "pager" })
        let event = try JSONValue(parsing: told.body)
        #expect(event["type"] == .string("delivery.failed"))
        #expect(event["data"]?["delivery"] == .string(attempts[0].id))
        #expect(event["data"]?["receiver"] == .string("ops"))
        #expect(event["data"]?["name"] == .string("a/1"))
        #expect(event["data"]?["type"] == .string("run.complete"))
        #expect(event["data"]?["attempts"] == .integer(3))
        #expect(try await bench.owed("ops") == 0)
        let log = bench.log.told
        #expect(log.count { $0.contains("does not take deliveries") } == 1)
        #expect(log.count { $0.contains("given up after 3 attempts") } == 1)
        await bench.stop()
    }

    @Test func `a failed delivery of a failed delivery is told to nobody`() async throws {
        let bench = try await Bench([
            Bench.webhook("ops", retry: [.zero]),
            Bench.webhook("one", retry: [.zero], on: [.deliveryFailed]),
            Bench.webhook("two", retry: [.zero], on: [.deliveryFailed]),
        ])
        let events = Mutex<[RecordedEvent]>([])
        await bench.store.onCommit { committed in
            events.withLock { $0 += committed.events }
        }
        bench.end.script { _ in .status(500) }
        bench.submit("a/1", ["ops"])
        try await eventually("three attempts") { bench.end.seen.count == 3 }
        try await eventually("nothing is owed") {
            try await bench.owed("ops") + bench.owed("one") + bench.owed("two") == 0
        }
        await bench.stop()
        #expect(bench.end.seen.count == 3)
        #expect(events.withLock { $0.map(\.type) } == [.run(.complete), .deliveryFailed])
    }

    @Test func `0s, 5s, 1m: each attempt in its time, whatever the wall clock does`() async throws {
        let time = ManualTime()
        let bench = try await Bench(
            [Bench.webhook("ops", retry: [.zero, .seconds(5), .seconds(60)])], time: time)
        bench.end.script { $0.subject == "a/1" ? .status(503) : .status(200) }
        bench.submit("a/1", ["ops"])
        func attempts() -> Int { bench.end.seen.count { $0.subject == "a/1" } }
        try await eventually("the first attempt") { attempts() == 1 }
        try await bench.settle("ops")
        time.advance(by: .milliseconds(4900))
        try await bench.settle("ops")
        #expect(attempts() == 1)
        // Someone sets the clock back by an hour; nothing comes later for it.
        time.setWallClock(time.wallClock().advanced(by: .seconds(-3600)))
        time.advance(by: .milliseconds(700))
        bench.deliverer.wake(["ops"])
        try await eventually("the second attempt") { attempts() == 2 }
        // Its end is known before time goes on.
        try await bench.settle("ops")
        time.advance(by: .seconds(59))
        try await bench.settle("ops")
        #expect(attempts() == 2)
        time.advance(by: .seconds(8))
        bench.deliverer.wake(["ops"])
        try await eventually("the third attempt") { attempts() == 3 }
        try await eventually("it is given up") { try await bench.owed("ops") == 0 }
        await bench.stop()
    }

    @Test func `a wait that only a wrong clock can have written is not waited for`() async throws {
        let folder = TemporaryFolder()
        let time = ManualTime()
        let now = time.wallClock()
        time.setWallClock(now.advanced(by: .seconds(10 * 365 * 86_400)))
        let end = ScriptedEnd { _ in .status(500) }
        var bench = try await Bench(
            [Bench.webhook("ops")], store: Store(at: .file(folder.path("a.db")), time: time),
            end: end, time: time)
        bench.submit("a/1", ["ops"])
        try await eventually("the first attempt") { end.seen.count == 1 }
        await bench.stop()
        time.setWallClock(now)
        end.script { _ in .status(200) }
        bench = try await Bench(
            [Bench.webhook("ops")], store: Store(at: .file(folder.path("a.db")), time: time),
            end: end, time: time)
        try await eventually("the second attempt") { end.seen.count == 2 }
        #expect(Set(end.seen.map(\.id)).count == 1)
        await bench.stop()
    }

    @Test func `a first wait in the schedule is kept`() async throws {
        let time = ManualTime()
        let bench = try await Bench(
            [
                Bench.webhook("ops", retry: [.seconds(10), .seconds(5)]),
                Bench.webhook("other"),
            ], time: time)
        let event = NewEvent(
            type: .run(.complete), timestamp: time.wallClock(), subject: "a/1",
            json: Bench.event("a/1", []).json, receivers: ["ops"])
        bench.store.submit(.event(event, stalled: nil))
        try await bench.settle("other")
        time.advance(by: .seconds(9))
        bench.deliverer.wake(["ops"])
        try await bench.settle("other")
        #expect(!bench.end.seen.contains { $0.host == "ops" })
        time.advance(by: .seconds(2))
        bench.deliverer.wake(["ops"])
        try await eventually("the attempt") { bench.end.seen.contains { $0.host == "ops" } }
        await bench.stop()
    }

    @Test func `410 silences the receiver until a reload, and loses nothing`() async throws {
        let receivers = [Bench.webhook("ops"), Bench.webhook("other")]
        let bench = try await Bench(receivers)
        bench.end.script { $0.host == "ops" ? .status(410) : .status(200) }
        bench.submit("a/1", ["ops"])
        try await eventually("disabled") {
            await bench.deliverer.status().first?.isDisabled ?? false
        }
        bench.submit("a/2", ["ops"])
        bench.deliverer.wake(["ops"])
        try await bench.settle("other")
        #expect(bench.end.seen.count { $0.host == "ops" } == 1)
        #expect(try await bench.owed("ops") == 2)
        bench.end.script { _ in .status(200) }
        await bench.deliverer.apply(receivers)
        try await eventually("both arrive") { try await bench.owed("ops") == 0 }
        let seen = bench.end.seen.filter { $0.host == "ops" }
        #expect(seen.map(\.subject).sorted() == ["a/1", "a/1", "a/2"])
        #expect(Set(seen.map(\.id)).count == 2)
        #expect(bench.log.told.count { $0.contains("410") } == 1)
        await bench.stop()
    }

    @Test func `Retry-After is a lower bound`() async throws {
        let time = ManualTime()
        let bench = try await Bench([Bench.webhook("ops"), Bench.webhook("other")], time: time)
        bench.end.script {
            $0.host == "ops" ? .status(429, retryAfter: .after(.seconds(30))) : .status(200)
        }
        bench.submit("a/1", ["ops"])
        func attempts() -> Int { bench.end.seen.count { $0.host == "ops" } }
        try await eventually("the first attempt") { attempts() == 1 }
        try await eventually("its outcome is known") {
            await bench.deliverer.status().first?.isFailing ?? false
        }
        let resting = await bench.deliverer.status().first { $0.name == "ops" }
        #expect(resting?.restsUntil == time.wallClock().advanced(by: .seconds(30)))
        #expect(resting?.nextTryAt != nil)
        for _ in 0..<5 {
            time.advance(by: .milliseconds(5900))
            bench.deliverer.wake(["ops"])
            try await bench.settle("other")
        }
        #expect(attempts() == 1)
        time.advance(by: .seconds(1))
        bench.deliverer.wake(["ops"])
        try await eventually("the second attempt") { attempts() == 2 }
        await bench.stop()
    }

    @Test func `events of a run arrive in order although the first one fails at first`()
        async throws
    {
        let bench = try await Bench([
            Bench.webhook(
                "ops", retry: [.zero] + Array(repeating: .milliseconds(20), count: 20))
        ])
        let failures = Mutex(5)
        bench.end.script { seen in
            guard seen.subject == "a/1", seen.number == 0 else { return .status(200) }
            return failures.withLock { left in
                left -= 1
                return left >= 0 ? .failure(HTTPFailure(.connect, "refused")) : .status(200)
            }
        }
        for number in 0..<4 { bench.submit("a/1", ["ops"], number: number) }
        bench.submit("a/2", ["ops"])
        try await eventually("all arrive") { bench.end.seen.count == 10 }
        let numbers = bench.end.seen.filter { $0.subject == "a/1" }.map(\.number)
        #expect(numbers == [0, 0, 0, 0, 0, 0, 1, 2, 3])
        let told = bench.log.told
        #expect(told.count { $0.contains("does not take deliveries") } <= 1)
        #expect(told.count { $0.contains("takes deliveries again") } <= 1)
        await bench.stop()
    }

    @Test func `a receiver that never answers delays no other and takes sixteen at most`()
        async throws
    {
        let bench = try await Bench([Bench.webhook("slow"), Bench.webhook("quick")])
        bench.end.script { $0.host == "slow" ? .never : .status(200) }
        for index in 0..<500 { bench.submit("a/\(index)", ["slow", "quick"]) }
        try await eventually("the quick one has all") {
            bench.end.seen.count { $0.host == "quick" } == 500
        }
        #expect(bench.end.seen.count { $0.host == "slow" } <= 16)
        let status = await bench.deliverer.status()
        #expect(status.first { $0.name == "slow" }?.inFlight == 16)
        await bench.deliverer.drain(until: SystemTime().now())
        try await eventually("all is still owed") { try await bench.owed("slow") == 500 }
        await bench.store.close()
    }

    @Test func `a dead receiver is probed, not stormed, and gets all once it lives`() async throws {
        let time = ManualTime()
        let bench = try await Bench([Bench.webhook("ops"), Bench.webhook("other")], time: time)
        bench.end.script {
            $0.host == "ops" ? .failure(HTTPFailure(.connect, "refused")) : .status(200)
        }
        for index in 0..<2000 { bench.submit("a/\(index)", ["ops"]) }
        func attempts() -> Int { bench.end.seen.count { $0.host == "ops" } }
        try await eventually("as many as may go on") { attempts() == 256 }
        for _ in 0..<3 { try await bench.settle("other") }
        #expect(attempts() == 256)
        // Two probes: after one second, and two seconds later.
        for (pause, total) in [(1, 257), (2, 258)] {
            time.advance(by: .seconds(pause))
            bench.deliverer.wake(["ops"])
            try await eventually("a probe") { attempts() == total }
            for _ in 0..<3 { try await bench.settle("other") }
            #expect(attempts() == total)
        }
        bench.end.script { _ in .status(200) }
        time.advance(by: .seconds(400))
        bench.deliverer.wake(["ops"])
        try await eventually("all arrive") { try await bench.owed("ops") == 0 }
        #expect(Set(bench.end.seen.filter { $0.host == "ops" }.map(\.id)).count == 2000)
        #expect(bench.end.mostInFlight <= 17)
        #expect(bench.log.told.count == 2, "\(bench.log.told)")
        await bench.stop()
    }

    @Test func `two hundred deliveries to a dead receiver all keep their own schedule`()
        async throws
    {
        let retry = [Duration.zero, .milliseconds(50), .milliseconds(50)]
        let bench = try await Bench([Bench.webhook("ops", retry: retry)])
        bench.end.script { _ in .status(500) }
        for index in 0..<200 { bench.submit("a/\(index)", ["ops"]) }
        // With a pause between two probes this would take more than an hour.
        try await eventually("all are given up") {
            bench.end.seen.count == 600 ? try await bench.owed("ops") == 0 : false
        }
        let attempts = Dictionary(grouping: bench.end.seen, by: \.id)
        #expect(attempts.count == 200 && attempts.values.allSatisfy { $0.count == 3 })
        #expect(bench.log.told.count == 2, "\(bench.log.told)")
        await bench.stop()
    }

    @Test func `those that wait for the receiver do not hide those whose time has come`()
        async throws
    {
        let time = ManualTime()
        let bench = try await Bench([Bench.webhook("ops")], time: time)
        bench.end.script { _ in .status(500) }
        for index in 0..<310 { bench.submit("a/\(index)", ["ops"]) }
        try await eventually("as many as may go on") { bench.end.seen.count == 256 }
        time.advance(by: .milliseconds(5600))
        bench.deliverer.wake(["ops"])
        // One search finds 54 that wait, and about 200 of those due for the second time.
        try await eventually("the second attempts") { bench.end.seen.count > 256 + 100 }
        await bench.stop()
    }

    @Test func `after a restart the attempt is repeated under the same webhook-id`() async throws {
        let folder = TemporaryFolder()
        let end = ScriptedEnd { _ in .never }
        var bench = try await Bench(
            [Bench.webhook("ops")], store: Store(at: .file(folder.path("a.db"))), end: end)
        for index in 0..<3 { bench.submit("a/\(index)", ["ops"]) }
        try await eventually("three attempts") { end.seen.count == 3 }
        await bench.deliverer.drain(until: SystemTime().now())
        await bench.store.close()
        let before = Set(end.seen.map(\.id))
        end.script { _ in .status(200) }
        bench = try await Bench(
            [Bench.webhook("ops")], store: Store(at: .file(folder.path("a.db"))), end: end)
        try await eventually("three more") { end.seen.count == 6 }
        #expect(Set(end.seen.map(\.id)) == before)
        await bench.stop()
    }

    @Test func `draining waits for what is under way and takes nothing new`() async throws {
        let bench = try await Bench([Bench.webhook("ops")])
        let gate = Mutex(false)
        bench.end.script { _ in
            while !gate.withLock({ $0 }) { usleep(1000) }
            return .status(200)
        }
        bench.submit("a/1", ["ops"])
        try await eventually("under way") { bench.end.seen.count == 1 }
        gate.withLock { $0 = true }
        await bench.deliverer.drain(until: SystemTime().now().advanced(by: .seconds(60)))
        bench.submit("a/2", ["ops"])
        bench.deliverer.wake(["ops"])
        #expect(try await bench.owed("ops") == 1)
        #expect(bench.end.seen.count == 1)
        #expect(bench.end.closed == 1)
        #expect(!bench.deliverer.isStuck(now: .distantFuture))
        await bench.store.close()
    }

    @Test func `what was given up is attempted on a fresh schedule when it is asked for`()
        async throws
    {
        let bench = try await Bench([Bench.webhook("ops", retry: [.zero, .milliseconds(1)])])
        bench.end.script { _ in .status(500) }
        bench.submit("a/1", ["ops"])
        try await eventually("it is given up") {
            bench.end.seen.count == 2 ? try await bench.owed("ops") == 0 : false
        }
        let id = bench.end.seen[0].id
        try await bench.store.redeliver(id: id)
        try await eventually("two more attempts, and given up") {
            bench.end.seen.count == 4 ? try await bench.owed("ops") == 0 : false
        }
        bench.end.script { _ in .status(200) }
        try await bench.store.redeliver(id: id)
        try await eventually("a fifth attempt") { bench.end.seen.count == 5 }
        #expect(Set(bench.end.seen.map(\.id)) == [id])
        await bench.stop()
    }

    @Test func `an attempt that lasts longer than it can is noticed`() async throws {
        let time = ManualTime()
        let bench = try await Bench([Bench.webhook("ops")], time: time)
        bench.end.script { _ in .never }
        bench.submit("a/1", ["ops"])
        try await eventually("under way") { bench.end.seen.count == 1 }
        time.advance(by: .seconds(44))
        await bench.deliverer.lookAfterAll()
        #expect(!bench.deliverer.isStuck(now: time.now()))
        // It has just looked: a minute without another look is what would be too long.
        #expect(!bench.deliverer.isStuck(now: time.now().advanced(by: .seconds(60))))
        #expect(bench.deliverer.isStuck(now: time.now().advanced(by: .seconds(61))))
        time.advance(by: .seconds(2))
        await bench.deliverer.lookAfterAll()
        #expect(bench.deliverer.isStuck(now: time.now()))
        await bench.deliverer.drain(until: time.now())
        await bench.store.close()
    }
}
