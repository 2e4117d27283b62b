import RunwatchCore

/// Writes changes; the caller has begun a transaction, and ends it.
extension Connection {
    /// - Parameters:
    ///   - now: The wall clock, for deliveries' IDs and their first due time.
    ///   - committed: Gets what the change records, to be told after the commit.
    func write(
        _ change: Change, now: Timestamp, into committed: inout Committed
    ) throws(StoreError) {
        switch change {
        case .transition(let transition):
            try write(transition, now: now, into: &committed)
        case .progress(let progress):
            try write(progress)
        case .event(let event, let stalled):
            if let stalled {
                var statement = try cached("UPDATE watch SET is_stalled = 1 WHERE id = ?")
                try statement.bind(stalled)
                try statement.run()
            }
            try record(event, now: now, into: &committed)
        case .phases(let phases):
            try write(phases[...])
        case .attempt(let attempt):
            try write(attempt, now: now, into: &committed)
        case .removal(let removal):
            try write(removal, now: now, into: &committed)
        }
    }

    // MARK: Watches

    private func write(
        _ change: TransitionChange, now: Timestamp, into committed: inout Committed
    ) throws(StoreError) {
        guard try addToHistory(change) else { return }
        var statement = try cached(
            """
            UPDATE watch SET state = ?, previous_state = ?, sequence = ?, observed_at_ms = ?,
                not_before_ms = ?, changed_at_ms = ?, message = ?, detail = ?, polls = ?,
                finished_at_ms = ?, progress_done = ?, progress_total = ?, first_poll_at_ms = ?,
                first_answer_at_ms = ?, last_poll_at_ms = ?, last_seen_at_ms = ?,
                next_poll_at_ms = ?, step = ?, is_stalled = 0
            WHERE id = ?
            """)
        try statement.bind(change.state.name)
        try statement.bind(change.previousState.name)
        try statement.bind(change.sequence)
        try statement.bind(change.observedAt)
        try statement.bind(change.notBefore)
        try statement.bind(change.observedAt)
        try statement.bind(change.message)
        try statement.bind(detail: change.detail)
        try statement.bind(change.polls)
        try statement.bind(change.state.isFinal ? change.observedAt : nil)
        try statement.bind(change.progress)
        try statement.bind(change.phase)
        try statement.bind(change.id)
        try statement.run()
        for event in change.events { try record(event, now: now, into: &committed) }
    }

    /// - Returns: `false` when the history has that (watch, sequence) already.
    private func addToHistory(_ change: TransitionChange) throws(StoreError) -> Bool {
        var statement = try cached(
            """
            INSERT INTO transition (watch_id, sequence, state, previous_state, observed_at_ms,
                not_before_ms, message, detail, polls)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (watch_id, sequence) DO NOTHING
            """)
        try statement.bind(change.id)
        try statement.bind(change.sequence)
        try statement.bind(change.state.name)
        try statement.bind(change.previousState.name)
        try statement.bind(change.observedAt)
        try statement.bind(change.notBefore)
        try statement.bind(change.message)
        try statement.bind(detail: change.detail)
        try statement.bind(change.polls)
        try statement.run()
        return changes > 0
    }

    private func write(_ change: ProgressChange) throws(StoreError) {
        var statement = try cached(
            """
            UPDATE watch SET changed_at_ms = ?, message = ?, detail = ?, progress_done = ?,
                progress_total = ?, is_stalled = 0
            WHERE id = ?
            """)
        try statement.bind(change.changedAt)
        try statement.bind(change.message)
        try statement.bind(detail: change.detail)
        try statement.bind(change.progress)
        try statement.bind(change.id)
        try statement.run()
    }

    /// Writes counters and phases; a watch that is gone is passed over.
    func write(_ phases: ArraySlice<Inbox.Phase>) throws(StoreError) {
        guard !phases.isEmpty else { return }
        var statement = try cached(
            """
            UPDATE watch SET polls = ?, first_poll_at_ms = ?, first_answer_at_ms = ?,
                last_poll_at_ms = ?, last_seen_at_ms = ?, next_poll_at_ms = ?, step = ?
            WHERE id = ?
            """)
        for (id, polls, phase) in phases {
            try statement.bind(polls)
            try statement.bind(phase)
            try statement.bind(id)
            try statement.run()
        }
    }

    // MARK: Events

    /// Records an event and a delivery for each of its receivers.
    func record(
        _ event: NewEvent, now: Timestamp, into committed: inout Committed
    ) throws(StoreError) {
        var statement = try cached(
            "INSERT INTO event (type, timestamp_ms, subject, json, checksum) VALUES (?, ?, ?, ?, ?)"
        )
        try statement.bind(event.type.name)
        try statement.bind(event.timestamp)
        try statement.bind(event.subject)
        try statement.bind(text: event.json)
        try statement.bind(Checksum.of(event.json))
        try statement.run()
        let number = lastInsertedRow
        committed.events.append(
            RecordedEvent(
                number: number, type: event.type, timestamp: event.timestamp,
                subject: event.subject, json: event.json))
        for receiver in event.receivers {
            try owe(event, number: number, to: receiver, now: now)
            committed.receivers.insert(receiver)
        }
    }

    private func owe(
        _ event: NewEvent, number: Int64, to receiver: String, now: Timestamp
    ) throws(StoreError) {
        // A delivery behind another one of its subject has no due time yet: so the index of what is
        // due holds only what may be attempted, however many wait behind a receiver that is dead.
        var statement = try cached(
            """
            INSERT INTO delivery (id, event_number, receiver, subject, state, due_at_ms,
                created_at_ms)
            SELECT ?1, ?2, ?3, ?4, 'pending', CASE WHEN EXISTS (
                    SELECT 1 FROM delivery
                    WHERE receiver = ?3 AND subject = ?4 AND state = 'pending') THEN NULL ELSE ?5 END,
                ?5
            WHERE true
            ON CONFLICT (event_number, receiver) DO NOTHING
            """)
        var generator = SystemRandomNumberGenerator()
        try statement.bind(DeliveryID.make(at: now, using: &generator))
        try statement.bind(number)
        try statement.bind(receiver)
        try statement.bind(event.subject)
        // Due at once, also when the wall clock has been set back since the event.
        try statement.bind(min(event.timestamp, now))
        try statement.run()
    }
}
