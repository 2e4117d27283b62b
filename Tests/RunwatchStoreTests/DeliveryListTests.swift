import RunwatchCore
import TestSupport
import Testing

@testable import RunwatchStore

/// Lists of deliveries: their filters, their pages, and the way through the indexes.
@Suite struct DeliveryListTests {
    private let folder = TemporaryFolder()

    /// Sixty events for two receivers, with every state in runs and in turns.
    private func open() async throws -> (Store, StoreReader) {
        let path = folder.path("runwatch.db")
        let store = try Store(at: .file(path), time: ManualTime())
        for number in 0..<60 {
            store.submit(.event(event("s/\(number % 5)", to: ["log", "ops"]), stalled: nil))
        }
        try await store.flush()
        try await store.execute(
            """
            UPDATE delivery SET due_at_ms = NULL, state = CASE
                WHEN event_number <= 20 THEN 'delivered'
                WHEN event_number <= 30 THEN iif(receiver = 'log', 'failed', 'delivered')
                WHEN event_number % 3 = 0 THEN 'failed'
                WHEN event_number % 7 = 0 THEN 'delivered'
                ELSE 'pending' END
            """)
        return (store, try StoreReader(path: path))
    }

    private func close(_ store: Store, _ reader: StoreReader) async {
        await reader.close()
        await store.close()
    }

    private static let filters: [DeliveryFilter] = {
        var filters: [DeliveryFilter] = []
        for states: Set<DeliveryState> in [
            [], [.pending], [.failed], [.delivered], [.pending, .failed], [.delivered, .pending],
            Set(DeliveryState.allCases),
        ] {
            for receiver in [nil, "ops", "none"] {
                for subject in [nil, "s/3", "x'; DROP TABLE delivery; --"] {
                    filters.append(
                        DeliveryFilter(states: states, receiver: receiver, subject: subject))
                }
            }
        }
        return filters
    }()

    @Test(arguments: [false, true])
    func `every filter gives what it names, page by page in the order of places`(
        isNewestFirst: Bool
    ) async throws {
        let (store, reader) = try await open()
        let all = try await reader.deliveries(DeliveryFilter(), limit: 1000)
        #expect(all.count == 120)
        #expect(all == all.sorted { $0.place < $1.place })
        for filter in DeliveryListTests.filters {
            let inOrder = all.filter { row in
                (filter.states.isEmpty || filter.states.contains(row.state))
                    && (filter.receiver ?? row.receiver) == row.receiver
                    && (filter.subject ?? row.subject) == row.subject
            }
            let expected = isNewestFirst ? inOrder.reversed() : inOrder
            // With a short walk the pending ones are gone through as a whole, too.
            for longestWalk: Int64 in [3, 100_000] {
                var found: [String] = []
                var last: DeliveryPlace?
                while true {
                    let page = try await reader.search(
                        DeliverySearch(
                            filter, after: last, isNewestFirst: isNewestFirst, limit: 7,
                            longestWalk: longestWalk))
                    #expect(page.count <= 7)
                    guard let end = page.last else { break }
                    found += page
                    last = all.first { $0.id == end }?.place
                    try #require(found.count <= expected.count)
                }
                #expect(found == expected.map(\.id), "\(filter)")
            }
        }
        await close(store, reader)
    }

    @Test func `pages neither repeat nor miss while deliveries come and change`() async throws {
        let (store, reader) = try await open()
        let filter = DeliveryFilter(states: [.pending, .failed])
        let all = try await reader.deliveries(filter, limit: 1000)
        let first = try await reader.deliveries(filter, limit: 10)
        #expect(first == Array(all.prefix(10)))
        // The last one of the page is delivered, one before it failed, and there is news.
        try await store.execute(
            "UPDATE delivery SET state = 'delivered' WHERE id = '\(first[9].id)'")
        try await store.execute("UPDATE delivery SET state = 'failed' WHERE id = '\(first[3].id)'")
        store.submit(.event(event("late", to: ["log"]), stalled: nil))
        try await store.flush()
        let rest = try await reader.deliveries(filter, after: first[9].place, limit: 1000)
        #expect(rest.dropLast() == all.dropFirst(10))
        #expect(rest.last?.subject == "late")
        await close(store, reader)
    }

    @Test func `a delivery is found by its ID, and a digest by its own`() async throws {
        let (store, reader) = try await open()
        let some = try await reader.deliveries(DeliveryFilter(states: [.failed]), limit: 3)
        #expect(try await reader.delivery(some[1].id) == some[1])
        #expect(some[1].digest == nil)
        #expect(try await reader.delivery("msg_none") == nil)
        for row in some.reversed() {
            try await store.execute(
                "UPDATE delivery SET digest = 'msg_digest' WHERE id = '\(row.id)'")
        }
        #expect(try await reader.delivery("msg_digest") == nil)
        let first = try #require(try await reader.firstDelivery(ofDigest: "msg_digest"))
        #expect(first.id == some[0].id)
        #expect(first.digest == "msg_digest")
        #expect(try await reader.firstDelivery(ofDigest: some[0].id) == nil)
        await close(store, reader)
    }

    @Test(arguments: [false, true])
    func `an index gives each page its order, and only the pending ones are ever sorted`(
        isNewestFirst: Bool
    ) async throws {
        let (store, reader) = try await open()
        let search = DeliverySearch(
            DeliveryFilter(receiver: "ops"), after: nil, isNewestFirst: isNewestFirst, limit: 10)
        for (query, index) in [
            (search.walk([], upTo: nil), "sqlite_autoindex_delivery_2 ((event_number,receiver)"),
            (search.walk([.pending], upTo: 50), "sqlite_autoindex_delivery_2 ("),
            (search.failed(of: "ops"), "delivery_failed (receiver=? AND event_number"),
            (search.about("s/3"), "event_by_subject (subject=? AND rowid"),
        ] {
            let plan = try await reader.plan(of: query.sql)
            #expect(plan.first?.contains("SEARCH") == true, "\(plan)")
            #expect(plan.first?.contains(index) == true, "\(plan)")
            #expect(!plan.contains { $0.contains("TEMP B-TREE") || $0.hasPrefix("SCAN") })
        }
        let pending = try await reader.plan(of: search.allPending.sql)
        #expect(pending.first?.contains("delivery_pending (receiver=?)") == true, "\(pending)")
        await close(store, reader)
    }

    @Test func `places are compared byte by byte, as SQLite does`() {
        let place = { DeliveryPlace(eventNumber: 1, receiver: $0) }
        #expect(place("a") < DeliveryPlace(eventNumber: 2, receiver: "A"))
        #expect(place("Z") < place("a"))
        // Equal to Unicode, not to SQLite.
        #expect(place("e\u{301}") < place("\u{E9}"))
        #expect(!(place("\u{E9}") < place("e\u{301}")))
    }
}

extension StoreReader {
    func search(_ search: DeliverySearch) throws(StoreError) -> [String] {
        try search.run(on: connection)
    }

    func plan(of sql: String) throws(StoreError) -> [String] {
        var row = try connection.statement("EXPLAIN QUERY PLAN " + sql)
        var lines: [String] = []
        while try row.step() { lines.append(row.text(3)) }
        return lines
    }
}
