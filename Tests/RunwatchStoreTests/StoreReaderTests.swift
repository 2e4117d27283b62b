import RunwatchCore
import TestSupport
import Testing

@testable import RunwatchStore

@Suite struct StoreReaderTests {
    private let folder = TemporaryFolder()
    private var path: String { folder.path("runwatch.db") }

    private func open() throws -> (Store, StoreReader) {
        let store = try Store(at: .file(path), time: ManualTime())
        return (store, try StoreReader(path: path))
    }

    private func close(_ store: Store, _ reader: StoreReader) async {
        await reader.close()
        await store.close()
    }

    /// Six watches: two services, two groups, some ended.
    private func fill(_ store: Store) async throws -> [SavedWatch] {
        var specs: [WatchSpec] = []
        for (run, service) in [
            ("3", "warehouse"), ("1", "warehouse"), ("2", "warehouse"), ("b", "krixik"),
            ("a", "krixik"), ("c", "krixik"),
        ] {
            specs.append(spec(run, service: service, line: specs.count + 1))
            specs[specs.count - 1].group = specs.count % 2 == 0 ? "even" : nil
        }
        specs[0].label = "third"
        let watches = try await store.adopt(specs, discoveries: [], kinds: kinds).watches
        for (watch, state) in zip(watches, [RunState.running, .complete, .error, .running]) {
            store.submit(.transition(watch.next(state, to: ["log", "ops"])))
        }
        try await store.flush()
        return watches
    }

    @Test func `listed watches are given by service and ID, page by page`() async throws {
        let (store, reader) = try open()
        _ = try await fill(store)
        let all = try await reader.watches(WatchFilter(), after: nil, limit: 100)
        let names = [
            "krixik/a", "krixik/b", "krixik/c", "warehouse/1", "warehouse/2", "warehouse/3",
        ]
        #expect(all.map(\.watch.name.description) == names)
        var paged: [WatchRow] = []
        var last: WatchName?
        while true {
            let page = try await reader.watches(WatchFilter(), after: last, limit: 2)
            guard let next = page.last?.watch.name else { break }
            paged += page
            last = next
        }
        #expect(paged == all)
        await close(store, reader)
    }

    @Test(arguments: [
        (WatchFilter(service: "krixik"), ["krixik/a", "krixik/b", "krixik/c"]),
        (WatchFilter(states: [.complete, .error]), ["warehouse/1", "warehouse/2"]),
        (WatchFilter(group: "even"), ["krixik/b", "krixik/c", "warehouse/1"]),
        (
            WatchFilter(activeOnly: true),
            ["krixik/a", "krixik/b", "krixik/c", "warehouse/3"]
        ),
        (WatchFilter(states: [.complete], activeOnly: true), []),
        (WatchFilter(service: "krixik", states: [.running], group: "even"), ["krixik/b"]),
        (WatchFilter(service: "none'; DROP TABLE watch; --"), []),
    ])
    func `filters narrow the list`(_ filter: WatchFilter, _ names: [String]) async throws {
        let (store, reader) = try open()
        _ = try await fill(store)
        let found = try await reader.watches(filter, after: nil, limit: 100)
        #expect(found.map(\.watch.name.description) == names)
        await close(store, reader)
    }

    @Test func `a row says what was asked and what is known`() async throws {
        let (store, reader) = try open()
        let watches = try await fill(store)
        let row = try #require(try await reader.watch(WatchName(service: "warehouse", run: "3")))
        #expect(row.kind == "kinetica")
        #expect(row.label == "third")
        #expect(row.group == nil)
        #expect(row.origin == "watches.yaml:1")
        #expect(row.isListed)
        #expect(row.finishedAt == nil)
        #expect(row.watch == watches[0].after(watches[0].next(.running, to: ["log", "ops"])))
        let ended = try await reader.watch(WatchName(service: "warehouse", run: "1"))
        #expect(ended?.finishedAt == moment())
        #expect(try await reader.watch(WatchName(service: "warehouse", run: "9")) == nil)
        await close(store, reader)
    }

