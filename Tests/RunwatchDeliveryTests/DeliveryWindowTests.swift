import RunwatchCore
import RunwatchStore
import TestSupport
import Testing

@testable import RunwatchDelivery

@Suite struct DeliveryWindowTests {
    private let now = Instant(nanoseconds: 1000)

    private func delivery(_ id: String, _ subject: String) -> PendingDelivery {
        PendingDelivery(
            id: id, receiver: "ops",
            event: RecordedEvent(
                number: 1, type: .run(.complete), timestamp: Timestamp(milliseconds: 0),
                subject: subject, json: []),
            attempts: 0)
    }

    private func flight(_ delivery: PendingDelivery) -> DeliveryWindow.Flight {
        DeliveryWindow.Flight(
            delivery: delivery, startedAt: now, overdueAt: .distantFuture,
            timestamp: Timestamp(milliseconds: 0))
    }

    private func add(
        _ delivery: PendingDelivery, from moment: Instant, to window: inout DeliveryWindow,
        fits: Bool = true, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let wasAdded = window.add(delivery, from: moment)
        #expect(wasAdded == fits, sourceLocation: sourceLocation)
    }

    private func check(
        _ clock: inout DueClock, _ expected: Timestamp,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let now = clock.now()
        #expect(now == expected, sourceLocation: sourceLocation)
    }

    @Test func `one of a subject at a time, from the search to the end of the attempt`() throws {
        var window = DeliveryWindow()
        add(delivery("1", "a"), from: now, to: &window)
        add(delivery("2", "a"), from: now, to: &window, fits: false)
        let taken = window.take(at: now) { _ in true }
        window.start(flight(try #require(taken).delivery))
        add(delivery("2", "a"), from: now, to: &window, fits: false)
        #expect(window.ids == ["1"])
        let ended = [window.end("1"), window.end("1")]
        #expect(ended.map { $0?.delivery.id } == ["1", nil])
        #expect(window.isIdle && window.ids.isEmpty)
        add(delivery("2", "a"), from: now, to: &window)
    }

    @Test func `what waits is taken in its order, when it is ripe and admitted`() {
        var window = DeliveryWindow()
        let later = now.advanced(by: .seconds(1))
        for (id, from) in [("1", later), ("2", now), ("3", now)] {
            add(delivery(id, id), from: from, to: &window)
        }
        #expect(window.ripe(at: now) == 2)
        #expect(window.nextRipe(after: now) == later)
        let taken = [
            window.take(at: now) { $0.id != "2" }, window.take(at: now) { _ in true },
            window.take(at: now) { _ in true }, window.take(at: later) { _ in true },
        ]
        #expect(taken.map { $0?.delivery.id } == ["3", "2", nil, "1"])
    }

    @Test func `a release forgets what is ripe, or all, and nothing under way`() throws {
        var window = DeliveryWindow()
        let later = now.advanced(by: .seconds(1))
        add(delivery("1", "a"), from: now, to: &window)
        let taken = window.take(at: now) { _ in true }
        window.start(flight(try #require(taken).delivery))
        add(delivery("2", "b"), from: now, to: &window)
        add(delivery("3", "c"), from: later, to: &window)
        window.release(ripeAt: now)
        #expect(window.ids == ["1", "3"])
        window.release()
        #expect(window.ids == ["1"])
        add(delivery("2", "b"), from: now, to: &window)
        add(delivery("3", "c"), from: now, to: &window)
        add(delivery("4", "a"), from: now, to: &window, fits: false)
    }

    @Test func `the clock of due times follows steps forwards and no step back`() {
        let time = ManualTime()
        var clock = DueClock(time)
        let start = clock.now()
        #expect(start == time.wallClock())
        time.advance(by: .seconds(10))
        check(&clock, start.advanced(by: .seconds(10)))
        time.setWallClock(start.advanced(by: .seconds(-3600)))
        check(&clock, start.advanced(by: .seconds(10)))
        time.advance(by: .seconds(5))
        check(&clock, start.advanced(by: .seconds(15)))
        time.setWallClock(start.advanced(by: .seconds(7200)))
        check(&clock, start.advanced(by: .seconds(7200)))
    }
}
