import RunwatchCore

/// Deliveries that are made one after the other: those of one subject to one receiver.
struct OutboxLine: Hashable {
    var receiver: String
    var subject: String
}

/// The outbox: attempts and what becomes of deliveries.
extension Connection {
    /// Attempts kept of each delivery.
    static let attemptsKept = 50

    /// Writes an attempt; the caller has begun a transaction.
    func write(
        _ change: AttemptChange, now: Timestamp, into committed: inout Committed
    ) throws(StoreError) {
        var freed: Set<OutboxLine> = []
        for id in change.deliveries {
            if let line = try write(change, to: id, now: now) { freed.insert(line) }
        }
        if case .failed(let event?) = change.outcome, !freed.isEmpty {
            try record(event, now: now, into: &committed)
        }
        // After all of a digest have ended, or one of them would be moved up.
        for line in freed where try moveUp(receiver: line.receiver, subject: line.subject) {
            committed.receivers.insert(line.receiver)
        }
    }

    /// - Returns: The line that it was the first of, when it has left it.
    private func write(
        _ change: AttemptChange, to id: String, now: Timestamp
    ) throws(StoreError) -> OutboxLine? {
        // Gone: retention or a person deleted it, and there is nothing left to write to.
        guard let delivery = try delivery(id) else { return nil }
        let number = delivery.attempts + 1
        var change = change
        // Redelivered while it was under way: neither an end nor a wait of the schedule before counts.
        let isOutdated =
            delivery.isPending && change.outcome != .delivered
            && delivery.schedule > change.schedule ?? .max
        if isOutdated { change.outcome = .retry(at: now) }
        try add(change, to: id, number: number)
        guard delivery.isPending else {
            // A second attempt at what was given up: that it arrived counts, and a second failure is
            // no news.
            if change.outcome == .delivered {
                try set(id, "delivered", attempts: number, finishedAt: change.at)
            }
            return nil
        }
        switch change.outcome {
        case .retry(let moment):
            try retry(id, at: moment, attempts: number, beginsAnew: isOutdated)
            return nil
        case .delivered:
            try set(id, "delivered", attempts: number, finishedAt: change.at)
        case .failed:
            try set(id, "failed", attempts: number, finishedAt: change.at)
        }
        return delivery.line
    }

    /// Gives the next pending delivery of a subject its due time.
    /// - Returns: Whether there was one to move up.
    func moveUp(receiver: String, subject: String) throws(StoreError) -> Bool {
        var statement = try cached(
            """
            UPDATE delivery SET due_at_ms = created_at_ms
            WHERE due_at_ms IS NULL AND id = (
                SELECT id FROM delivery
                WHERE receiver = ? AND subject = ? AND state = 'pending'
                ORDER BY event_number LIMIT 1)
            """)
        try statement.bind(receiver)
        try statement.bind(subject)
        try statement.run()
        return changes > 0
    }

    // MARK: Rows

    private func delivery(
        _ id: String
    ) throws(StoreError) -> (line: OutboxLine, isPending: Bool, attempts: Int, schedule: Int)? {
        var statement = try cached(
            """
            SELECT receiver, subject, state = 'pending', attempts, schedule_from
            FROM delivery WHERE id = ?
            """)
        try statement.bind(id)
        guard try statement.step() else { return nil }
        let line = OutboxLine(receiver: statement.text(0), subject: statement.text(1))
        return (line, statement.bool(2), statement.int(3), statement.int(4))
    }

    private func add(
        _ change: AttemptChange, to id: String, number: Int
    ) throws(StoreError) {
        var statement = try cached(
            """
            INSERT INTO attempt (delivery_id, number, at_ms, outcome, status, duration_ms, message)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """)
        try statement.bind(id)
        try statement.bind(number)
        try statement.bind(change.at)
        try statement.bind(change.outcome.word)
        try statement.bind(change.status)
        try statement.bind(change.duration.wholeMilliseconds)
        try statement.bind(change.message)
        try statement.run()
        guard number > Connection.attemptsKept else { return }
        var deletion = try cached("DELETE FROM attempt WHERE delivery_id = ? AND number <= ?")
        try deletion.bind(id)
        try deletion.bind(number - Connection.attemptsKept)
        try deletion.run()
    }

    /// - Parameter beginsAnew: The attempt does not count for the present schedule.
    private func retry(
        _ id: String, at moment: Timestamp, attempts: Int, beginsAnew: Bool
    ) throws(StoreError) {
        // One that waits behind another (a redelivered one came before it) goes on waiting.
        var statement = try cached(
            """
            UPDATE delivery SET attempts = ?1, schedule_from = iif(?2, ?1, schedule_from),
                due_at_ms = iif(due_at_ms IS NULL, NULL, ?3)
            WHERE id = ?4
            """)
        try statement.bind(attempts)
        try statement.bind(beginsAnew)
        try statement.bind(moment)
        try statement.bind(id)
        try statement.run()
    }

    private func set(
        _ id: String, _ state: String, attempts: Int, finishedAt: Timestamp
    ) throws(StoreError) {
        var statement = try cached(
            """
            UPDATE delivery SET state = ?, attempts = ?, finished_at_ms = ?, due_at_ms = NULL
            WHERE id = ?
            """)
        try statement.bind(state)
        try statement.bind(attempts)
        try statement.bind(finishedAt)
        try statement.bind(id)
        try statement.run()
    }
}

extension AttemptChange.Outcome {
    /// As the table has it.
    var word: String {
        switch self {
        case .delivered: "delivered"
        case .retry: "retry"
        case .failed: "failed"
        }
    }
}
