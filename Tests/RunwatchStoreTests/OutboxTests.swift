import RunwatchCore
import RunwatchLinux
import Synchronization
import TestSupport
import Testing

@testable import RunwatchStore

@Suite struct OutboxTests {
    private func open() throws -> Store { try Store(at: .memory, time: ManualTime()) }

    /// One event for each subject, owed to `ops`.
    private func owe(_ subjects: [String], in store: Store) async throws {
        for subject in subjects {
            store.submit(.event(event(subject, to: ["ops"]), stalled: nil))
        }
        try await store.flush()
    }

    @Test func `the first delivery of each subject is given, the oldest event first`() async throws
    {
        let store = try open()
        try await owe(["a", "b", "a", "c", "b"], in: store)
        let due = try await store.due("ops")
        #expect(due.deliveries.map(\.event.subject) == ["a", "b", "c"])
        #expect(due.deliveries.map(\.event.number) == [1, 2, 4])
        #expect(due.nextDueAt == nil)
        await store.close()
    }

    @Test func `a delivery is due at once, and not given to another receiver`() async throws {
        let store = try open()
        try await owe(["a"], in: store)
        #expect(try await store.due("ops", at: moment()).deliveries.count == 1)
        #expect(try await store.due("log", at: moment()).deliveries.isEmpty)
        #expect(try await store.due("log", at: moment()).nextDueAt == nil)
        await store.close()
    }

    @Test func `a delivery made lets the next of its subject up, and tells the listeners`()
        async throws
    {
        let store = try open()
        try await owe(["a", "a"], in: store)
        let told = Told()
        await store.onCommit { told.add($0) }
        let first = try #require(try await store.due("ops").deliveries.first)
        store.submit(attempt(first, .delivered))
        let second = try await store.due("ops").deliveries
        #expect(second.map(\.event.number) == [2])
        #expect(told.receivers == ["ops"])
        store.submit(attempt(second[0], .delivered))
        #expect(try await store.due("ops").deliveries.isEmpty)
        await store.close()
    }

    @Test func `what is put off is not given before its time, and holds back its subject alone`()
        async throws
    {
        let store = try open()
        try await owe(["a", "a", "b"], in: store)
        let first = try #require(try await store.due("ops").deliveries.first)
        store.submit(attempt(first, .retry(at: moment(5000)), status: 503))
        let early = try await store.due("ops", at: moment(4999))
        #expect(early.deliveries.map(\.event.subject) == ["b"])
        #expect(early.nextDueAt == moment(5000))
        let late = try await store.due("ops", at: moment(5000))
        #expect(Set(late.deliveries.map(\.event.number)) == [1, 3])
        #expect(late.deliveries.first { $0.event.number == 1 }?.attempts == 1)
        #expect(late.deliveries.first { $0.event.number == 1 }?.id == first.id)
        await store.close()
    }

    @Test func `a failed delivery records its event and lets the next one up`() async throws {
        let store = try open()
        try await owe(["a", "a"], in: store)
        let first = try #require(try await store.due("ops").deliveries.first)
        let failure = NewEvent(
            type: .deliveryFailed, timestamp: moment(9), subject: "a", json: Array("{}".utf8),
            receivers: ["log"])
        store.submit(attempt(first, .failed(failure), status: 410))
        #expect(try await store.due("ops").deliveries.map(\.event.number) == [2])
        #expect(try await store.due("log").deliveries.map(\.event.type) == [.deliveryFailed])
        await store.close()
    }

    @Test func `what is being attempted is left out, and neither counts as next`() async throws {
        let store = try open()
        try await owe(["a", "a", "b", "c"], in: store)
        let all = try await store.due("ops").deliveries
        let due = try await store.due("ops", excluding: [all[0].id, all[1].id])
        #expect(due.deliveries.map(\.event.subject) == ["c"])
        #expect(due.nextDueAt == nil)
        await store.close()
    }

    @Test func `the limit is kept, and the rest is due next`() async throws {
        let store = try open()
        try await owe(["a", "b", "c"], in: store)
        let due = try await store.due("ops", limit: 2)
        #expect(due.deliveries.count == 2)
        #expect(due.nextDueAt == moment())
        await store.close()
    }

