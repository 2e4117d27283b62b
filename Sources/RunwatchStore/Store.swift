import Dispatch
import Glibc
package import RunwatchCore
import RunwatchLinux
import Synchronization

/// The database: the one writer, on a queue of its own.
package actor Store {
    package enum Location: Sendable {
        case file(String)
        case memory
    }

    /// Changes in one transaction at most: beyond it a commit takes longer than it saves.
    static let changesPerCommit = 2000
    /// Pages in the log that are worth a checkpoint when there is nothing else to do: 4 MiB.
    private static let pagesToCheckpoint = 1024
    /// Pages in the log that are worth a checkpoint in any case: 32 MiB.
    private static let pagesToCheckpointAtLast = 8192
    private static let firstRetry = Duration.milliseconds(500)
    /// The first write after a full disk has space again comes at most this much later.
    private static let longestRetry = Duration.seconds(10)

    private let executor = QueueExecutor(label: "runwatch.store")
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    /// What a person should know of the opening: a damaged file was set aside.
    package nonisolated let openingNotice: String?

    let time: any TimeSource
    private(set) var connection: Connection
    private var lock: FileLock?
    private nonisolated let inbox = Mutex(Inbox())
    private nonisolated let condition = Mutex(Condition())
    /// As of the last commit; `nil` when they could not be read after it.
    private nonisolated let lastCounts: Mutex<StoreCounts?>
    private var commitListeners: [@Sendable (Committed) -> Void] = []
    private var fatalListeners: [@Sendable (StoreError) -> Void] = []
    private var noticeListeners: [@Sendable (String) -> Void] = []
    private var pruneListeners: [@Sendable ([PrunedWatch]) -> Void] = []
    private var isClosed = false
    /// The wait before the next try, while nothing can be written; `nil` when all is well.
    private var retryDelay: Duration?
    /// Where retention goes on; see `prune`.
    var pruned: (timestamp: Int64, number: Int64)?

    /// What others may look at from their own queues.
    private struct Condition {
        var trouble: StoreError?
        var isFatal = false
        var figures = StoreFigures()
    }

    /// Opens the database, makes or migrates it, and takes the state directory's lock for life.
    package init(at location: Location, time: any TimeSource = SystemTime()) throws(StoreError) {
        try self.init(at: location, time: time, vfs: nil)
    }

    /// - Parameter vfs: SQLite's name of the file system to use, for faults on purpose.
    init(at location: Location, time: any TimeSource, vfs: String?) throws(StoreError) {
        let opening: Opening
        switch location {
        case .memory:
            lock = nil
            opening = try Opening.memory()
        case .file(let path):
            lock = try Store.lock(path)
            opening = try Opening.file(path, now: time.wallClock(), vfs: vfs)
        }
        self.time = time
        openingNotice = opening.notice
        try opening.connection.beginCounting()
        lastCounts = Mutex(try opening.connection.counts())
        connection = opening.connection
    }

    private static func lock(_ path: String) throws(StoreError) -> FileLock {
        let file = "\(path).lock"
        do throws(SystemCallError) {
            return try FileLock(path: file)
        } catch {
            guard error.errno == EWOULDBLOCK else {
                throw StoreError(
                    .unavailable,
                    "\(error); see that the folder exists and that this user may write to it")
            }
            let holder = FileLock.holder(of: file).map { "process \($0)" } ?? "another process"
            throw StoreError(
                .locked,
                """
                \(path) is in use by \(holder), which holds \(file): one daemon a state directory; \
                end the other one, or give this one a directory of its own
                """)
        }
    }

    // MARK: Listening

    /// Adds a listener; called after each commit that recorded events or deliveries, on the store's queue.
    package func onCommit(_ listener: @escaping @Sendable (Committed) -> Void) {
        commitListeners.append(listener)
    }

    /// Adds a listener for the end: a COMMIT failed, or the file is damaged, and the process has to end
    /// and read back.
    ///
    /// Called once, on the store's queue; at once where it has happened already.
    package func onFatal(_ listener: @escaping @Sendable (StoreError) -> Void) {
        if let error = fatalError {
            listener(error)
        } else {
            fatalListeners.append(listener)
        }
    }

    /// Adds a listener for what a person should read in the log; called on the store's queue.
    package func onNotice(_ listener: @escaping @Sendable (String) -> Void) {
        noticeListeners.append(listener)
    }

    /// Adds a listener for watches that retention has deleted; called after the commit, on the store's queue.
    package func onPrune(_ listener: @escaping @Sendable ([PrunedWatch]) -> Void) {
        pruneListeners.append(listener)
    }

    func tell(_ pruned: [PrunedWatch]) {
        guard !pruned.isEmpty else { return }
        for listener in pruneListeners { listener(pruned) }
    }

    func notify(_ notice: String) {
        for listener in noticeListeners { listener(notice) }
    }

    func tell(_ committed: Committed) {
        guard !committed.isEmpty else { return }
        for listener in commitListeners { listener(committed) }
    }

    /// Why nothing can be written at present; `nil` when all is well.
    package nonisolated var trouble: StoreError? { condition.withLock { $0.trouble } }

    /// Transactions committed since the opening.
    package nonisolated var commits: Int { condition.withLock { $0.figures.commits.count } }

    package nonisolated var figures: StoreFigures { condition.withLock { $0.figures } }

    /// How many watches and deliveries there are, as of the last commit.
    ///
    /// At once, from any queue, however long a commit takes. `nil` when it is not known: then the reader's
    /// queries tell.
    package nonisolated var counts: StoreCounts? { lastCounts.withLock { $0 } }

    private nonisolated var fatalError: StoreError? {
        condition.withLock { $0.isFatal ? $0.trouble : nil }
    }

    // MARK: Changes

    /// Hands in a change; what arrives while one commit is on its way goes into the next one.
    ///
    /// Returns at once, from any queue. Order is kept, but for `phases`: they give way to all other
    /// changes, and are void once their watch has a later transition.
    package nonisolated func submit(_ change: Change) {
        let isFirst = inbox.withLock { inbox in
            inbox.add(change)
            return inbox.schedule()
        }
        if isFirst { scheduleDrain() }
    }

    /// Changes handed in and not yet on disk.
    package nonisolated var backlog: Int { inbox.withLock { $0.count } }

    /// Returns when all that was submitted before is on disk.
    ///
    /// - Throws: The reason why it cannot be written now; it stays in the queue, and is tried again.
    package func flush() async throws(StoreError) {
        try settle(phases: true, isUrgent: true)
    }

    private nonisolated func scheduleDrain(after delay: Duration = .zero) {
        let drain: @Sendable () -> Void = { self.assumeIsolated { $0.drain() } }
        if delay == .zero {
            executor.queue.async(execute: drain)
        } else {
            let nanoseconds = Int(clamping: delay.wholeNanoseconds)
            executor.queue.asyncAfter(deadline: .now() + .nanoseconds(nanoseconds), execute: drain)
        }
    }

    /// One commit; on this queue, by a block of its own, so that other calls come in between.
    private func drain() {
        inbox.withLock { $0.drainBegan() }
        guard !isClosed, fatalError == nil else { return }
        do throws(StoreError) {
            try commitBatch()
        } catch {
            guard fatalError == nil else { return }
            let delay = min(retryDelay.map { $0 * 2 } ?? Store.firstRetry, Store.longestRetry)
            retryDelay = delay
            if inbox.withLock({ $0.schedule() }) { scheduleDrain(after: delay) }
            return
        }
        if inbox.withLock({ $0.schedule() }) { scheduleDrain() }
        checkpointIfWorthIt()
    }

    /// Commits what was submitted before now.
    ///
    /// - Parameters:
    ///   - phases: Whether counters and phases have to be on disk too.
    ///   - isUrgent: Tries also while a failed try waits for its next turn.
    func settle(phases: Bool, isUrgent: Bool = false) throws(StoreError) {
        guard !isClosed else { throw StoreError(.unavailable, "the database is closed") }
        if let error = fatalError { throw error }
        if let trouble, retryDelay != nil, !isUrgent, backlog > 0 { throw trouble }
        // Each round takes some of what was there at first, so this ends however much is handed in.
        var rounds = 1 + inbox.withLock { $0.rounds(limit: Store.changesPerCommit, phases: phases) }
        while rounds > 0, inbox.withLock({ phases ? !$0.isEmpty : $0.hasChanges }) {
            try commitBatch()
            rounds -= 1
        }
    }

    /// Writes the next batch in one transaction, and tells what it recorded.
    ///
    /// - Throws: When it could not be written; the changes are back at the head of the inbox then.
    private func commitBatch() throws(StoreError) {
        let batch = inbox.withLock { $0.take(limit: Store.changesPerCommit) }
        guard !batch.isEmpty else { return }
        let committed: Committed
        do throws(StoreError) {
            committed = try write(batch)
        } catch {
            inbox.withLock { $0.putBack(batch) }
            throw error
        }
        inbox.withLock { $0.finished() }
        if !batch.changes.isEmpty {
            condition.withLock { $0.figures.changes.add(Double(batch.changes.count)) }
        }
        tell(committed)
    }

    private func write(_ batch: Inbox.Batch) throws(StoreError) -> Committed {
        do throws(StoreError) {
            return try transaction { () throws(StoreError) in try writeAll(batch) }
        } catch {
            guard error.code == .bug else { throw error }
        }
        // One of them is at fault: the others must not go down with it.
        return try transaction { () throws(StoreError) in try writeOneByOne(batch) }
    }

    private func writeAll(_ batch: Inbox.Batch) throws(StoreError) -> Committed {
        var committed = Committed()
        let now = time.wallClock()
        for change in batch.changes {
            try connection.write(change, now: now, into: &committed)
        }
        try connection.write(batch.phases)
        return committed
    }

    private func writeOneByOne(_ batch: Inbox.Batch) throws(StoreError) -> Committed {
        var committed = Committed()
        let now = time.wallClock()
        for change in batch.changes {
            let before = committed
            try connection.execute("SAVEPOINT change")
            do throws(StoreError) {
                try connection.write(change, now: now, into: &committed)
            } catch {
                guard error.code == .bug else { throw error }
                try connection.execute("ROLLBACK TO change")
                committed = before
                notify("a change could not be recorded and was dropped: \(error)")
            }
            try connection.execute("RELEASE change")
        }
        // Phases are left out: a lost one costs nothing, and one of them may be what is at fault.
        return committed
    }

    // MARK: Transactions

    /// Runs the body in a transaction; on return it is on disk.
    func transaction<R>(
        _ body: () throws(StoreError) -> R
    ) throws(StoreError) -> R {
        if let error = fatalError { throw error }
        do throws(StoreError) {
            let result = try withOpenTransaction(body)
            // Committed is committed: counts that cannot be read are only missing.
            let counts = try? connection.counts()
            lastCounts.withLock { $0 = counts }
            condition.withLock { $0.trouble = nil }
            retryDelay = nil
            return result
        } catch {
            noteFailure(error)
            throw error
        }
    }

    private func withOpenTransaction<R>(
        _ body: () throws(StoreError) -> R
    ) throws(StoreError) -> R {
        try connection.begin()
        let result: R
        do throws(StoreError) {
            result = try body()
        } catch {
            connection.rollBack()
            throw error
        }
        let start = time.now()
        try connection.commit()
        let duration = start.duration(to: time.now())
        condition.withLock { $0.figures.commits.add(duration) }
        return result
    }

    private func noteFailure(_ error: StoreError) {
        condition.withLock { $0.figures.failures += 1 }
        switch error.code {
        case .commitUnknown, .damaged:
            condition.withLock { condition in
                condition.trouble = error
                condition.isFatal = true
            }
            let listeners = fatalListeners
            fatalListeners = []
            for listener in listeners { listener(error) }
        case .unavailable:
            condition.withLock { $0.trouble = error }
        case .locked, .tooNew, .notFound, .bug:
            break
        }
    }

    // MARK: Upkeep

    /// Copies the log into the database when it has grown, at a moment that costs little.
    func checkpointIfWorthIt() {
        let pages = connection.pagesInLog
        let isIdle = inbox.withLock { !$0.hasChanges }
        guard pages >= (isIdle ? Store.pagesToCheckpoint : Store.pagesToCheckpointAtLast) else {
            return
        }
        do throws(StoreError) {
            try connection.checkpoint()
        } catch {
            // All that was committed is in the log still; the next checkpoint tries again.
            notify(error.message)
        }
    }

    /// Commits what was submitted, checkpoints and closes; the lock is given up.
    package func close() async {
        guard !isClosed else { return }
        do throws(StoreError) {
            try settle(phases: true, isUrgent: true)
            try connection.checkpoint()
        } catch {
            notify("closing the database: \(error)")
        }
        isClosed = true
        connection.close()
        lock = nil
    }
}
