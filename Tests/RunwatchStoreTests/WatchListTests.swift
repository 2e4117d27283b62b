import RunwatchCore
import TestSupport
import Testing

@testable import RunwatchStore

/// Lists of watches: the way through the indexes, and pages while rows change.
@Suite struct WatchListTests {
    private let folder = TemporaryFolder()
    private var path: String { folder.path("runwatch.db") }

    private static let filters: [WatchFilter] = {
        var filters: [WatchFilter] = []
        for service in [nil, "a", "b", "none"] {
            for group in [nil, "even", "none"] {
                let sets: [Set<RunState>] = [
                    [], [.running], [.complete, .error, .unknown], [.lost, .complete],
                ]
                for states in sets {
                    for isActive in [false, true] {
                        filters.append(
                            WatchFilter(
                                service: service, states: states, group: group,
                                activeOnly: isActive))
                    }
                }
            }
        }
        return filters
    }()

    /// Watches of three services in every state; some have left the list.
    private func fill(_ store: Store) async throws {
        var specs: [WatchSpec] = []
        for number in 0..<90 {
            specs.append(spec("r\(number * 7 % 90)", service: ["b", "a", "c\u{1F}"][number % 3]))
            specs[number].group = number % 2 == 0 ? "even" : nil
        }
        let saved = try await store.adopt(specs, discoveries: [], kinds: [:]).watches
        for (number, watch) in saved.enumerated() where number % 8 > 0 {
            store.submit(.transition(watch.next(RunState.allCases[number % 8])))
        }
        _ = try await store.adopt(Array(specs.dropLast(9)), discoveries: [], kinds: [:])
        try await store.flush()
    }

    @Test func `every filter gives what it names, page by page in the order of names`()
        async throws
    {
        let store = try Store(at: .file(path), time: ManualTime())
        try await fill(store)
        let reader = try StoreReader(path: path)
        let all = try await reader.watches(WatchFilter(), after: nil, limit: 1000)
        #expect(all.count == 81)
        #expect(all.map(\.watch.name) == all.map(\.watch.name).sorted())
        for filter in WatchListTests.filters {
            let expected = all.filter { row in
                (filter.service.map { $0 == row.watch.name.service } ?? true)
                    && (filter.group.map { $0 == row.group } ?? true)
                    && (filter.states.isEmpty || filter.states.contains(row.watch.state))
                    && !(filter.activeOnly && row.watch.state.isFinal)
            }
            var paged: [WatchRow] = []
            while true {
                let page = try await reader.watches(
                    filter, after: paged.last?.watch.name, limit: 4)
                guard !page.isEmpty else { break }
                paged += page
            }
            #expect(paged == expected, "\(filter)")
        }
        // Cursors of other services than the one that is asked for.
        let b = WatchFilter(service: "b", states: [.running])
        let before = WatchName(service: "a", run: "zzz")
        let behind = WatchName(service: "c", run: "0")
        #expect(
            try await reader.watches(b, after: before, limit: 100)
                == (try await reader.watches(b, after: nil, limit: 100)))
        #expect(try await reader.watches(b, after: behind, limit: 100).isEmpty)
        await reader.close()
        await store.close()
    }

    @Test func `a walk over the pages shows once whatever was there all along`() async throws {
        var generator = SeededGenerator(seed: 7)
        let store = try Store(at: .file(path), time: ManualTime())
        let reader = try StoreReader(path: path)
        let stable = (0..<60).map { "s\($0)" }
        let passing = (0..<60).map { "p\($0)" }
        for filter in [WatchFilter(), WatchFilter(activeOnly: true), WatchFilter(group: "g")] {
            var names: [WatchName] = []
            while true {
                var specs = (stable + passing.filter { _ in Bool.random(using: &generator) })
                    .map { spec($0) }
                for index in specs.indices { specs[index].group = "g" }
                let saved = try await store.adopt(specs, discoveries: [], kinds: kinds).watches
                for watch in saved where Bool.random(using: &generator) {
                    // Active all along, in changing states; those that pass may end as well.
                    let isStable = watch.name.run.hasPrefix("s")
                    let states: [RunState] = isStable ? [.pending, .running] : RunState.allCases
                    guard let state = states.randomElement(using: &generator) else { continue }
                    store.submit(.transition(watch.next(state)))
                }
                try await store.flush()
                let page = try await reader.watches(filter, after: names.last, limit: 7)
                guard !page.isEmpty else { break }
                names += page.map(\.watch.name)
            }
            #expect(Set(names).count == names.count, "\(filter)")
            let runs = Set(names.map(\.run))
            #expect(stable.allSatisfy(runs.contains), "\(filter)")
        }
        await reader.close()
        await store.close()
    }

    @Test func `every filter goes through an index in the order of names, and sorts nothing`()
        async throws
    {
        let store = try Store(at: .file(path), time: ManualTime())
        try await fill(store)
        let connection = try Connection(path: path, mode: .read)
        let after = WatchName(service: "a", run: "r5")
        for filter in WatchListTests.filters {
            let search = WatchSearch(filter, after: after, limit: 10)
            // For none there is no query.
            guard !search.states.isEmpty else { continue }
            let sql = search.inOrder?.sql ?? "\(WatchSearch.ofState)"
            let plan = try connection.plan(sql)
            #expect(plan.count == 1, "\(plan)")
            #expect(plan.first?.contains("SEARCH watch USING ") == true, "\(plan)")
            #expect(!plan.contains { $0.contains("TEMP B-TREE") }, "\(plan)")
        }
        let ofState = try connection.plan("\(WatchSearch.ofState)")
        #expect(ofState.first?.contains("COVERING INDEX watch_by_state") == true, "\(ofState)")
        #expect(ofState.first?.contains("state=? AND run>?") == true, "\(ofState)")
        let group = try connection.plan(
            WatchSearch(WatchFilter(group: "g"), after: after, limit: 1).inOrder?.sql ?? "")
        #expect(group.first?.contains("watch_by_group (group_name=? AND ") == true, "\(group)")
        await store.close()
    }
}

extension Connection {
    /// The steps of a query's plan (sqlite.org/eqp.html).
    fileprivate func plan(_ sql: String) throws -> [String] {
        var row = try statement("EXPLAIN QUERY PLAN " + sql)
        var steps: [String] = []
        while try row.step() { steps.append(row.text(3)) }
        return steps
    }
}
