import RunwatchCore
import RunwatchLinux
import RunwatchStore
import Synchronization
import TestSupport
import Testing

@Suite struct StoreTests {
    @Test func `a transition, its event and its delivery are told after they are on disk`()
        async throws
    {
        let folder = TemporaryFolder()
        let store = try Store(at: .file(folder.path("runwatch.db")))
        let told = Told()
        await store.onCommit { told.add($0) }
        let saved = try await store.list("12")
        store.submit(.transition(saved.next(.running, to: ["log", "ops"])))
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
}