    @Test func `what was submitted before is on disk before deliveries are given`() async throws {
        let store = try open()
        store.submit(.event(event("a", to: ["ops"]), stalled: nil))
        #expect(try await store.due("ops").deliveries.count == 1)
        await store.close()
    }

    @Test func `a body that the disk has changed is given up, and the rest goes on`() async throws {
        let store = try open()
        try await owe(["a", "a", "b"], in: store)
        let notices = Mutex<[String]>([])
        await store.onNotice { notice in notices.withLock { $0.append(notice) } }
        try await store.execute("UPDATE event SET json = '{\"about\":\"x\"}' WHERE number = 1")
        let due = try await store.due("ops")
        #expect(Set(due.deliveries.map(\.event.number)) == [2, 3])
        #expect(notices.withLock { $0 }.count == 1)
        #expect(
            try await store.number("SELECT state = 'failed' FROM delivery WHERE event_number = 1")
                == 1)
        #expect(
            try await store.number("SELECT count(*) FROM attempt WHERE message LIKE '%checksum%'")
                == 1)
        await store.close()
    }

    @Test func `the last 50 attempts are kept, and all are counted`() async throws {
        let store = try open()
        try await owe(["a"], in: store)
        let first = try #require(try await store.due("ops").deliveries.first)
        for number in 1...60 {
            store.submit(attempt(first, .retry(at: moment()), at: moment(Int64(number))))
        }
        #expect(try await store.due("ops").deliveries.first?.attempts == 60)
        #expect(try await store.number("SELECT count(*) FROM attempt") == 50)
        #expect(try await store.number("SELECT min(number) FROM attempt") == 11)
        await store.close()
    }

    @Test func `an attempt at a delivery that is gone is passed over`() async throws {
        let store = try open()
        try await owe(["a"], in: store)
        var first = try #require(try await store.due("ops").deliveries.first)
        first.parts[0].delivery = "msg_GONE"
        store.submit(attempt(first, .failed(event("a", to: ["ops"]))))
        try await store.flush()
        #expect(try await store.number("SELECT count(*) FROM event") == 1)
        await store.close()
    }

    @Test func `two receivers of one event have deliveries of their own`() async throws {
        let store = try open()
        store.submit(.event(event("a", to: ["ops", "log", "ops"]), stalled: nil))
        try await store.flush()
        let ids = try await [store.due("ops"), store.due("log")].flatMap { $0.deliveries.map(\.id) }
        #expect(Set(ids).count == 2)
        #expect(ids.allSatisfy { $0.hasPrefix("msg_") && $0.utf8.count == 30 && !$0.contains(".") })
        await store.close()
    }

    // MARK: Redelivering

    @Test func `a failed delivery can be made again, under its ID and on a fresh schedule`()
        async throws
    {
        let store = try open()
        try await owe(["a"], in: store)
        let first = try #require(try await store.due("ops").deliveries.first)
        store.submit(attempt(first, .failed(nil)))
        #expect(try await store.due("ops").deliveries.isEmpty)
        let told = Told()
        await store.onCommit { told.add($0) }
        try await store.redeliver(id: first.id)
        #expect(told.receivers == ["ops"])
        let again = try await store.due("ops", at: Timestamp(milliseconds: .max)).deliveries
        #expect(again.map(\.id) == [first.id])
        #expect(again.map(\.attempts) == [0])
        store.submit(attempt(first, .delivered))
        #expect(try await store.due("ops").deliveries.isEmpty)
        #expect(try await store.number("SELECT attempts FROM delivery") == 2)
        #expect(try await store.number("SELECT count(*) FROM attempt") == 2)
        await store.close()
    }

    @Test func `a delivery made again goes before the later ones of its subject`() async throws {
        let store = try open()
        try await owe(["a", "a", "a"], in: store)
        let end = Timestamp(milliseconds: .max)
        let first = try #require(try await store.due("ops").deliveries.first)
        store.submit(attempt(first, .failed(nil)))
        try await store.redeliver(id: first.id)
        #expect(try await store.due("ops", at: end).deliveries.map(\.event.number) == [1])
        for number: Int64 in 1...3 {
            let due = try await store.due("ops", at: end).deliveries
            #expect(due.map(\.event.number) == [number])
            store.submit(attempt(due[0], .delivered))
        }
        #expect(try await store.due("ops", at: end).deliveries.isEmpty)
        await store.close()
    }

    @Test(arguments: [
        AttemptChange.Outcome.failed(event("ops", to: ["log"])), .retry(at: moment(90_000_000)),
    ])
    func `what is redelivered while it is attempted is tried again at once, on the fresh schedule`(
        outcome: AttemptChange.Outcome
    ) async throws {
        let store = try open()
        try await owe(["a", "a"], in: store)
        for _ in 0..<3 {
            let first = try #require(try await store.due("ops").deliveries.first)
            store.submit(attempt(first, .retry(at: moment())))
        }
        let underWay = try #require(try await store.due("ops").deliveries.first)
        #expect(underWay.attempts == 3)
        try await store.redeliver(id: underWay.id)
        store.submit(attempt(underWay, outcome, status: 503))
        let now = ManualTime().wallClock()
        let again = try await store.due("ops", at: now).deliveries
        #expect(again.map(\.id) == [underWay.id])
        #expect(again.map(\.attempts) == [0])
        #expect(try await store.due("log").deliveries.isEmpty)
        #expect(try await store.number("SELECT attempts FROM delivery WHERE event_number = 1") == 4)
        // The next one counts, and what it says holds.
        store.submit(attempt(try #require(again.first), .retry(at: now.advanced(by: .seconds(5)))))
        #expect(try await store.due("ops", at: now).deliveries.isEmpty)
        let last = try await store.due("ops", at: now.advanced(by: .seconds(5))).deliveries
        #expect(last.map(\.attempts) == [1])
        await store.close()
    }

    @Test func `a delivery that does not exist cannot be made again`() async throws {
        let store = try open()
        await #expect(throws: StoreError.self) { try await store.redeliver(id: "msg_NO") }
        await store.close()
    }

    // MARK: Size

    @Test func `a message is found by its ID, however much is due besides`() async throws {
        let store = try open()
        let clock = ContinuousClock()
        func find(_ id: String) async throws -> Duration {
            let start = clock.now
            for _ in 0..<50 {
                let found = try await store.pendingDelivery(id, of: "ops")
                #expect(found?.id == id)
            }
            return start.duration(to: clock.now)
        }
        try await owe(["first"], in: store)
        let first = try #require(try await store.due("ops").deliveries.first)
        let alone = try await find(first.id)
        for step in 0..<20 {
            await store.submitTogether(
                (0..<1000).map {
                    .event(event("run-\(step)-\($0)", to: ["ops"], at: moment(1)), stalled: nil)
                })
        }
        let last = try #require(try await store.due("ops", limit: 50_000).deliveries.last)
        let amongMany = try await find(last.id)
        #expect(amongMany < alone * 10, "\(amongMany) against \(alone)")
        await store.close()
    }

    @Test func `a receiver that is dead costs no more than one that is not`() async throws {
        let store = try open()
        // Fifty subjects, four hundred events each: all but fifty wait behind another.
        for round in 0..<400 {
            await store.submitTogether(
                (0..<50).map {
                    .event(event("run-\($0)", to: ["ops"], at: moment(Int64(round))), stalled: nil)
                })
        }
        let due = try await store.due("ops")
        #expect(due.deliveries.count == 50)
        for delivery in due.deliveries {
            store.submit(attempt(delivery, .retry(at: moment(9_000_000)), status: nil))
        }
        try await store.flush()
        // What is looked at is what may be due: the index has 50 entries for 20,000 deliveries.
        #expect(
            try await store.number(
                "SELECT count(*) FROM delivery INDEXED BY delivery_due WHERE state = 'pending' AND due_at_ms IS NOT NULL"
            ) == 50)
        let none = try await store.due("ops")
        #expect(none.deliveries.isEmpty)
        #expect(none.nextDueAt == moment(9_000_000))
        await store.close()
    }
}
