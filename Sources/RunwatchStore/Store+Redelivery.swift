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

    /// Makes every failed delivery of a receiver pending again, the oldest first.
    ///
    /// - Returns: How many deliveries; those that fail meanwhile are not taken again.
    package func redeliverFailed(receiver: String) async throws(StoreError) -> Int {
        try settle(phases: false)
        let last = try connection.number("SELECT max(number) FROM event") ?? 0
        var count = 0
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
        var receiver: String?
        var heads: [OutboxLine: String?] = [:]
        for delivery in deliveries {
            receiver = try makePending(delivery, ifFailed: false, heads: &heads)?.receiver
        }
        try putInOrder(heads, now: now)
        return receiver.map { Redelivery(receiver: $0, message: message) }
    }

    fileprivate func redeliverFailed(
        of receiver: String, after: Int64, upTo last: Int64, limit: Int, now: Timestamp
    ) throws(StoreError) -> RedeliveryStep {
        var step = RedeliveryStep()
        var found: [(id: String, digest: String?, number: Int64)] = []
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
                found.append((row.text(0), row.optionalText(1), row.int64(2)))
            }
        }
        var heads: [OutboxLine: String?] = [:]
        var digests: Set<String> = []
        for (id, digest, number) in found {
            // A digest is one message and comes back whole, so a step may take more than its limit.
            guard step.count < limit else { break }
            step.next = number
            if let digest, !digests.insert(digest).inserted { continue }
            let deliveries = if let digest { try members(of: digest) } else { [id] }
            for delivery in deliveries
            where try makePending(delivery, ifFailed: true, heads: &heads) != nil {
                step.count += 1
            }
        }
        try putInOrder(heads, now: now)
        if found.count < limit, step.next == found.last?.number { step.next = nil }
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

    /// Makes a delivery pending, without a time as yet: `putInOrder` gives it to the first of each line.
    ///
    /// - Parameter heads: Gets what was the first of its line before.
    /// - Returns: Its line; `nil` when there is no such delivery, or it has not failed.
    private func makePending(
        _ id: String, ifFailed: Bool, heads: inout [OutboxLine: String?]
    ) throws(StoreError) -> OutboxLine? {
        var delivery = try cached(
            "SELECT receiver, subject FROM delivery WHERE id = ?1 AND (state = 'failed' OR NOT ?2)")
        try delivery.bind(id)
        try delivery.bind(ifFailed)
        guard try delivery.step() else { return nil }
        let line = OutboxLine(receiver: delivery.text(0), subject: delivery.text(1))
        if heads[line] == nil { heads[line] = .some(try head(of: line)) }
        var change = try cached(
            """
            UPDATE delivery SET state = 'pending', finished_at_ms = NULL, due_at_ms = NULL,
                schedule_from = attempts
            WHERE id = ?
            """)
        try change.bind(id)
        try change.run()
        return line
    }

    /// Only the first of a line has a time: one that came back may stand before the others now, or behind.
    ///
    /// A line may be long, so nothing but its first is looked for.
    private func putInOrder(
        _ heads: [OutboxLine: String?], now: Timestamp
    ) throws(StoreError) {
        for (line, before) in heads {
            let head = try head(of: line)
            if let before, before != head { try set(nil, on: before) }
            if let head { try set(now, on: head) }
        }
    }

    /// Sets the due time of a delivery that has none, or takes it away.
    private func set(_ dueAt: Timestamp?, on id: String) throws(StoreError) {
        var change = try cached(
            """
            UPDATE delivery SET due_at_ms = ?1
            WHERE id = ?2 AND (due_at_ms IS NULL) <> (?1 IS NULL)
            """)
        try change.bind(dueAt)
        try change.bind(id)
        try change.run()
    }

    /// The first pending delivery of a line.
    private func head(of line: OutboxLine) throws(StoreError) -> String? {
        var row = try cached(
            """
            SELECT id FROM delivery INDEXED BY delivery_pending
            WHERE receiver = ? AND subject = ? AND state = 'pending'
            ORDER BY event_number LIMIT 1
            """)
        try row.bind(line.receiver)
        try row.bind(line.subject)
        return try row.step() ? row.text(0) : nil
    }
}
