package import RunwatchCore

extension Store {
    /// Deletes a small step of what retention no longer keeps.
    ///
    /// That is: events older than the moment of which no delivery is pending, with their deliveries and
    /// attempts; and watches that ended before it and that no file lists, with their history. Of a
    /// discovered run it stays noted that it was met. What a file lists keeps its row and its history.
    /// - Parameter limit: Events, and watches, looked at in this step; a few hundred take milliseconds.
    /// - Returns: `true` when there may be more to delete: call again, after a pause. After `false` the
    ///   next call begins a new round.
    package func prune(before moment: Timestamp, limit: Int) async throws(StoreError) -> Bool {
        let limit = max(1, limit)
        let after = pruned ?? (timestamp: .min, number: 0)
        let (last, watches) = try transaction {
            () throws(StoreError) -> ((timestamp: Int64, number: Int64)?, [PrunedWatch]) in
            let last = try connection.pruneEvents(after: after, before: moment, limit: limit)
            return (last, try connection.pruneWatches(before: moment, limit: limit))
        }
        // Events that have to stay are passed over in this round, and looked at again in the next.
        pruned = last
        tell(watches)
        let hasMore = last != nil || watches.count == limit
        if !hasMore { pruned = nil }
        checkpointIfWorthIt()
        return hasMore
    }
}

extension Connection {
    /// - Returns: The last event looked at; `nil` when there are no further ones.
    fileprivate func pruneEvents(
        after: (timestamp: Int64, number: Int64), before moment: Timestamp, limit: Int
    ) throws(StoreError) -> (timestamp: Int64, number: Int64)? {
        var last: (timestamp: Int64, number: Int64)?
        var count = 0
        var numbers: [Int64] = []
        do {
            var event = try cached(
                """
                SELECT timestamp_ms, number, EXISTS (
                    SELECT 1 FROM delivery
                    WHERE event_number = number AND delivery.state = 'pending')
                FROM event
                WHERE (timestamp_ms, number) > (?, ?) AND timestamp_ms < ?
                ORDER BY timestamp_ms, number LIMIT ?
                """)
            try event.bind(after.timestamp)
            try event.bind(after.number)
            try event.bind(moment)
            try event.bind(limit)
            while try event.step() {
                last = (event.int64(0), event.int64(1))
                count += 1
                if !event.bool(2) { numbers.append(event.int64(1)) }
            }
        }
        for number in numbers { try deleteEvent(number) }
        return count == limit ? last : nil
    }

    private func deleteEvent(_ number: Int64) throws(StoreError) {
        var attempts = try cached(
            """
            DELETE FROM attempt
            WHERE delivery_id IN (SELECT id FROM delivery WHERE event_number = ?)
            """)
        try attempts.bind(number)
        try attempts.run()
        var deliveries = try cached("DELETE FROM delivery WHERE event_number = ?")
        try deliveries.bind(number)
        try deliveries.run()
        var event = try cached("DELETE FROM event WHERE number = ?")
        try event.bind(number)
        try event.run()
    }

    /// - Returns: Those that were deleted.
    fileprivate func pruneWatches(
        before moment: Timestamp, limit: Int
    ) throws(StoreError) -> [PrunedWatch] {
        var found: [(watch: PrunedWatch, discovery: String?)] = []
        do {
            var watch = try cached(
                """
                SELECT id, service, run, discovery FROM watch INDEXED BY watch_to_retire
                WHERE (is_listed = 0 OR (source <> 'file' AND finished_at_ms IS NOT NULL))
                    AND coalesce(finished_at_ms, unlisted_at_ms) < ?
                ORDER BY coalesce(finished_at_ms, unlisted_at_ms) LIMIT ?
                """)
            try watch.bind(moment)
            try watch.bind(limit)
            while try watch.step() {
                let name = WatchName(service: watch.text(1), run: watch.text(2))
                let id = WatchID(rowID: watch.int64(0))
                found.append((PrunedWatch(id: id, name: name), watch.optionalText(3)))
            }
        }
        for (watch, discovery) in found {
            if let discovery { try noteMet([watch.name.run], by: discovery) }
            var history = try cached("DELETE FROM transition WHERE watch_id = ?")
            try history.bind(watch.id)
            try history.run()
            var row = try cached("DELETE FROM watch WHERE id = ?")
            try row.bind(watch.id)
            try row.run()
        }
        return found.map(\.watch)
    }
}
