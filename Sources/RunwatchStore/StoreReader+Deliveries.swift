import RunwatchCore

extension StoreReader {
    /// Deliveries with their attempts, in the order of their places, which is that of the events.
    ///
    /// - Parameter after: The place of the last one of the page before; `nil` for the first page.
    package func deliveries(
        _ filter: DeliveryFilter, after: DeliveryPlace? = nil, isNewestFirst: Bool = false,
        limit: Int
    ) throws(StoreError) -> [DeliveryRow] {
        // One state of the record for the search, the rows and their attempts.
        try connection.execute("BEGIN")
        defer { connection.rollBack() }
        let search = DeliverySearch(
            filter, after: after, isNewestFirst: isNewestFirst, limit: max(0, limit))
        var rows: [DeliveryRow] = []
        for id in try search.run(on: connection) {
            if let row = try row(id) { rows.append(row) }
        }
        return rows
    }

    /// The delivery of that ID, with its attempts; `nil` when there is none.
    package func delivery(_ id: String) throws(StoreError) -> DeliveryRow? {
        try connection.execute("BEGIN")
        defer { connection.rollBack() }
        return try row(id)
    }

    /// The oldest delivery of a digest, with its attempts; `nil` when there is no such digest.
    package func firstDelivery(ofDigest digest: String) throws(StoreError) -> DeliveryRow? {
        try connection.execute("BEGIN")
        defer { connection.rollBack() }
        var first: String?
        do {
            var found = try connection.cached(
                """
                SELECT id FROM delivery INDEXED BY delivery_digest
                WHERE digest = ? ORDER BY event_number LIMIT 1
                """)
            try found.bind(digest)
            if try found.step() { first = found.text(0) }
        }
        guard let first else { return nil }
        return try row(first)
    }

    // MARK: Rows

    private func row(_ id: String) throws(StoreError) -> DeliveryRow? {
        var row = try connection.cached(
            """
            SELECT receiver, number, type, delivery.subject, delivery.state, attempts, due_at_ms,
                created_at_ms, finished_at_ms, digest
            FROM delivery CROSS JOIN event ON number = event_number WHERE id = ?
            """)
        try row.bind(id)
        guard try row.step(), let type = EventType(name: row.text(2)),
            let state = DeliveryState(rawValue: row.text(4))
        else { return nil }
        return DeliveryRow(
            id: id, receiver: row.text(0), eventNumber: row.int64(1), type: type,
            subject: row.text(3), state: state, attempts: row.int(5),
            dueAt: row.optionalTimestamp(6), createdAt: row.timestamp(7),
            finishedAt: row.optionalTimestamp(8), digest: row.optionalText(9),
            history: try attempts(at: id))
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
}
