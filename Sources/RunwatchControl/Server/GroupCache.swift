package import RunwatchCore
import RunwatchLinux
import Synchronization

/// Remembers the groups of users for some seconds: a directory server is not asked at each request.
///
/// Who joins or leaves a group has or loses its rights that much later.
package final class GroupCache: Sendable {
    package typealias Lookup = @Sendable (_ user: UInt32, _ primary: UInt32) -> [UInt32]

    package static let lifetime = Duration.seconds(5)
    /// Users at once; with more, all are forgotten.
    ///
    /// Far more than use one daemon.
    private static let mostUsers = 1024

    private struct User: Hashable {
        var id: UInt32
        var primary: UInt32
    }

    private let lookup: Lookup
    private let time: any TimeSource
    private let known = Mutex<[User: (groups: [UInt32], at: Instant)]>([:])

    package init(
        time: any TimeSource = SystemTime(), lookup: @escaping Lookup = SystemGroups.groups
    ) {
        self.time = time
        self.lookup = lookup
    }

    /// The groups of a user, its supplementary ones included.
    ///
    /// May ask the system, and so take its time; others are answered meanwhile.
    package func groups(of user: UInt32, primary: UInt32) -> [UInt32] {
        let key = User(id: user, primary: primary)
        let now = time.now()
        let found = known.withLock { $0[key] }
        if let found, found.at.duration(to: now) < GroupCache.lifetime { return found.groups }
        let groups = lookup(user, primary)
        known.withLock { known in
            if known.count >= GroupCache.mostUsers { known.removeAll(keepingCapacity: true) }
            known[key] = (groups, now)
        }
        return groups
    }
}
