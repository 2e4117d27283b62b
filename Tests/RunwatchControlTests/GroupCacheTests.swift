import RunwatchControl
import RunwatchCore
import Synchronization
import TestSupport
import Testing

@Suite struct GroupCacheTests {
    /// Counts how often the system is asked, and answers with that.
    private final class System: Sendable {
        private let asked = Mutex(0)

        var count: Int { asked.withLock { $0 } }

        func groups(_ user: UInt32, _ primary: UInt32) -> [UInt32] {
            asked.withLock { asked in
                asked += 1
                return [user, primary, UInt32(asked)]
            }
        }
    }

    @Test func `a user's groups are asked for once in some seconds`() {
        let time = ManualTime()
        let system = System()
        let cache = GroupCache(time: time) { system.groups($0, $1) }
        #expect(cache.groups(of: 7, primary: 8) == [7, 8, 1])
        time.advance(by: GroupCache.lifetime - .milliseconds(1))
        #expect(cache.groups(of: 7, primary: 8) == [7, 8, 1])
        time.advance(by: .milliseconds(1))
        #expect(cache.groups(of: 7, primary: 8) == [7, 8, 2])
        #expect(system.count == 2)
    }

    @Test func `another user, and another primary group, are others`() {
        let system = System()
        let cache = GroupCache(time: ManualTime()) { system.groups($0, $1) }
        #expect(cache.groups(of: 7, primary: 8) == [7, 8, 1])
        #expect(cache.groups(of: 8, primary: 8) == [8, 8, 2])
        #expect(cache.groups(of: 7, primary: 9) == [7, 9, 3])
        #expect(cache.groups(of: 7, primary: 8) == [7, 8, 1])
    }

    @Test func `any number of users is right, and few of them are kept`() {
        let system = System()
        let cache = GroupCache(time: ManualTime()) { system.groups($0, $1) }
        for user in 0..<UInt32(5000) {
            #expect(cache.groups(of: user, primary: 1).prefix(2) == [user, 1])
        }
        #expect(cache.groups(of: 0, primary: 1) == [0, 1, 5001])
    }
}
