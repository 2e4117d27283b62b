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
    /// - Parameter excluding: IDs of deliveries that are being attempted; at most a few hundred.
    package func dueDeliveries(
        for receiver: String, now: Timestamp, limit: Int, excluding: Set<String>
    ) async throws(StoreError) -> DueDeliveries {
        try settle(phases: false)
        while true {
            var damaged: [String] = []
            let due = try read(
                receiver, now: now, limit: limit, excluding: excluding, damaged: &damaged)
            guard !damaged.isEmpty else { return due }
            // Given up, so that what waits behind them moves up; then another look.
            for id in damaged { try giveUpDamaged(id, of: receiver, at: now) }
        }
    }

    private func read(
        _ receiver: String, now: Timestamp, limit: Int, excluding: Set<String>,
        damaged: inout [String]
    ) throws(StoreError) -> DueDeliveries {
        var due = DueDeliveries()
        var statement = try connection.cached(
            """
            SELECT delivery.id, due_at_ms, attempts, number, type, timestamp_ms, event.subject, json,
                checksum
            FROM delivery INDEXED BY delivery_due JOIN event ON number = event_number
            WHERE receiver = ? AND state = 'pending' AND due_at_ms IS NOT NULL
            ORDER BY due_at_ms, event_number
            """)
        try statement.bind(receiver)
        while try statement.step() {
            let id = statement.text(0)
            if excluding.contains(id) { continue }
            let dueAt = statement.timestamp(1)
            guard dueAt <= now, due.deliveries.count < limit else {
                due.nextDueAt = dueAt
                break
            }
            let json = statement.bytes(7)
            guard Checksum.of(json) == statement.int64(8),
                let type = EventType(name: statement.text(4))
            else {
                damaged.append(id)
                continue
            }
            let event = RecordedEvent(
                number: statement.int64(3), type: type, timestamp: statement.timestamp(5),
                subject: statement.text(6), json: json)
            due.deliveries.append(
                PendingDelivery(
                    id: id, receiver: receiver, event: event, attempts: statement.int(2)))
        }
        return due
    }

    private func giveUpDamaged(
        _ id: String, of receiver: String, at now: Timestamp
    ) throws(StoreError) {
        let words = "the event's body in the database is damaged (its checksum does not match)"
        var committed = Committed()
        try transaction { () throws(StoreError) in
            try connection.write(
                AttemptChange(
                    delivery: id, at: now, outcome: .failed(nil), status: nil, duration: .zero,
                    message: words),
                now: now, into: &committed)
        }
        notify("delivery \(id) to receiver '\(receiver)' is given up: \(words); look at the disk")
    }

    /// Makes a delivery pending again and due now; its attempts stay.
    ///
    /// - Throws: `notFound` when there is no such delivery.
    package func redeliver(id: String) async throws(StoreError) {
        try settle(phases: false)
        let now = time.wallClock()
        let receiver = try transaction { () throws(StoreError) in
            try connection.makePending(id, now: now)
        }
        guard let receiver else {
            throw StoreError(.notFound, "there is no delivery '\(id)'; `deliveries` lists them")
        }
        var committed = Committed()
        committed.receivers = [receiver]
        tell(committed)
    }
}

extension Connection {
    /// - Returns: The delivery's receiver; `nil` when there is no such delivery.
    fileprivate func makePending(_ id: String, now: Timestamp) throws(StoreError) -> String? {
        var change = try cached(
            """
            UPDATE delivery SET state = 'pending', finished_at_ms = NULL, due_at_ms = ?2
            WHERE id = ?1 RETURNING receiver, subject
            """)
        try change.bind(id)
        try change.bind(now)
        guard try change.step() else { return nil }
        let (receiver, subject) = (change.text(0), change.text(1))
        change.reset()
        // It may stand before others of its subject now, or behind them: only the first has a time.
        var order = try cached(
            """
            UPDATE delivery SET due_at_ms = NULL
            WHERE receiver = ?1 AND subject = ?2 AND state = 'pending' AND due_at_ms IS NOT NULL
                AND event_number > (
                    SELECT min(event_number) FROM delivery
                    WHERE receiver = ?1 AND subject = ?2 AND state = 'pending')
            """)
        try order.bind(receiver)
        try order.bind(subject)
        try order.run()
        return receiver
    }
}
