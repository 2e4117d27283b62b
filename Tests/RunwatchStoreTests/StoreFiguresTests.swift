import CSQLite
import RunwatchCore
import RunwatchLinux
import TestSupport
import Testing

@testable import RunwatchStore

/// What is counted of commits.
@Suite struct StoreFiguresTests {
    private let folder = TemporaryFolder()

    @Test func `commits are measured, with how many changes each held`() async throws {
        let store = try Store(at: .file(folder.path("runwatch.db")))
        let watches = try await store.list(["1", "2", "3"])
        let before = store.figures
        #expect(before.changes.count == 0)
        await store.submitTogether(watches.map { .transition($0.next(.running)) })
        try await store.flush()
        let after = store.figures
        #expect(after.changes.count == 1)
        #expect(after.changes.sum == 3)
        #expect(after.commits.count > before.commits.count)
        #expect(after.commits.count == store.commits)
        #expect(after.commits.sum > before.commits.sum)
        #expect(after.failures == 0)
        await store.close()
    }

    @Test func `what could not be written is counted, and is no commit`() async throws {
        let files = FaultyFiles(name: "figures-full")
        let store = try Store(
            at: .file(folder.path("runwatch.db")), time: ManualTime(), vfs: files.name)
        let watch = try await store.list("1")
        let before = store.figures
        files.fail([.write], after: 0, times: 1, code: SQLITE_FULL)
        store.submit(.transition(watch.next(.running)))
        #expect(await eventually { store.backlog == 0 })
        let after = store.figures
        #expect(after.failures == before.failures + 1)
        #expect(after.commits.count == before.commits.count + 1)
        #expect(after.changes.sum == 1)
        await store.close()
    }
}
