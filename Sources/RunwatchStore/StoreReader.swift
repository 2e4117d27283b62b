package import RunwatchCore
import RunwatchLinux

/// Reads the record through a connection of its own, so that a long listing delays no commit.
///
/// Sees what was committed when the call begins. Every list is bounded by its `limit`.
package actor StoreReader {
    private let executor = QueueExecutor(label: "runwatch.store.reader")
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    var connection: Connection

    /// Opens a database that a store has made.
    package init(path: String) throws(StoreError) {
        let connection = try Connection(path: path, mode: .read)
        try connection.execute("PRAGMA query_only = ON")
        try connection.execute("PRAGMA cache_size = -1024")
        try connection.execute("PRAGMA mmap_size = 0")
        try connection.execute("PRAGMA temp_store = MEMORY")
        try connection.execute("PRAGMA trusted_schema = OFF")
        self.connection = connection
    }

    /// Closes; before the store does, so that the store can put its log away.
    package func close() { connection.close() }

    // MARK: Watches

    /// How many listed watches are in each state, by service; sorted by service, then by state.
    package func stateCounts()
        throws(StoreError) -> [(service: String, state: RunState, count: Int)]
    {
        var counts: [(service: String, state: RunState, count: Int)] = []
        var row = try connection.cached(
            """
            SELECT service, state, count(*) FROM watch WHERE is_listed = 1
            GROUP BY service, state ORDER BY service
            """)
        while try row.step() {
            guard let state = RunState(name: row.text(1)) else { continue }
            counts.append((row.text(0), state, row.int(2)))
        }
        return counts.sorted { ($0.service, $0.state.rawValue) < ($1.service, $1.state.rawValue) }
    }

    /// How many listed watches there are, by state; states with none are left out.
    package func counts(_ filter: WatchFilter) throws(StoreError) -> [RunState: Int] {
        // For states of which none is possible SQLite finds no way along an index.
        if filter.activeOnly, !filter.states.isEmpty, filter.states.allSatisfy(\.isFinal) {
            return [:]
        }
        // By service too: that is the order of the index of states, and needs no sorting.
        let index = filter.names.isEmpty ? "watch_by_state" : "sqlite_autoindex_watch_1"
        var row = try connection.statement(
            """
            SELECT state, count(*) FROM watch INDEXED BY \(index)
            WHERE \(filter.conditions.joined(separator: " AND ")) GROUP BY service, state
            """)
        try row.bind(filter)
        var counts: [RunState: Int] = [:]
        while try row.step() {
            if let state = RunState(name: row.text(0)) { counts[state, default: 0] += row.int(1) }
        }
        return counts
    }

    /// A watch, listed or not; `nil` when there is none of that name.
    package func watch(_ name: WatchName) throws(StoreError) -> WatchRow? {
        var row = try connection.statement(
            "SELECT \(StoreReader.watchColumns) FROM watch WHERE service = ? AND run = ?")
        try row.bind(name.service)
        try row.bind(name.run)
        return try row.step() ? StoreReader.watch(row) : nil
    }

    /// A watch's whole history, the oldest first.
    package func transitions(of id: WatchID) throws(StoreError) -> [TransitionRow] {
        var row = try connection.cached(
            """
            SELECT sequence, state, previous_state, observed_at_ms, not_before_ms, message, detail,
                polls
            FROM transition WHERE watch_id = ? ORDER BY sequence
            """)
        try row.bind(id)
        var rows: [TransitionRow] = []
        while try row.step() {
            rows.append(
                TransitionRow(
                    sequence: row.int(0), state: RunState(name: row.text(1)) ?? .unknown,
                    previousState: RunState(name: row.text(2)) ?? .unknown,
                    observedAt: row.timestamp(3), notBefore: row.optionalTimestamp(4),
                    message: row.text(5), detail: WatchColumns.detail(row, 6), polls: row.int(7)))
        }
        return rows
    }

    static let watchColumns =
        "\(WatchColumns.list), kind, label, group_name, origin, is_listed, finished_at_ms"

    static func watch(_ row: borrowing Statement) -> WatchRow {
        let next = WatchColumns.count
        return WatchRow(
            kind: row.text(next), label: row.optionalText(next + 1),
            group: row.optionalText(next + 2), origin: row.text(next + 3),
            isListed: row.bool(next + 4), finishedAt: row.optionalTimestamp(next + 5),
            watch: WatchColumns.read(row))
    }

    // MARK: Events

    /// The number of the newest event; 0 when there was never one.
    package func lastEventNumber() throws(StoreError) -> Int64 {
        // Also when retention has deleted them all: the next one goes on from here.
        var row = try connection.cached("SELECT seq FROM sqlite_sequence WHERE name = 'event'")
        return try row.step() ? row.int64(0) : 0
    }

    /// By the index of times, which is not quite that of numbers: the clock may have been set.
    func firstEvent(since: Timestamp) throws(StoreError) -> Int64? {
        var row = try connection.cached(
            "SELECT min(number) FROM event INDEXED BY event_by_time WHERE timestamp_ms >= ?")
        try row.bind(since)
        guard try row.step(), !row.isNull(0) else { return nil }
        return row.int64(0)
    }
}
