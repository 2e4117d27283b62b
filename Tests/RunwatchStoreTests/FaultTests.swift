import CSQLite
import RunwatchCore
import RunwatchLinux
import Synchronization
import TestSupport
import Testing

@testable import RunwatchStore

@Suite struct FaultTests {
    private let folder = TemporaryFolder()
    private var path: String { folder.path("runwatch.db") }
    private static let ioError = SQLITE_IOERR | (3 << 8)
    private static let syncError = SQLITE_IOERR | (4 << 8)

    private func open(_ files: FaultyFiles) throws -> Store {
        try Store(at: .file(path), time: ManualTime(), vfs: files.name)
    }

    @Test func `a COMMIT whose fsync fails ends the store, once, and nothing is told`() async throws
    {
        let files = FaultyFiles(name: "sync-fails")
        let store = try open(files)
        let told = Told()
        let fatal = Mutex<[StoreError]>([])
        await store.onCommit { told.add($0) }
        await store.onFatal { error in fatal.withLock { $0.append(error) } }
        let watches = try await store.list(["1", "2"])
        files.fail([.sync], after: 0, times: .max, code: FaultTests.syncError)
        store.submit(.transition(watches[0].next(.running)))
        await #expect(throws: StoreError.self) { try await store.flush() }
        store.submit(.transition(watches[1].next(.running)))
        files.heal()
        // Healed or not: what the kernel has once failed to write it does not fail to write twice.
        await #expect(throws: StoreError.self) { try await store.flush() }
        #expect(store.trouble?.code == .commitUnknown)
        #expect(fatal.withLock { $0.map(\.code) } == [.commitUnknown])
        #expect(told.events.isEmpty)
        let late = Mutex<[StoreError]>([])
        await store.onFatal { error in late.withLock { $0.append(error) } }
        #expect(late.withLock { $0.count } == 1)
        await store.close()
    }

    @Test func `a full disk in the middle of a COMMIT is tried again, and nothing is lost`()
        async throws
    {
        let files = FaultyFiles(name: "disk-full")
        let store = try open(files)
        let told = Told()
        await store.onCommit { told.add($0) }
        let watches = try await store.list(["1", "2"])
        files.fail([.write], after: 1, times: 3, code: SQLITE_FULL)
        for watch in watches { store.submit(.transition(watch.next(.running))) }
        #expect(await eventually { store.backlog == 0 })
        #expect(told.events.map(\.subject) == ["warehouse/1", "warehouse/2"])
        await store.close()
    }

    @Test func `on a full disk no digest is bound and nothing made again, and later all of it is`()
        async throws
    {
        let files = FaultyFiles(name: "disk-full-for-deliveries")
        let store = try open(files)
        for subject in ["a", "b", "c"] {
            store.submit(.event(event(subject, to: ["ops"]), stalled: nil))
        }
        let old = try #require(try await store.due("ops", limit: 1).deliveries.first)
        store.submit(attempt(old, .failed(nil)))
        try await store.flush()
        func due() async throws -> [PendingDelivery] {
            try await store.dueDeliveries(
                for: "ops", now: moment(60_000), limit: 10, excluding: [],
                digest: DigestSettings(window: .seconds(1), max: 10)
            ).deliveries
        }
        files.fail([.write], after: 0, times: 1000, code: SQLITE_FULL)
        for _ in 0..<2 {
            await #expect(throws: StoreError.self) { _ = try await due() }
            await #expect(throws: StoreError.self) { try await store.redeliver(id: old.id) }
            await #expect(throws: StoreError.self) {
                _ = try await store.redeliverFailed(receiver: "ops")
            }
        }
        #expect(store.trouble?.code == .unavailable)
        files.heal()
        let digest = try #require(try await due().first)
        #expect(digest.parts.map(\.event.subject) == ["b", "c"])
        #expect(store.trouble == nil)
        #expect(try await store.redeliverFailed(receiver: "ops") == 1)
        #expect(try await store.number("SELECT count(DISTINCT digest) FROM delivery") == 1)
        await store.close()
    }

    @Test func `a page that reads as damaged ends the store instead of being written around`()
        async throws
    {
        let files = FaultyFiles(name: "damaged-page")
        var store = try open(files)
        let watch = try await store.list("1")
        await store.close()
        store = try open(files)
        files.fail([.read], after: 0, times: .max, code: SQLITE_CORRUPT)
        // Beyond what is in memory since the opening.
        try await store.execute("PRAGMA shrink_memory")
        store.submit(
            .transition(watch.next(.running, message: String(repeating: "x", count: 9000))))
        await #expect(throws: StoreError.self) { try await store.flush() }
        #expect(store.trouble?.code == .damaged)
        files.heal()
        await store.close()
    }

    /// Each call to the disk fails once, one after the other, until a whole run meets no fault.
    @Test(arguments: [
        (FaultyFiles.Call.read, ioError), (.write, ioError), (.write, SQLITE_FULL),
        (.sync, syncError),
    ])
    func `whichever call fails, what was acknowledged is there once, and nothing else is broken`(
        _ call: FaultyFiles.Call, _ code: Int32
    ) async throws {
        let files = FaultyFiles(name: "sweep-\(call)-\(code)")
        var passes = 0
        while true {
            let folder = TemporaryFolder()
            let path = folder.path("runwatch.db")
            files.fail([call], after: passes, code: code)
            let acknowledged = await run(path, files)
            let wasHit = files.hasFailed
            files.heal()
            try await verify(path, acknowledged)
            if !wasHit { break }
            passes += 1
            try #require(passes < 2000)
        }
        #expect(passes > 5)
    }

    /// Opens, adopts, records, delivers and closes; gives up at the first error that lasts.
    /// - Returns: The transitions whose flush returned.
    private func run(_ path: String, _ files: FaultyFiles) async -> [Int] {
        var acknowledged: [Int] = []
        do {
            let store = try Store(at: .file(path), time: ManualTime(), vfs: files.name)
            do {
                var watch = try await store.list("12")
                for (sequence, state) in [RunState.running, .complete].enumerated() {
                    let change = watch.next(state, to: ["ops"])
                    store.submit(.transition(change))
                    do {
                        try await store.flush()
                    } catch {
                        // It is still in the queue, and the fault was a single one.
                        try await store.flush()
                    }
                    acknowledged.append(sequence + 1)
                    watch = watch.after(change)
                    for due in try await store.due("ops").deliveries {
                        store.submit(attempt(due, .delivered))
                    }
                }
            } catch {
                #expect(error is StoreError)
            }
            await store.close()
        } catch {
            #expect(error.code != .bug)
        }
        return acknowledged
    }

    private func verify(_ path: String, _ acknowledged: [Int]) async throws {
        let store = try Store(at: .file(path), time: ManualTime())
        #expect(store.openingNotice == nil)
        let count = try #require(try await store.number("SELECT count(*) FROM transition"))
        // The last one may be there without having been acknowledged.
        #expect(count == acknowledged.count || count == acknowledged.count + 1)
        #expect(
            try await store.number("SELECT coalesce(max(sequence), 0) FROM transition") == count)
        #expect(try await store.number("SELECT count(*) FROM event") == count)
        #expect(try await store.number("SELECT count(*) FROM delivery") == count)
        #expect(try await store.list("12").sequence == Int(count))
        await store.close()
    }
}
