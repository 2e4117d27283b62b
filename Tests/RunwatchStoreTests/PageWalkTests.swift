import RunwatchCore
import TestSupport
import Testing

@testable import RunwatchStore

/// Pages of the record while it changes: what is there all along is met once.
@Suite struct PageWalkTests {
    private let folder = TemporaryFolder()

    private func open() throws -> (Store, StoreReader) {
        let path = folder.path("runwatch.db")
        return (try Store(at: .file(path), time: ManualTime()), try StoreReader(path: path))
    }

    private func close(_ store: Store, _ reader: StoreReader) async {
        await reader.close()
        await store.close()
    }

    @Test func `watches, while they come, change state and leave the list`() async throws {
        let (store, reader) = try open()
        let runs = (10..<30).map(String.init)
        let watches = try await store.list(runs)
        var met: [String] = []
        var last: WatchName?
        for number in 0..<100 {
            let page = try await reader.watches(WatchFilter(), after: last, limit: 3)
            guard let end = page.last?.watch.name else { break }
            met += page.map(\.watch.name.run)
            last = end
            // The last of the page leaves the list; one comes before it, and one far behind.
            if number == 1 { _ = try await store.list(runs.filter { $0 != "15" } + ["100", "99"]) }
            store.submit(.transition(watches[number].next(.running)))
            try await store.flush()
        }
        #expect(met == runs + ["99"])
        await close(store, reader)
    }

    @Test func `events, while old ones are deleted and new ones are recorded`() async throws {
        let (store, reader) = try open()
        for number: Int64 in 1...12 {
            store.submit(.event(event("a", to: [], at: moment(number)), stalled: nil))
        }
        try await store.flush()
        var met: [Int64] = []
        for number: Int64 in 1...100 {
            let page = try await reader.events(after: met.last ?? 0, since: nil, limit: 3)
            if page.isEmpty { break }
            met += page.map(\.number)
            guard number <= 2 else { continue }
            while try await store.prune(before: moment(3 * number), limit: 100) {}
            store.submit(.event(event("b", to: [], at: moment(100 + number)), stalled: nil))
            try await store.flush()
        }
        #expect(met == Array(1...14))
        await close(store, reader)
    }

    @Test func `transitions, which keep their numbers when a watch is started afresh`() async throws
    {
        let (store, reader) = try open()
        let watch = try await store.list("12")
        let running = watch.next(.running)
        store.submit(.transition(running))
        store.submit(.transition(watch.after(running).next(.complete)))
        try await store.flush()
        let before = try await reader.transitions(of: watch.id)
        let fresh = try await store.rewatch(watch.id)
        store.submit(.transition(fresh.next(.running)))
        try await store.flush()
        let after = try await reader.transitions(of: watch.id)
        #expect(Array(after.prefix(before.count)) == before)
        #expect(after.map(\.sequence) == Array(1...after.count))
        #expect(after.count > before.count)
        await close(store, reader)
    }
}
