package import RunwatchCore

/// What a receiver is owed and may be attempted now.
package struct DueDeliveries: Sendable {
    /// The longest due first.
    package var deliveries: [PendingDelivery] = []
    /// How many events they bring.
    package var events: Int { deliveries.reduce(0) { $0 + $1.parts.count } }
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
    /// - Parameters:
    ///   - limit: Events at most; only the last digest may go beyond it, for it is never split.
    ///   - excluding: IDs of what is being attempted; at most a few hundred.
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
            let ripe = search.ripe
            guard !ripe.isEmpty else { return search.due }
            let now = time.wallClock()
            try transaction { () throws(StoreError) in
                for ids in ripe { try connection.bindDigest(ids, now: now) }
            }
        }
    }

    /// A message that is pending and the next of its line; `nil` when it is not, or not any more.
    ///
    /// With `digest`, one that was never attempted becomes a digest by itself first: were it sent under
    /// its own ID, a search could gather it meanwhile, and it would be sent under another one too.
    /// - Parameter id: Of a delivery that has a message of its own, or of a digest.
    package func pendingDelivery(
        _ id: String, of receiver: String, digest: DigestSettings? = nil
    ) async throws(StoreError) -> PendingDelivery? {
        try settle(phases: false)
        if digest != nil, try connection.isUntold(id) {
            let now = time.wallClock()
            try transaction { () throws(StoreError) in
                try connection.bindDigest([id], now: now)
            }
        }
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

    /// Whether a delivery may be attempted, never was, and stands in no digest.
    fileprivate func isUntold(_ id: String) throws(StoreError) -> Bool {
        var row = try cached(
            """
            SELECT 1 FROM delivery
            WHERE id = ? AND state = 'pending' AND due_at_ms IS NOT NULL AND attempts = 0
                AND digest IS NULL
            """)
        try row.bind(id)
        return try row.step()
    }
}
