import RunwatchCore

/// What a redelivery made pending again.
package struct Redelivery: Sendable, Equatable {
    package var receiver: String
    /// What is sent: the delivery's ID, or that of the digest it belongs to.
    package var message: String
}

extension Store {
    /// Deliveries made pending again in one transaction.
    private static let redeliveriesPerCommit = 500

    /// Makes a delivery pending again and due now, with a fresh schedule; its attempts stay.
    ///
    /// One of a digest brings the whole digest back: the receiver knows it by that ID.
    /// - Parameter id: Of a delivery, or of a digest.
    /// - Throws: `notFound` when there is no such delivery.
    @discardableResult
    package func redeliver(id: String) async throws(StoreError) -> Redelivery {
        try settle(phases: false)
        let now = time.wallClock()
        let redelivery = try transaction { () throws(StoreError) in
            try connection.redeliver(id, now: now)
        }
        guard let redelivery else {
            throw StoreError(.notFound, "there is no delivery '\(id)'; `deliveries` lists them")
        }
        tell(receiver: redelivery.receiver)
        return redelivery
    }

    /// Makes every failed delivery pending again, the oldest first.
    ///
    /// - Parameter receiver: Only this one's; `nil` for all receivers'.
    /// - Returns: How many deliveries; those that fail meanwhile are not taken again.
    package func redeliverFailed(receiver: String?) async throws(StoreError) -> Int {
        try settle(phases: false)
        let last = try connection.number("SELECT max(number) FROM event") ?? 0
        let receivers =
            if let receiver { [receiver] } else { try connection.receiversWithFailures() }
        var count = 0
        for receiver in receivers {
            var after: Int64? = 0
            while let number = after {
                let now = time.wallClock()
                let step = try transaction { () throws(StoreError) in
                    try connection.redeliverFailed(
                        of: receiver, after: number, upTo: last,
                        limit: Store.redeliveriesPerCommit, now: now)
                }
                count += step.count
                after = step.next
                if step.count > 0 { tell(receiver: receiver) }
                // Others may write in between.
                await Task.yield()
            }
        }
        return count
    }

    private func tell(receiver: String) {
        var committed = Committed()
        committed.receivers = [receiver]
        tell(committed)
    }
}

extension Connection {
    fileprivate struct RedeliveryStep {
        var count = 0
        /// The event after which to go on; `nil` at the end.
        var next: Int64?
    }

    /// - Returns: `nil` when there is no such delivery.
    fileprivate func redeliver(_ id: String, now: Timestamp) throws(StoreError) -> Redelivery? {
        var deliveries = try members(of: id)
        var message = id
        if deliveries.isEmpty {
            guard let digest = try digest(of: id) else { return nil }
            message = digest.isEmpty ? id : digest
            deliveries = digest.isEmpty ? [id] : try members(of: digest)
        }
        var lines: Set<OutboxLine> = []
        for delivery in deliveries {
            if let line = try makePending(delivery, ifFailed: false, now: now) {
                lines.insert(line)
            }
        }
        for line in lines { try putInOrder(line) }
        return lines.first.map { Redelivery(receiver: $0.receiver, message: message) }
    }

    fileprivate func receiversWithFailures() throws(StoreError) -> [String] {
        var row = try cached(
            """
            SELECT DISTINCT receiver FROM delivery INDEXED BY delivery_failed
            WHERE state = 'failed'
            """)
        var receivers: [String] = []
        while try row.step() { receivers.append(row.text(0)) }
        return receivers
    }

    fileprivate func redeliverFailed(
        of receiver: String, after: Int64, upTo last: Int64, limit: Int, now: Timestamp
    ) throws(StoreError) -> RedeliveryStep {
        var step = RedeliveryStep()
        var found: [(id: String, digest: String?)] = []
        do {
            var row = try cached(
                """
                SELECT id, digest, event_number FROM delivery INDEXED BY delivery_failed
                WHERE state = 'failed' AND receiver = ? AND event_number > ? AND event_number <= ?
                ORDER BY event_number LIMIT ?
                """)
            try row.bind(receiver)
            try row.bind(after)
            try row.bind(last)
            try row.bind(limit)
            while try row.step() {
                found.append((row.text(0), row.optionalText(1)))
                step.next = row.int64(2)
            }
        }
        var lines: Set<OutboxLine> = []
        for (id, digest) in found {
            let deliveries = if let digest { try members(of: digest) } else { [id] }
            for delivery in deliveries {
                let line = try makePending(delivery, ifFailed: true, now: now)
                guard let line else { continue }
                lines.insert(line)
                step.count += 1
            }
        }
        for line in lines { try putInOrder(line) }
        if found.count < limit { step.next = nil }
        return step
    }

    // MARK: Rows

    /// The deliveries of a digest; empty when there is none of that ID.
    private func members(of digest: String) throws(StoreError) -> [String] {
        var row = try cached(
            "SELECT id FROM delivery INDEXED BY delivery_digest WHERE digest = ? ORDER BY event_number"
        )
        try row.bind(digest)
        var ids: [String] = []
        while try row.step() { ids.append(row.text(0)) }
        return ids
    }

    /// - Returns: Empty for a delivery without one; `nil` when there is no such delivery.
    private func digest(of id: String) throws(StoreError) -> String? {
        var row = try cached("SELECT coalesce(digest, '') FROM delivery WHERE id = ?")
        try row.bind(id)
        return try row.step() ? row.text(0) : nil
    }

    /// - Returns: The line that it stands in now; `nil` when there is no such delivery, or it has not failed.
    private func makePending(
        _ id: String, ifFailed: Bool, now: Timestamp
    ) throws(StoreError) -> OutboxLine? {
        var change = try cached(
            """
            UPDATE delivery SET state = 'pending', finished_at_ms = NULL, due_at_ms = ?2,
                schedule_from = attempts
            WHERE id = ?1 AND (state = 'failed' OR NOT ?3) RETURNING receiver, subject
            """)
        try change.bind(id)
        try change.bind(now)
        try change.bind(ifFailed)
        guard try change.step() else { return nil }
        return OutboxLine(receiver: change.text(0), subject: change.text(1))
    }

    /// Only the first of a line has a time: one that came back may stand before the others now, or behind.
    private func putInOrder(_ line: OutboxLine) throws(StoreError) {
        var order = try cached(
            """
            UPDATE delivery SET due_at_ms = NULL
            WHERE receiver = ?1 AND subject = ?2 AND state = 'pending' AND due_at_ms IS NOT NULL
                AND event_number > (
                    SELECT min(event_number) FROM delivery
                    WHERE receiver = ?1 AND subject = ?2 AND state = 'pending')
            """)
        try order.bind(line.receiver)
        try order.bind(line.subject)
        try order.run()
    }
}
