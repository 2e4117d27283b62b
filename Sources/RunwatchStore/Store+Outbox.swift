package import RunwatchCore

package struct DueDeliveries: Sendable {
    /// The longest due first.
    package var deliveries: [PendingDelivery] = []
    /// When the next pending delivery that is not given here will be due; `nil` when there is none.
    ///
    /// Those that were excluded do not count. In the past when more are due than were asked for.
    package var nextDueAt: Timestamp?

    package init() {}
}

extension Store {
    /// The deliveries of a receiver that may be attempted now, the longest due first.
    ///
    /// Only the first pending delivery of each subject is given, so that the events of one run arrive in
    /// order. What was submitted before is on disk first.
    ///
    /// With `digest`, deliveries that were never attempted wait for others, and are then bound together
    /// for good: the digest's ID is on disk before it is given. One that was attempted by itself stays
    /// by itself, and a digest that was begun stays one, whatever is configured now: the receiver may
    /// have it already, under that ID.
    /// - Parameter excluding: IDs of what is being attempted; at most a few hundred.
    package func dueDeliveries(
        for receiver: String, now: Timestamp, limit: Int, excluding: Set<String>,
        digest: DigestSettings? = nil
    ) async throws(StoreError) -> DueDeliveries {
        try settle(phases: false)
        while true {
            var search = OutboxSearch(
                receiver: receiver, now: now, limit: limit, excluding: excluding, digest: digest)
            try search.run(on: connection)
            if !search.damaged.isEmpty {
                // Given up, so that what waits behind them moves up; then another look.
                for id in search.damaged { try giveUpDamaged(id, of: receiver, at: now) }
                continue
            }
            guard search.isDigestRipe else { return search.due }
            let now = time.wallClock()
            try transaction { () throws(StoreError) in
                try connection.bindDigest(search.gathered, now: now)
            }
        }
    }

    /// A message that is pending and the next of its line; `nil` when it is not, or not any more.
    ///
    /// - Parameter id: Of a delivery that has a message of its own, or of a digest.
    package func pendingDelivery(
        _ id: String, of receiver: String
    ) async throws(StoreError) -> PendingDelivery? {
        try settle(phases: false)
        var search = OutboxSearch(
            receiver: receiver, now: time.wallClock(), limit: 1, excluding: [], digest: nil)
        try search.find(id, on: connection)
        return search.due.deliveries.first
    }

    private func giveUpDamaged(
        _ id: String, of receiver: String, at now: Timestamp
    ) throws(StoreError) {
        let words = "the event's body in the database is damaged (its checksum does not match)"
        var committed = Committed()
        try transaction { () throws(StoreError) in
            try connection.write(
                AttemptChange(
                    deliveries: [id], at: now, outcome: .failed(nil), status: nil, duration: .zero,
                    message: words),
                now: now, into: &committed)
        }
        notify("delivery \(id) to receiver '\(receiver)' is given up: \(words); look at the disk")
    }
}

/// One look at a receiver's outbox.
struct OutboxSearch {
    let receiver: String
    let now: Timestamp
    let limit: Int
    let excluding: Set<String>
    let digest: DigestSettings?

    private(set) var due = DueDeliveries()
    /// Deliveries whose event cannot be read back.
    private(set) var damaged: [String] = []
    /// Deliveries that are to be one digest, in no order.
    private(set) var gathered: [String] = []
    /// Since when the oldest of those waits.
    private var gatheredSince: Timestamp?
    private var seenDigests: Set<String> = []

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

    /// Whether what is gathered is full, or has waited for long enough.
    var isDigestRipe: Bool {
        guard let digest, let gatheredSince, !gathered.isEmpty else { return false }
        return gathered.count >= digest.max || gatheredSince.advanced(by: digest.window) <= now
    }

