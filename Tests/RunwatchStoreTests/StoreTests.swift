import RunwatchCore
import RunwatchLinux
import Synchronization
import TestSupport
import Testing

@testable import RunwatchStore

@Suite struct StoreTests {
    private let folder = TemporaryFolder()
    private var path: String { folder.path("runwatch.db") }

    private func open() throws -> Store { try Store(at: .file(path), time: ManualTime()) }

    @Test func `a transition, its event and its deliveries are told after they are on disk`()
        async throws
    {
        let store = try open()
        let told = Told()
        await store.onCommit { told.add($0) }
        let watch = try await store.list("12")
        store.submit(.transition(watch.next(.running, to: ["log", "ops"])))
        try await store.flush()
        #expect(told.events.map(\.type) == [.run(.running)])
        #expect(told.events.map(\.number) == [1])
        #expect(told.receivers == ["log", "ops"])
        #expect(store.backlog == 0)
        let due = try await store.due("ops")
        #expect(due.deliveries.map(\.event) == told.events)
        #expect(due.deliveries.map(\.attempts) == [0])
        #expect(due.nextDueAt == nil)
        await store.close()
    }

    @Test func `what a listener is told can be read by another connection at that moment`()
        async throws
    {
        let store = try open()
        let reader = try StoreReader(path: path)
        let watch = try await store.list("12")
        let (numbers, told) = AsyncStream.makeStream(of: Int64.self)
        await store.onCommit { committed in
            for event in committed.events { told.yield(event.number) }
        }
        store.submit(.transition(watch.next(.running)))
        var iterator = numbers.makeAsyncIterator()
        let number = try #require(await iterator.next())
        #expect(try await reader.events(after: number - 1, since: nil, limit: 1).count == 1)
        await reader.close()
        await store.close()
    }