    @Test func `what left the list is found by name, and not in the list`() async throws {
        let (store, reader) = try open()
        _ = try await fill(store)
        _ = try await store.list(["1"])
        #expect(try await reader.watches(WatchFilter(), after: nil, limit: 10).count == 1)
        #expect(try await reader.watch(WatchName(service: "krixik", run: "a"))?.isListed == false)
        await close(store, reader)
    }

    @Test func `states are counted by service`() async throws {
        let (store, reader) = try open()
        _ = try await fill(store)
        let counts = try await reader.stateCounts().map {
            "\($0.service) \($0.state.name) \($0.count)"
        }
        #expect(
            counts == [
                "krixik unknown 2", "krixik running 1", "warehouse running 1",
                "warehouse complete 1", "warehouse error 1",
            ])
        await close(store, reader)
    }

    @Test func `a history is given whole, the oldest first`() async throws {
        let (store, reader) = try open()
        let watch = try await store.list("12")
        var running = watch.next(.running, at: moment(3), message: "begun")
        running.notBefore = moment(1)
        running.detail = Array("{\"a\":[]}".utf8)
        store.submit(.transition(running))
        store.submit(.transition(watch.after(running).next(.complete, at: moment(4))))
        try await store.flush()
        let history = try await reader.transitions(of: watch.id)
        #expect(history.map(\.sequence) == [1, 2])
        #expect(
            history.first
                == TransitionRow(
                    sequence: 1, state: .running, previousState: .unknown, observedAt: moment(3),
                    notBefore: moment(1), message: "begun", detail: Array("{\"a\":[]}".utf8),
                    polls: 1))
        #expect(history.last?.detail == [])
        await close(store, reader)
    }

    @Test func `events are given after a number, since a moment, and up to a limit`() async throws {
        let (store, reader) = try open()
        #expect(try await reader.lastEventNumber() == 0)
        // The clock was set back between the third and the fourth.
        for at: Int64 in [10, 20, 30, 5, 15] {
            store.submit(.event(event("at-\(at)", to: [], at: moment(at)), stalled: nil))
        }
        try await store.flush()
        func numbers(_ after: Int64, _ since: Timestamp?, _ limit: Int = 100) async throws
            -> [Int64]
        {
            try await reader.events(after: after, since: since, limit: limit).map(\.number)
        }
        #expect(try await numbers(0, nil) == [1, 2, 3, 4, 5])
        #expect(try await numbers(2, nil, 2) == [3, 4])
        #expect(try await numbers(0, moment(15)) == [2, 3, 5])
        #expect(try await numbers(3, moment(15)) == [5])
        #expect(try await numbers(0, moment(99)) == [])
        #expect(try await reader.lastEventNumber() == 5)
        #expect(try await reader.events(after: 4, since: nil, limit: 1).first?.subject == "at-15")
        await close(store, reader)
    }

    @Test func `events are found by conditions, and a page says how far it looked`() async throws {
        let (store, reader) = try open()
        let told: [(EventType, String, String)] = [
            (.run(.running), "w/1", "g"), (.run(.running), "w/2", ""), (.serviceDown, "w", ""),
            (.run(.running), "wide/1", "g"), (.run(.complete), "w/1", "g"),
            (.groupFinished, "g", "g"), (.deliveryFailed, "w", ""), (.runStalled, "w/2/x", "G"),
        ]
        for (type, subject, group) in told {
            let json = #"{"type":"\#(type.name)","data":{"group":"\#(group)"}}"#
            store.submit(
                .event(
                    NewEvent(
                        type: type, timestamp: moment(), subject: subject, json: Array(json.utf8),
                        receivers: []), stalled: nil))
        }
        try await store.flush()
        func numbers(_ filter: EventFilter, after: Int64 = 0, limit: Int = 100) async throws
            -> [Int64]
        {
            let page = try await reader.events(filter, after: after, since: nil, limit: limit)
            #expect(page.isLast == (page.through >= 8))
            #expect(page.isLast || page.through == page.events.last?.number)
            return page.events.map(\.number)
        }
        #expect(try await numbers(EventFilter()) == Array(1...8))
        #expect(try await numbers(EventFilter(), after: 3, limit: 2) == [4, 5])
        #expect(try await numbers(EventFilter(subjects: ["w/1", "w"])) == [1, 3, 5, 7])
        #expect(try await numbers(EventFilter(subjects: ["w/1", "w"]), limit: 2) == [1, 3])
        #expect(try await numbers(EventFilter(subjects: ["w/1"]), limit: 2) == [1, 5])
        #expect(try await numbers(EventFilter(service: "w")) == [1, 2, 3, 5, 8])
        #expect(try await numbers(EventFilter(group: "g")) == [1, 4, 5, 6])
        #expect(
            try await numbers(EventFilter(types: [.run(.running), .runStalled])) == [1, 2, 4, 8])
        #expect(
            try await numbers(
                EventFilter(subjects: ["w/1"], service: "w", group: "g", types: [.run(.complete)]))
                == [5])
        #expect(try await numbers(EventFilter(subjects: ["none"])) == [])
        await close(store, reader)
    }

    @Test func `a search for little goes on page by page, and names need one`() async throws {
        let (store, reader) = try open()
        for number in 1...10_500 {
            store.submit(.event(event("s\(number)", to: []), stalled: nil))
        }
        try await store.flush()
        let first = try await reader.events(
            EventFilter(service: "s10200"), after: 100, since: nil, limit: 10)
        #expect(first == EventRows(events: [], through: 10_100, isLast: false))
        let second = try await reader.events(
            EventFilter(service: "s10200"), after: first.through, since: nil, limit: 10)
        #expect(second.events.map(\.number) == [10_200])
        #expect(second.isLast)
        let named = try await reader.events(
            EventFilter(subjects: ["s10200"]), after: 0, since: nil, limit: 10)
        #expect(named.events.map(\.number) == [10_200])
        #expect(named.through == 10_500)
        await close(store, reader)
    }

    @Test func `watches are counted by state, and found by name`() async throws {
        let (store, reader) = try open()
        _ = try await fill(store)
        #expect(
            try await reader.counts(WatchFilter())
                == [.unknown: 2, .running: 2, .complete: 1, .error: 1])
        #expect(
            try await reader.counts(WatchFilter(service: "krixik", activeOnly: true))
                == [.unknown: 2, .running: 1])
        let none = WatchFilter(states: [.lost, .error], activeOnly: true)
        #expect(try await reader.counts(none).isEmpty)
        var filter = WatchFilter(states: [.running, .error, .unknown])
        filter.names = [
            WatchName(service: "warehouse", run: "1"), WatchName(service: "warehouse", run: "2"),
            WatchName(service: "krixik", run: "1"), WatchName(service: "krixik", run: "b"),
            WatchName(service: "warehouse", run: "3"),
        ]
        let all = try await reader.watches(WatchFilter(), after: nil, limit: 10)
            .filter { filter.names.contains($0.watch.name) && $0.watch.state != .complete }
        let found = try await reader.watches(filter, after: nil, limit: 10)
        #expect(found == all)
        #expect(!found.isEmpty)
        #expect(try await reader.counts(filter).values.reduce(0, +) == all.count)
        await close(store, reader)
    }

    @Test func `the last number is known when retention has deleted every event`() async throws {
        let (store, reader) = try open()
        store.submit(.event(event("a", to: []), stalled: nil))
        try await store.flush()
        _ = try await store.prune(before: moment(1), limit: 10)
        #expect(try await reader.events(after: 0, since: nil, limit: 10).isEmpty)
        #expect(try await reader.lastEventNumber() == 1)
        await close(store, reader)
    }

    @Test func `deliveries come with their attempts, by state, receiver and subject`() async throws
    {
        let (store, reader) = try open()
        _ = try await fill(store)
        let due = try await store.due("ops").deliveries
        store.submit(attempt(due[0], .delivered, at: moment(1), status: 204, message: "fine"))
        store.submit(attempt(due[1], .retry(at: moment(9)), at: moment(2), status: 503))
        store.submit(
            attempt(due[1], .failed(nil), at: moment(3), status: nil, message: "no answer"))
        try await store.flush()
        func ids(_ filter: DeliveryFilter) async throws -> [String] {
            try await reader.deliveries(filter, limit: 100).map(\.id)
        }
        #expect(try await ids(DeliveryFilter()).count == 8)
        #expect(try await ids(DeliveryFilter(states: [.delivered])) == [due[0].id])
        #expect(try await ids(DeliveryFilter(states: [.failed])) == [due[1].id])
        #expect(try await ids(DeliveryFilter(states: [.pending])).count == 6)
        #expect(try await ids(DeliveryFilter(states: [.pending], receiver: "log")).count == 4)
        let subject = due[1].event.subject
        #expect(try await ids(DeliveryFilter(subject: subject)).count == 2)
        let row = try #require(
            try await reader.deliveries(
                DeliveryFilter(receiver: "ops", subject: subject), limit: 10
            ).first)
        #expect(row.state == .failed)
        #expect(row.attempts == 2)
        #expect(row.finishedAt == moment(3))
        #expect(row.type == due[1].event.type)
        #expect(row.history.map(\.outcome) == ["retry", "failed"])
        #expect(row.history.map(\.status) == [503, nil])
        #expect(row.history.last?.message == "no answer")
        #expect(row.history.last?.duration == .milliseconds(12))
        await close(store, reader)
    }

    @Test func `the backlog says what each receiver is owed`() async throws {
        let (store, reader) = try open()
        #expect(try await reader.backlog().isEmpty)
        _ = try await fill(store)
        let due = try await store.due("ops").deliveries
        store.submit(attempt(due[0], .failed(nil)))
        for delivery in due[1...] { store.submit(attempt(delivery, .delivered)) }
        try await store.flush()
        let backlog = try await reader.backlog()
        #expect(backlog.map(\.receiver) == ["log", "ops"])
        #expect(backlog.map(\.pending) == [4, 0])
        #expect(backlog.map(\.failed) == [0, 1])
        #expect(backlog.map(\.oldestPending) == [moment(), nil])
        await close(store, reader)
    }

    @Test func `reading goes on while the store writes, and sees whole commits`() async throws {
        let (store, reader) = try open()
        let watches = try await store.list((0..<200).map { "run-\($0)" })
        async let writing: Void = {
            for state in [RunState.pending, .running, .complete] {
                let sequence = Int(state.rawValue)
                for watch in watches {
                    var change = watch.next(state, to: ["log"])
                    change.sequence = sequence
                    store.submit(.transition(change))
                }
                try await store.flush()
            }
        }()
        var last = 0
        while last < 600 {
            let events = try await reader.events(after: 0, since: nil, limit: 1000).count
            let deliveries = try await reader.backlog().first?.pending ?? 0
            #expect(events >= last)
            // Read after the events, so at least as many: an event and its deliveries come together.
            #expect(deliveries >= events)
            last = events
            try Task.checkCancellation()
        }
        try await writing
        await close(store, reader)
    }

    @Test func `a reader cannot write`() throws {
        let store = try Store(at: .file(path))
        let connection = try Connection(path: path, mode: .read)
        #expect(throws: StoreError.self) { try connection.execute("DELETE FROM watch") }
        _ = store
    }

    @Test func `a database that does not exist cannot be read`() {
        #expect(throws: StoreError.self) { _ = try StoreReader(path: folder.path("none.db")) }
    }
}
