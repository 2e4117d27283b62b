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

    /// Listed watches, sorted by service and ID (byte by byte).
    ///
    /// - Parameter after: The last name of the page before; `nil` for the first page.
    package func watches(
        _ filter: WatchFilter, after: WatchName?, limit: Int
    ) throws(StoreError) -> [WatchRow] {
        var conditions = ["is_listed = 1"]
        if filter.service != nil { conditions.append("service = ?") }
        if filter.group != nil { conditions.append("group_name = ?") }
        if after != nil { conditions.append("(service, run) > (?, ?)") }
        var states = filter.states.isEmpty ? Set(RunState.allCases) : filter.states
        if filter.activeOnly { states = states.filter { !$0.isFinal } }
        if states.count < RunState.allCases.count {
            let words = states.map { "'\($0.name)'" }.sorted()
            conditions.append("state IN (\(words.joined(separator: ", ")))")
        }
        // The index of names gives the order; that of states would have to sort all it finds.
        var row = try connection.statement(
            """
            SELECT \(StoreReader.watchColumns) FROM watch INDEXED BY sqlite_autoindex_watch_1
            WHERE \(conditions.joined(separator: " AND "))
            ORDER BY service, run LIMIT ?
            """)
        if let service = filter.service { try row.bind(service) }
        if let group = filter.group { try row.bind(group) }
        if let after {
            try row.bind(after.service)
            try row.bind(after.run)
        }
        try row.bind(max(0, limit))
        var rows: [WatchRow] = []
        while try row.step() { rows.append(StoreReader.watch(row)) }
        return rows
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

    private static let watchColumns =
        "\(WatchColumns.list), kind, label, group_name, origin, is_listed, finished_at_ms"

    private static func watch(_ row: borrowing Statement) -> WatchRow {
        let next = WatchColumns.count
        return WatchRow(
            kind: row.text(next), label: row.optionalText(next + 1),
            group: row.optionalText(next + 2), origin: row.text(next + 3),
            isListed: row.bool(next + 4), finishedAt: row.optionalTimestamp(next + 5),
            watch: WatchColumns.read(row))
    }

    // MARK: Events

    /// Events in the order of their numbers.
    ///
    /// - Parameters:
    ///   - number: The last one that is known; 0 for all.
    ///   - since: Only events of that moment and later.
    package func events(
        after number: Int64, since: Timestamp?, limit: Int
    ) throws(StoreError) -> [RecordedEvent] {
        var number = number
        if let since, number <= 0 {
            guard let first = try firstEvent(since: since) else { return [] }
            number = first - 1
        }
        var row = try connection.cached(
            """
            SELECT number, type, timestamp_ms, subject, json FROM event NOT INDEXED
            WHERE number > ? AND timestamp_ms >= ? ORDER BY number LIMIT ?
            """)
        try row.bind(number)
        try row.bind(since?.milliseconds ?? .min)
        try row.bind(max(0, limit))
        var events: [RecordedEvent] = []
        while try row.step() {
            guard let type = EventType(name: row.text(1)) else { continue }
            events.append(
                RecordedEvent(
                    number: row.int64(0), type: type, timestamp: row.timestamp(2),
                    subject: row.text(3), json: row.bytes(4)))
        }
        return events
    }

    /// The number of the newest event; 0 when there was never one.
    package func lastEventNumber() throws(StoreError) -> Int64 {
        // Also when retention has deleted them all: the next one goes on from here.
        var row = try connection.cached("SELECT seq FROM sqlite_sequence WHERE name = 'event'")
        return try row.step() ? row.int64(0) : 0
    }

    /// By the index of times, which is not quite that of numbers: the clock may have been set.
    private func firstEvent(since: Timestamp) throws(StoreError) -> Int64? {
        var row = try connection.cached(
            "SELECT min(number) FROM event INDEXED BY event_by_time WHERE timestamp_ms >= ?")
        try row.bind(since)
        guard try row.step(), !row.isNull(0) else { return nil }
        return row.int64(0)
    }

    // MARK: Deliveries

    /// Deliveries with their attempts, sorted by ID, which is by time.
    ///
    /// - Parameter after: The last ID of the page before; `nil` for the first page.
    package func deliveries(
        _ filter: DeliveryFilter, after: String?, limit: Int
    ) throws(StoreError) -> [DeliveryRow] {
        try deliveries { () throws(StoreError) in
            try deliveryRows(filter, after: after ?? "", order: "ASC", limit: max(0, limit))
        }
    }

    /// The last deliveries with their attempts, the newest first.
    package func latestDeliveries(
        _ filter: DeliveryFilter, limit: Int
    ) throws(StoreError) -> [DeliveryRow] {
        try deliveries { () throws(StoreError) in
            try deliveryRows(filter, after: "", order: "DESC", limit: max(0, limit))
        }
    }

    private func deliveries(
        _ read: () throws(StoreError) -> [DeliveryRow]
    ) throws(StoreError) -> [DeliveryRow] {
        // One state of the record for the rows and their attempts.
        try connection.execute("BEGIN")
        defer { connection.rollBack() }
        var rows = try read()
        for place in rows.indices { rows[place].history = try attempts(at: rows[place].id) }
        return rows
    }

    /// What each receiver is owed; sorted by receiver, those with nothing pending or failed left out.
    package func backlog()
        throws(StoreError) -> [(
            receiver: String, pending: Int, failed: Int, oldestPending: Timestamp?
        )]
    {
        try connection.execute("BEGIN")
        defer { connection.rollBack() }
        var found: [String: (pending: Int, failed: Int, oldest: Timestamp?)] = [:]
        var pending = try connection.cached(
            """
            SELECT receiver, count(*), min(event_number)
            FROM delivery INDEXED BY delivery_pending WHERE state = 'pending' GROUP BY receiver
            """)
        while try pending.step() {
            let receiver = pending.text(0)
            let oldest = try created(event: pending.int64(2), receiver: receiver)
            found[receiver] = (pending.int(1), 0, oldest)
        }
        var failed = try connection.cached(
            """
            SELECT receiver, count(*)
            FROM delivery INDEXED BY delivery_failed WHERE state = 'failed' GROUP BY receiver
            """)
        while try failed.step() {
            found[failed.text(0), default: (0, 0, nil)].failed = failed.int(1)
        }
        return found.sorted { $0.key < $1.key }.map {
            ($0.key, $0.value.pending, $0.value.failed, $0.value.oldest)
        }
    }

    private func deliveryRows(
        _ filter: DeliveryFilter, after: String, order: String, limit: Int
    ) throws(StoreError) -> [DeliveryRow] {
        var conditions = ["delivery.id > ?"]
        if let state = filter.state { conditions.append("delivery.state = '\(state.rawValue)'") }
        if filter.receiver != nil { conditions.append("receiver = ?") }
        if filter.subject != nil { conditions.append("event.subject = ?") }
        var row = try connection.statement(
            """
            SELECT delivery.id, receiver, number, type, event.subject, delivery.state, attempts,
                due_at_ms, created_at_ms, finished_at_ms
            FROM \(StoreReader.tables(filter)) WHERE \(conditions.joined(separator: " AND "))
            ORDER BY delivery.id \(order) LIMIT ?
            """)
        try row.bind(after)
        if let receiver = filter.receiver { try row.bind(receiver) }
        if let subject = filter.subject { try row.bind(subject) }
        try row.bind(limit)
        var rows: [DeliveryRow] = []
        while try row.step() {
            guard let type = EventType(name: row.text(3)),
                let state = DeliveryState(rawValue: row.text(5))
            else { continue }
            rows.append(
                DeliveryRow(
                    id: row.text(0), receiver: row.text(1), eventNumber: row.int64(2), type: type,
                    subject: row.text(4), state: state, attempts: row.int(6),
                    dueAt: row.optionalTimestamp(7), createdAt: row.timestamp(8),
                    finishedAt: row.optionalTimestamp(9), history: []))
        }
        return rows
    }

    /// The tables in the order that fits the filter; CROSS JOIN keeps SQLite to it.
    private static func tables(_ filter: DeliveryFilter) -> String {
        guard filter.subject == nil else {
            return """
                event INDEXED BY event_by_subject CROSS JOIN delivery ON event_number = number
                """
        }
        // Few are pending or failed of all that were ever made.
        let index =
            switch filter.state {
            case .pending: "INDEXED BY delivery_pending"
            case .failed: "INDEXED BY delivery_failed"
            case .delivered, nil: ""
            }
        return "delivery \(index) CROSS JOIN event ON number = event_number"
    }

    private func attempts(at delivery: String) throws(StoreError) -> [AttemptRow] {
        var row = try connection.cached(
            """
            SELECT number, at_ms, outcome, status, duration_ms, message FROM attempt
            WHERE delivery_id = ? ORDER BY number
            """)
        try row.bind(delivery)
        var rows: [AttemptRow] = []
        while try row.step() {
            rows.append(
                AttemptRow(
                    number: row.int(0), at: row.timestamp(1), outcome: row.text(2),
                    status: row.optionalInt(3), duration: .milliseconds(row.int64(4)),
                    message: row.text(5)))
        }
        return rows
    }

    private func created(event: Int64, receiver: String) throws(StoreError) -> Timestamp? {
        var row = try connection.cached(
            "SELECT created_at_ms FROM delivery WHERE event_number = ? AND receiver = ?")
        try row.bind(event)
        try row.bind(receiver)
        return try row.step() ? row.timestamp(0) : nil
    }
}