    mutating func run(on connection: borrowing Connection) throws(StoreError) {
        var statement = try connection.cached(
            """
            SELECT delivery.id, due_at_ms, attempts - schedule_from, digest, attempts, number, type,
                timestamp_ms, event.subject, json, checksum
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
        guard dueAt <= now, due.deliveries.count < limit else {
            due.nextDueAt = dueAt
            return false
        }
        if !row.isNull(3) {
            seenDigests.insert(id)
            try takeDigest(id, attempts: row.int(2), connection)
            return true
        }
        if let digest, row.int(4) == 0 {
            gatheredSince = min(gatheredSince ?? dueAt, dueAt)
            try gather(row.text(8), upTo: digest.max, connection)
            return gathered.count < digest.max
        }
        guard let event = OutboxSearch.event(row, from: 5) else {
            damaged.append(id)
            return true
        }
        due.deliveries.append(
            PendingDelivery(id: id, receiver: receiver, event: event, attempts: row.int(2)))
        return true
    }

    /// Takes one message alone.
    mutating func find(_ id: String, on connection: borrowing Connection) throws(StoreError) {
        var row = try connection.cached(
            """
            SELECT attempts - schedule_from, digest, number, type, timestamp_ms, event.subject, json,
                checksum
            FROM delivery JOIN event ON number = event_number
            WHERE (id = ?1 OR digest = ?1) AND receiver = ?2 AND delivery.state = 'pending'
                AND due_at_ms IS NOT NULL
            LIMIT 1
            """)
        try row.bind(id)
        try row.bind(receiver)
        guard try row.step() else { return }
        if let digest = row.optionalText(1) {
            return try takeDigest(digest, attempts: row.int(0), connection)
        }
        // A damaged one is left to the search, which gives it up.
        guard let event = OutboxSearch.event(row, from: 2) else { return }
        due.deliveries.append(
            PendingDelivery(id: id, receiver: receiver, event: event, attempts: row.int(0)))
    }

    private mutating func takeDigest(
        _ id: String, attempts: Int, _ connection: borrowing Connection
    ) throws(StoreError) {
        var parts: [PendingDelivery.Part] = []
        var row = try connection.cached(
            """
            SELECT delivery.id, number, type, timestamp_ms, event.subject, json, checksum
            FROM delivery INDEXED BY delivery_digest JOIN event ON number = event_number
            WHERE digest = ? AND state = 'pending' ORDER BY event_number
            """)
        try row.bind(id)
        while try row.step() {
            guard let event = OutboxSearch.event(row, from: 1) else {
                damaged.append(row.text(0))
                continue
            }
            parts.append(PendingDelivery.Part(delivery: row.text(0), event: event))
        }
        guard !parts.isEmpty else { return }
        due.deliveries.append(
            PendingDelivery(id: id, receiver: receiver, digest: parts, attempts: attempts))
    }

    /// Gathers the pending deliveries of a subject, in order.
    private mutating func gather(
        _ subject: String, upTo limit: Int, _ connection: borrowing Connection
    ) throws(StoreError) {
        var row = try connection.cached(
            """
            SELECT id, attempts > 0 OR digest IS NOT NULL
            FROM delivery INDEXED BY delivery_pending
            WHERE receiver = ? AND subject = ? AND state = 'pending' ORDER BY event_number
            """)
        try row.bind(receiver)
        try row.bind(subject)
        // One that was attempted, by itself or in a digest, keeps its ID, and those behind it wait for it.
        while gathered.count < limit, try row.step(), !row.bool(1) {
            gathered.append(row.text(0))
        }
    }

    private mutating func noteWaiting() {
        guard let digest, let gatheredSince, !isDigestRipe else { return }
        let ripeAt = gatheredSince.advanced(by: digest.window)
        due.nextDueAt = due.nextDueAt.map { min($0, ripeAt) } ?? ripeAt
    }

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

extension Connection {
    /// Binds deliveries together for good, under a `webhook-id` of their own.
    fileprivate func bindDigest(_ ids: [String], now: Timestamp) throws(StoreError) {
        var generator = SystemRandomNumberGenerator()
        let digest = DeliveryID.make(at: now, using: &generator)
        var statement = try cached("UPDATE delivery SET digest = ? WHERE id = ?")
        for id in ids {
            try statement.bind(digest)
            try statement.bind(id)
            try statement.run()
        }
    }
}
