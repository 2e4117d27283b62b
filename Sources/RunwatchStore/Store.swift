package import RunwatchCore
import RunwatchLinux

/// The database: the one writer, on a queue of its own.
package actor Store {
    package enum Location: Sendable {
        case file(String)
        case memory
    }

    private let executor = QueueExecutor(label: "runwatch.store")
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    /// Opens the database, makes or migrates it, and takes the state directory's lock for life.
    package init(at location: Location, time: any TimeSource = SystemTime()) throws(StoreError) {
        throw StoreError(.bug, "not built")
    }

    /// Adds a listener; called after each commit that recorded events or deliveries, on the store's queue.
    package func onCommit(_ listener: @escaping @Sendable (Committed) -> Void) {}

    /// Called once when a COMMIT failed and the process has to end and read back.
    package func onFatal(_ listener: @escaping @Sendable (StoreError) -> Void) {}

    /// Hands in a change; what arrives while one commit is on its way goes into the next one.
    ///
    /// Returns at once, from any queue. Order is kept.
    package nonisolated func submit(_ change: Change) {}

    /// Changes handed in and not yet on disk.
    package nonisolated var backlog: Int { 0 }

    /// Returns when all that was submitted before is on disk.
    package func flush() async throws(StoreError) {}

    /// Makes the rows equal to the watch list, and gives what is known of each watch.
    package func adopt(
        _ specs: [WatchSpec], discoveries: [DiscoverySpec], kinds: [String: String]
    ) async throws(StoreError) -> Adoption { Adoption() }

    /// Adds watches that are in no list as such: discovered and transient ones; a row that exists is
    /// taken up again as it is.
    /// - Returns: One entry for each spec, in the same order.
    package func add(
        _ specs: [WatchSpec], discovery: DiscoverySpec?, kind: String
    ) async throws(StoreError) -> [SavedWatch] { [] }

    /// Notes runs that a discovery has met and that became no watch: what was final at its first look.
    package func noteMet(_ runs: [String], by discovery: DiscoverySpec) async throws(StoreError) {}

    /// Starts a watch afresh: unknown, never polled, with its history and its sequence kept.
    package func rewatch(_ id: WatchID) async throws(StoreError) -> SavedWatch {
        throw StoreError(.bug, "not built")
    }

    /// The deliveries of a receiver that may be attempted now, oldest event first.
    ///
    /// Only the first pending delivery of each subject is given, so that the events of one run arrive in
    /// order. What was submitted before is on disk first.
    package func dueDeliveries(
        for receiver: String, now: Timestamp, limit: Int, excluding: Set<String>
    ) async throws(StoreError) -> DueDeliveries { DueDeliveries() }

    /// Deletes a small step of what retention no longer keeps; `true` when there is more to delete.
    package func prune(before moment: Timestamp, limit: Int) async throws(StoreError) -> Bool {
        false
    }

    /// Commits what was submitted, checkpoints and closes; the lock is given up.
    package func close() async {}
}

/// What the record knows of a configuration's watches.
package struct Adoption: Sendable {
    /// One for each spec, in the same order.
    package var watches: [SavedWatch] = []
    /// For each discovery, in the same order: the watches that it found before, ended ones included.
    package var discovered: [[SavedWatch]] = []
    /// For each discovery, in the same order: every run it has met; `nil` when it never looked.
    package var met: [Set<String>?] = []

    package init() {}
}

package struct DueDeliveries: Sendable {
    package var deliveries: [PendingDelivery] = []
    /// When the next pending delivery that is not given here will be due; `nil` when there is none.
    package var nextDueAt: Timestamp?

    package init() {}
}
