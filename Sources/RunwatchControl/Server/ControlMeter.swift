import Synchronization

/// Counts the API's requests by what they asked for and how they were answered.
///
/// The names of routes are those of the description, never a path as it was sent: there are a few dozen
/// counters, whatever is asked for.
package final class ControlMeter: Sendable {
    package struct Count: Hashable, Sendable {
        /// As in the API's description: `/v1/watches/{service}/{id}`; `other` for paths that are no route.
        package var route: String
        /// The HTTP status.
        package var status: Int
    }

    private let counts = Mutex<[Count: Int]>([:])

    package init() {}

    func add(_ route: ControlRoute?, status: Int) {
        let count = Count(route: route?.pattern ?? "other", status: status)
        counts.withLock { $0[count, default: 0] += 1 }
    }

    /// In the order of routes, then of statuses.
    package var all: [(key: Count, requests: Int)] {
        counts.withLock { $0.map { (key: $0.key, requests: $0.value) } }.sorted {
            ($0.key.route, $0.key.status) < ($1.key.route, $1.key.status)
        }
    }
}
