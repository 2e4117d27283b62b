package import RunwatchCore

extension StoreReader {
    /// What each receiver is owed; sorted by receiver, those with nothing pending or failed left out.
    ///
    /// Goes through all that is pending or has failed; `Store.counts` has the numbers at once.
    package func backlog()
        throws(StoreError) -> [(
            receiver: String, pending: Int, failed: Int, oldestPending: Timestamp?
        )]
    {
        try connection.execute("BEGIN")
        defer { connection.rollBack() }
        var found: [String: (pending: Int, failed: Int)] = [:]
        var pending = try connection.cached(
            """
            SELECT receiver, count(*)
            FROM delivery INDEXED BY delivery_oldest WHERE state = 'pending' GROUP BY receiver
            """)
        while try pending.step() { found[pending.text(0)] = (pending.int(1), 0) }
        var failed = try connection.cached(
            """
            SELECT receiver, count(*)
            FROM delivery INDEXED BY delivery_failed WHERE state = 'failed' GROUP BY receiver
            """)
        while try failed.step() {
            found[failed.text(0), default: (0, 0)].failed = failed.int(1)
        }
        let oldest = try oldestPending(of: found.keys.sorted())
        return found.sorted { $0.key < $1.key }.map {
            ($0.key, $0.value.pending, $0.value.failed, oldest[$0.key])
        }
    }

    /// When the oldest pending delivery of each receiver was recorded; a look into an index each.
    ///
    /// - Returns: Without those to which nothing is pending.
    package func oldestPending(
        of receivers: [String]
    ) throws(StoreError) -> [String: Timestamp] {
        var found: [String: Timestamp] = [:]
        for receiver in receivers {
            var row = try connection.cached(
                """
                SELECT created_at_ms FROM delivery INDEXED BY delivery_oldest
                WHERE receiver = ? AND state = 'pending' ORDER BY event_number LIMIT 1
                """)
            try row.bind(receiver)
            if try row.step() { found[receiver] = row.timestamp(0) }
        }
        return found
    }
}