    @Test func `everything is there after closing and opening again`() async throws {
        var store = try open()
        let watch = try await store.list("12")
        var change = watch.next(.running, at: moment(5), to: ["log"], message: "halfway")
        change.progress = Progress(done: 2, total: 4)
        change.detail = Array(#"{"modules":["a"]}"#.utf8)
        change.notBefore = moment(-3)
        change.phase = SavedPhase(
            firstPollAt: moment(1), firstAnswerAt: moment(2), lastPollAt: moment(3),
            lastSeenAt: moment(4), nextPollAt: moment(6), step: 7)
        store.submit(.transition(change))
        await store.close()
        store = try open()
        #expect(try await store.list("12") == watch.after(change))
        #expect(try await store.due("log").deliveries.count == 1)
        await store.close()
    }

    @Test func `a transition that is in the history already is left alone, events and all`()
        async throws
    {
        let store = try open()
        let told = Told()
        await store.onCommit { told.add($0) }
        let watch = try await store.list("12")
        let change = watch.next(.running, to: ["log"])
        await store.submitTogether([.transition(change), .transition(change)])
        try await store.flush()
        var again = change
        again.state = .error
        store.submit(.transition(again))
        try await store.flush()
        #expect(told.events.count == 1)
        #expect(try await store.due("log").deliveries.count == 1)
        #expect(try await store.list("12").state == .running)
        await store.close()
    }

    @Test func `what is handed in together is committed together, 2000 changes at most`()
        async throws
    {
        let store = try open()
        let watches = try await store.list((0..<5000).map { "run-\($0)" })
        let before = store.commits
        await store.submitTogether(watches.map { .transition($0.next(.running, to: ["log"])) })
        try await store.flush()
        #expect(store.commits - before == 3)
        #expect(try await store.number("SELECT count(*) FROM delivery") == 5000)
        await store.close()
    }

    @Test func `events are numbered in the order of their submission`() async throws {
        let store = try open()
        let told = Told()
        await store.onCommit { told.add($0) }
        let subjects = (0..<3000).map { "service-\($0)" }
        for subject in subjects { store.submit(.event(event(subject, to: []), stalled: nil)) }
        try await store.flush()
        #expect(told.events.map(\.subject) == subjects)
        #expect(told.events.map(\.number) == Array(1...3000))
        await store.close()
    }

    @Test func `further events of a transition follow its own, in the same transaction`()
        async throws
    {
        let store = try open()
        let told = Told()
        await store.onCommit { told.add($0) }
        let watch = try await store.list("12")
        var change = watch.next(.complete, to: ["log"])
        change.events.append(event("nightly", to: ["log"]))
        let before = store.commits
        store.submit(.transition(change))
        try await store.flush()
        #expect(told.events.map(\.type) == [.run(.complete), .serviceDown])
        #expect(store.commits - before == 1)
        await store.close()
    }

    @Test func `a change that cannot be written does not take the others with it`() async throws {
        let store = try open()
        let told = Told()
        let notices = Mutex<[String]>([])
        await store.onCommit { told.add($0) }
        await store.onNotice { notice in notices.withLock { $0.append(notice) } }
        let watch = try await store.list("12")
        var stray = watch.next(.running, to: ["log"])
        stray.id = WatchID(rowID: 999)
        await store.submitTogether([
            .event(event("first", to: []), stalled: nil), .transition(stray),
            .transition(watch.next(.running)), .event(event("last", to: []), stalled: nil),
        ])
        try await store.flush()
        #expect(told.events.map(\.subject) == ["first", "warehouse/12", "last"])
        #expect(notices.withLock { $0.count } == 1)
        #expect(store.trouble == nil)
        #expect(store.backlog == 0)
        #expect(try await store.number("SELECT count(*) FROM delivery") == 0)
        await store.close()
    }

    @Test func `progress changes the row, and tells nobody`() async throws {
        let store = try open()
        let told = Told()
        await store.onCommit { told.add($0) }
        let watch = try await store.list("12")
        store.submit(
            .progress(
                ProgressChange(
                    id: watch.id, changedAt: moment(7), progress: Progress(done: 1, total: 3),
                    message: "loading", detail: Array(#"{"a":1}"#.utf8))))
        try await store.flush()
        let saved = try await store.list("12")
        #expect(saved.progress == Progress(done: 1, total: 3))
        #expect(saved.changedAt == moment(7))
        #expect(saved.message == "loading")
        #expect(saved.detail == Array(#"{"a":1}"#.utf8))
        #expect(told.events.isEmpty)
        await store.close()
    }

    @Test func `a stall is remembered until the next transition or progress`() async throws {
        let store = try open()
        let watch = try await store.list("12")
        func stall() async throws -> Bool {
            store.submit(.event(event("warehouse/12", to: []), stalled: watch.id))
            return try await store.list("12").isStalled
        }
        #expect(try await stall())
        store.submit(
            .progress(
                ProgressChange(
                    id: watch.id, changedAt: moment(), progress: nil, message: "", detail: [])))
        #expect(try await store.list("12").isStalled == false)
        #expect(try await stall())
        store.submit(.transition(watch.next(.running)))
        #expect(try await store.list("12").isStalled == false)
        await store.close()
    }

    @Test func `counters and phases are written, and never over a later transition`() async throws {
        let store = try open()
        let watches = try await store.list(["1", "2"])
        let change = watches[0].next(.running, at: moment(50))
        let old = SavedPhase(lastPollAt: moment(1), step: 9)
        await store.submitTogether([
            .phases([(watches[0].id, 40, old), (watches[1].id, 41, old)]), .transition(change),
        ])
        let saved = try await store.list(["1", "2"])
        #expect(saved[0].polls == 1)
        #expect(saved[0].phase == change.phase)
        #expect(saved[1].polls == 41)
        #expect(saved[1].phase == old)
        await store.close()
    }

    @Test func `text of any kind comes back as it was`() async throws {
        let store = try open()
        let run = "a/b 'c' \"d\" \u{0}\u{1F}\n🦆 %_;--"
        let watch = try await store.list(run)
        store.submit(.transition(watch.next(.running, message: run)))
        let saved = try await store.list(run)
        #expect(saved.name.run == run)
        #expect(saved.message == run)
        #expect(saved.id == watch.id)
        await store.close()
    }

    // MARK: Trouble

    @Test func `a full disk keeps the changes in order, and they are written when there is space`()
        async throws
    {
        let store = try open()
        let told = Told()
        await store.onCommit { told.add($0) }
        let watches = try await store.list((0..<20).map { "run-\($0)" })
        try await store.limitPages(to: store.pages())
        let words = String(repeating: "x", count: 10_000)
        for watch in watches {
            store.submit(.transition(watch.next(.running, to: ["log"], message: words)))
        }
        await #expect(throws: StoreError.self) { try await store.flush() }
        #expect(store.trouble?.code == .unavailable)
        #expect(store.trouble?.message.contains("full") == true)
        #expect(store.backlog == 20)
        #expect(told.events.isEmpty)
        try await store.limitPages(to: nil)
        // By itself, without another call.
        #expect(await eventually { store.backlog == 0 })
        #expect(store.trouble == nil)
        #expect(told.events.map(\.subject) == watches.map(\.name.description))
        await store.close()
    }

    @Test func `while nothing can be written, nothing is given out for delivery`() async throws {
        let store = try open()
        let watches = try await store.list(["1", "2"])
        store.submit(.transition(watches[0].next(.running, to: ["log"])))
        try await store.flush()
        try await store.limitPages(to: store.pages())
        let words = String(repeating: "x", count: 50_000)
        store.submit(.transition(watches[1].next(.running, to: ["log"], message: words)))
        await #expect(throws: StoreError.self) { try await store.flush() }
        await #expect(throws: StoreError.self) { _ = try await store.due("log") }
        try await store.limitPages(to: nil)
        try await store.flush()
        #expect(try await store.due("log").deliveries.count == 2)
        await store.close()
    }

    @Test func `phases that cannot be written do not pile up`() async throws {
        let store = try open()
        let watch = try await store.list("1")
        await store.close()
        let batch = Array(
            repeating: (id: watch.id, polls: 1, phase: SavedPhase()), count: 100_000)
        for _ in 0..<10 { store.submit(.phases(batch)) }
        #expect(store.backlog <= 3)
    }

    @Test func `a closed store says so`() async throws {
        let store = try open()
        await store.close()
        await store.close()
        await #expect(throws: StoreError.self) { try await store.flush() }
        await #expect(throws: StoreError.self) { _ = try await store.list("1") }
    }

    @Test func `the database can be held in memory`() async throws {
        let store = try Store(at: .memory)
        let watch = try await store.list("12")
        store.submit(.transition(watch.next(.complete, to: ["log"])))
        #expect(try await store.list("12").state == .complete)
        #expect(try await store.due("log").deliveries.count == 1)
        await store.close()
    }
}
