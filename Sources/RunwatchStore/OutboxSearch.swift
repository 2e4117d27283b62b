import RunwatchCore

/// One look at a receiver's outbox.
struct OutboxSearch {
    let receiver: String
    let now: Timestamp
    /// Events at most; only the last digest may go beyond it.
    let limit: Int
    let excluding: Set<String>
    let digest: DigestSettings?

    private(set) var due = DueDeliveries()
    /// Deliveries whose event cannot be read back.
    private(set) var damaged: [String] = []
    /// Deliveries that are to be one digest each, in no order; all but the last are full.
    private var gathered: [[String]] = []
    /// Since when the oldest of the last ones waits.
    private var gatheredSince: Timestamp?
    private var seenDigests: Set<String> = []
    /// Events that are given, or will be once they are bound.
    private var count = 0

    init(
        receiver: String, now: Timestamp, limit: Int, excluding: Set<String>,
        digest: DigestSettings?
    ) {
        self.receiver = receiver
        self.now = now
        self.limit = limit
        self.excluding = excluding
        self.digest = digest
    }

    /// What is gathered and is full, or has waited for long enough.
    var ripe: [[String]] { isLastRipe ? gathered : gathered.dropLast() }

    private var isLastRipe: Bool {
        guard let digest, let gatheredSince, let last = gathered.last else { return false }
        return last.count >= digest.max || gatheredSince.advanced(by: digest.window) <= now
    }

    /// Takes what may be attempted, the longest due first.
    mutating func run(on connection: borrowing Connection) throws(StoreError) {
        var statement = try connection.cached(
            """
            SELECT delivery.id, due_at_ms, attempts - schedule_from, digest, attempts, number, type,
                timestamp_ms, event.subject, json, checksum, schedule_from
            FROM delivery INDEXED BY delivery_due JOIN event ON number = event_number
            WHERE receiver = ? AND state = 'pending' AND due_at_ms IS NOT NULL
            ORDER BY due_at_ms, event_number
            """)
        try statement.bind(receiver)
        while try statement.step() {
            if try !take(statement, connection) { break }
        }
        noteWaiting()
    }

    /// - Returns: Whether to go on.
    private mutating func take(
        _ row: borrowing Statement, _ connection: borrowing Connection
    ) throws(StoreError) -> Bool {
        let id = row.optionalText(3) ?? row.text(0)
        if excluding.contains(id) || seenDigests.contains(id) { return true }
        let dueAt = row.timestamp(1)
        guard dueAt <= now, count < limit else {
            due.nextDueAt = dueAt
            return false
        }
        if !row.isNull(3) {
            seenDigests.insert(id)
            try takeDigest(id, connection)
        } else if let digest, row.int(4) == 0 {
            try gather(row.text(8), since: dueAt, digest, connection)
        } else if let event = OutboxSearch.event(row, from: 5) {
            add(
                PendingDelivery(
                    id: id, receiver: receiver, event: event, attempts: row.int(2),
                    schedule: row.int(11)))
        } else {
            damaged.append(id)
        }
        return true
    }

    /// Takes one message alone.
    mutating func find(_ id: String, on connection: borrowing Connection) throws(StoreError) {
        // By its ID first: to look for either ID at once, SQLite goes through all that is due.
        var row = try connection.cached(
            """
            SELECT attempts - schedule_from, digest, number, type, timestamp_ms, event.subject, json,
                checksum, schedule_from
            FROM delivery CROSS JOIN event ON number = event_number
            WHERE id = ? AND receiver = ? AND delivery.state = 'pending' AND due_at_ms IS NOT NULL
            """)
        try row.bind(id)
        try row.bind(receiver)
        guard try row.step() else { return try takeDigest(id, connection) }
        if let digest = row.optionalText(1) { return try takeDigest(digest, connection) }
        // A damaged one is left to the search, which gives it up.
        guard let event = OutboxSearch.event(row, from: 2) else { return }
        add(
            PendingDelivery(
                id: id, receiver: receiver, event: event, attempts: row.int(0),
                schedule: row.int(8)))
    }

    private mutating func add(_ delivery: PendingDelivery) {
        due.deliveries.append(delivery)
        count += delivery.parts.count
    }

    // MARK: Digests

    private mutating func takeDigest(
        _ id: String, _ connection: borrowing Connection
    ) throws(StoreError) {
        var parts: [PendingDelivery.Part] = []
        var attempts = 0
        var schedule = 0
        var subjects: Set<String> = []
        var row = try connection.cached(
            """
            SELECT delivery.id, due_at_ms, attempts - schedule_from, schedule_from, number, type,
                timestamp_ms, event.subject, json, checksum
            FROM delivery INDEXED BY delivery_digest JOIN event ON number = event_number
            WHERE digest = ? AND state = 'pending' ORDER BY event_number
            """)
        try row.bind(id)
        while try row.step() {
            // Something that was redelivered stands before it in its line: all of it waits for that.
            if subjects.insert(row.text(7)).inserted, row.isNull(1) { return }
            guard let event = OutboxSearch.event(row, from: 4) else {
                damaged.append(row.text(0))
                continue
            }
            if parts.isEmpty { attempts = row.int(2) }
            schedule = max(schedule, row.int(3))
            parts.append(PendingDelivery.Part(delivery: row.text(0), event: event))
        }
        guard !parts.isEmpty else { return }
        add(
            PendingDelivery(
                id: id, receiver: receiver, digest: parts, attempts: attempts, schedule: schedule))
    }

    /// Gathers the pending deliveries of a subject, in order, as many as fit.
    private mutating func gather(
        _ subject: String, since dueAt: Timestamp, _ digest: DigestSettings,
        _ connection: borrowing Connection
    ) throws(StoreError) {
        var ids = gathered.popLast() ?? []
        if ids.count >= digest.max {
            gathered.append(ids)
            ids = []
            gatheredSince = nil
        }
        gatheredSince = min(gatheredSince ?? dueAt, dueAt)
        var row = try connection.cached(
            """
            SELECT id, attempts > 0 OR digest IS NOT NULL
            FROM delivery INDEXED BY delivery_pending
            WHERE receiver = ? AND subject = ? AND state = 'pending' ORDER BY event_number
            """)
        try row.bind(receiver)
        try row.bind(subject)
        // One that was attempted, by itself or in a digest, keeps its ID, and those behind it wait for it.
        while ids.count < digest.max, try row.step(), !row.bool(1) { ids.append(row.text(0)) }
        if ids.count >= digest.max { count += ids.count }
        gathered.append(ids)
    }

    private mutating func noteWaiting() {
        guard let digest, let gatheredSince, !isLastRipe else { return }
        let ripeAt = gatheredSince.advanced(by: digest.window)
        due.nextDueAt = due.nextDueAt.map { min($0, ripeAt) } ?? ripeAt
    }

    // MARK: Rows

    /// - Returns: `nil` when it is not as it was written.
    private static func event(_ row: borrowing Statement, from first: Int32) -> RecordedEvent? {
        let json = row.bytes(first + 4)
        guard Checksum.of(json) == row.int64(first + 5),
            let type = EventType(name: row.text(first + 1))
        else { return nil }
        return RecordedEvent(
            number: row.int64(first), type: type, timestamp: row.timestamp(first + 2),
            subject: row.text(first + 3), json: json)
    }
}
