package import RunwatchCore

/// Which events are wanted: those that meet every condition given.
package struct EventFilter: Sendable, Equatable {
    /// Empty for all.
    package var subjects: Set<String>
    /// Only events of this service and of its runs.
    package var service: String?
    /// Only events of this group and of its runs.
    package var group: String?
    /// Empty for all.
    package var types: Set<EventType>

    package init(
        subjects: Set<String> = [], service: String? = nil, group: String? = nil,
        types: Set<EventType> = []
    ) {
        self.subjects = subjects
        self.service = service
        self.group = group
        self.types = types
    }
}

/// A page of recorded events, and how far it looked.
package struct EventRows: Sendable, Equatable {
    /// In the order of their numbers.
    package var events: [RecordedEvent]
    /// No other event up to this number is wanted.
    package var through: Int64
    /// There is no event above `through`.
    package var isLast: Bool
}

extension StoreReader {
    /// How many numbers a search without subjects looks at, in a few milliseconds; then the next page goes on.
    private static let window: Int64 = 10_000

    /// Events that are wanted, in the order of their numbers; a page may be empty and not the last.
    ///
    /// - Parameters:
    ///   - number: The last one that is known; 0 for all.
    ///   - since: Only events of that moment and later.
    package func events(
        _ filter: EventFilter, after number: Int64, since: Timestamp?, limit: Int
    ) throws(StoreError) -> EventRows {
        // One view of the database for both questions: what is committed in between is for the next page.
        try connection.execute("BEGIN")
        defer { connection.rollBack() }
        let last = try lastEventNumber()
        var start = number
        if let since, start <= 0 {
            start = max(0, try firstEvent(since: since).map { $0 - 1 } ?? last)
        }
        guard start < last else { return EventRows(events: [], through: last, isLast: true) }
        let isIndexed = !filter.subjects.isEmpty || filter == EventFilter()
        let end = isIndexed ? last : min(last, start.addingSaturating(StoreReader.window))
        var events = try search(filter, start, end, since, limit + 1)
        guard events.count > limit else {
            return EventRows(events: events, through: end, isLast: end >= last)
        }
        events.removeLast()
        return EventRows(events: events, through: events.last?.number ?? start, isLast: false)
    }

    private func search(
        _ filter: EventFilter, _ start: Int64, _ end: Int64, _ since: Timestamp?, _ limit: Int
    ) throws(StoreError) -> [RecordedEvent] {
        let index = filter.subjects.isEmpty ? "NOT INDEXED" : "INDEXED BY event_by_subject"
        var row = try connection.statement(
            """
            SELECT number, type, timestamp_ms, subject, json FROM event \(index)
            WHERE \(filter.conditions.joined(separator: " AND ")) ORDER BY number LIMIT ?
            """)
        try row.bind(start)
        try row.bind(end)
        try row.bind(since?.milliseconds ?? .min)
        try row.bind(filter)
        try row.bind(max(0, limit))
        var events: [RecordedEvent] = []
        while try row.step() {
            guard let type = EventType(name: row.text(1)) else { continue }
            events.append(
                RecordedEvent(
                    number: row.int64(0), type: type, timestamp: row.timestamp(2),
                    subject: row.text(3), json: row.bytes(4)))
        }
        return events
    }
}

extension EventFilter {
    /// Of a `SELECT` from `event`; the first three are the numbers and the time.
    fileprivate var conditions: [String] {
        var conditions = ["number > ?", "number <= ?", "timestamp_ms >= ?"]
        if !subjects.isEmpty {
            let marks = repeatElement("?", count: subjects.count).joined(separator: ", ")
            conditions.append("subject IN (\(marks))")
        }
        if service != nil {
            // A service's name holds no slash, so the first one ends it.
            conditions.append(
                """
                (type IN ('service.down', 'service.up') AND subject = ?
                    OR type LIKE 'run.%' AND substr(subject, 1, instr(subject, '/') - 1) = ?)
                """)
        }
        if !types.isEmpty {
            let words = types.map { "'\($0.name)'" }.sorted()
            conditions.append("type IN (\(words.joined(separator: ", ")))")
        }
        if group != nil {
            // Last: it has to read the body. One that was damaged belongs to no group, and fails nothing.
            conditions.append(
                "CASE WHEN json_valid(json) THEN json_extract(json, '$.data.group') = ? END")
        }
        return conditions
    }
}

extension Statement {
    /// Binds the values of `EventFilter.conditions`, in their order.
    fileprivate mutating func bind(_ filter: EventFilter) throws(StoreError) {
        for subject in filter.subjects { try bind(subject) }
        if let service = filter.service {
            try bind(service)
            try bind(service)
        }
        if let group = filter.group { try bind(group) }
    }
}
