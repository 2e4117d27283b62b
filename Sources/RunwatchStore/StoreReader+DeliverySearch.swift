import RunwatchCore

/// Finds a page of deliveries, each way by the index that fits what is asked for.
///
/// No index has the pending ones in the order of places, and one would cost every commit. They are
/// looked for along all deliveries first, which soon fills a page where many are pending; when it does
/// not, all that are pending are gone through. SQLite up to 3.40 looks each of those up in the table,
/// though the index has all that is asked for: 0.7 µs a delivery.
struct DeliverySearch {
    /// How many events the pending ones are looked for along, before all of them are gone through: 30 ms.
    static let longestWalk: Int64 = 100_000

    private struct Found {
        var place: DeliveryPlace
        var id: String
    }

    let filter: DeliveryFilter
    let after: DeliveryPlace
    let isNewestFirst: Bool
    let limit: Int
    let longestWalk: Int64

    init(
        _ filter: DeliveryFilter, after: DeliveryPlace?, isNewestFirst: Bool, limit: Int,
        longestWalk: Int64 = DeliverySearch.longestWalk
    ) {
        self.filter = filter
        self.isNewestFirst = isNewestFirst
        self.limit = limit
        self.longestWalk = longestWalk
        self.after =
            after ?? DeliveryPlace(eventNumber: isNewestFirst ? .max : .min, receiver: "")
    }

    /// - Returns: IDs in the order of their places, as many as asked for.
    func run(on connection: borrowing Connection) throws(StoreError) -> [String] {
        var found: [Found] = []
        if let subject = filter.subject {
            found = try select(about(subject), on: connection)
        } else if filter.states.isEmpty || filter.states.contains(.delivered) {
            found = try select(walk(filter.states, upTo: nil), on: connection)
        } else if !filter.states.contains(.pending) {
            found = try failed(connection)
        } else if let near = try near(connection) {
            found = near
        } else {
            found = try select(allPending, on: connection)
            if filter.states.contains(.failed) { found += try failed(connection) }
        }
        found.sort { isNewestFirst ? $0.place > $1.place : $0.place < $1.place }
        return found.prefix(limit).map(\.id)
    }

    // MARK: Ways

    /// Receiver by receiver, since that is the index's order.
    private func failed(_ connection: borrowing Connection) throws(StoreError) -> [Found] {
        var receivers = filter.receiver.map { [$0] } ?? []
        if filter.receiver == nil { receivers = try receiversWithFailures(connection) }
        var found: [Found] = []
        for receiver in receivers {
            found += try select(failed(of: receiver), on: connection)
        }
        return found
    }

    /// By leaps through the index: there may be a million failures, but few receivers.
    private func receiversWithFailures(
        _ connection: borrowing Connection
    ) throws(StoreError) -> [String] {
        var receivers: [String] = []
        while true {
            var next = try connection.cached(
                """
                SELECT min(receiver) FROM delivery INDEXED BY delivery_failed
                WHERE state = 'failed' AND receiver > ?
                """)
            try next.bind(receivers.last ?? "")
            guard try next.step(), let receiver = next.optionalText(0) else { return receivers }
            receivers.append(receiver)
        }
    }

    /// Those among the next few events; `nil` when they do not fill a page, and there are more events.
    private func near(_ connection: borrowing Connection) throws(StoreError) -> [Found]? {
        guard let ends = try ends(connection) else { return [] }
        // Numbers that retention has deleted are not worth a walk.
        let start = min(max(after.eventNumber, ends.lowerBound), ends.upperBound)
        let end = start + (isNewestFirst ? -longestWalk : longestWalk)
        let near = try select(walk(filter.states, upTo: end), on: connection)
        return near.count >= limit || !ends.contains(end) ? near : nil
    }

    /// The first and the last event that has deliveries.
    private func ends(
        _ connection: borrowing Connection
    ) throws(StoreError) -> ClosedRange<Int64>? {
        var first = try connection.cached(
            """
            SELECT event_number FROM delivery INDEXED BY sqlite_autoindex_delivery_2
            ORDER BY event_number LIMIT 1
            """)
        guard try first.step() else { return nil }
        var last = try connection.cached(
            """
            SELECT event_number FROM delivery INDEXED BY sqlite_autoindex_delivery_2
            ORDER BY event_number DESC LIMIT 1
            """)
        guard try last.step() else { return nil }
        return first.int64(0)...last.int64(0)
    }

    // MARK: Statements

    /// A query and what is bound to it besides the place, ?1 and ?2, and the limit, ?3.
    struct Query {
        var sql: String
        var texts: [String] = []
        var number: Int64?
    }

    func about(_ subject: String) -> Query {
        var query = Query(sql: "", texts: [subject])
        var conditions = ["event.subject = ?4", "(number, receiver) \(beyond) (?1, ?2)"]
        add(filter.states, to: &conditions)
        add(receiver: 5, to: &conditions, &query)
        query.sql = """
            SELECT number, receiver, id
            FROM event INDEXED BY event_by_subject
                CROSS JOIN delivery INDEXED BY sqlite_autoindex_delivery_2 ON event_number = number
            WHERE \(conditions.joined(separator: " AND ")) ORDER BY \(order("number")) LIMIT ?3
            """
        return query
    }

    /// Along all deliveries, up to and with the event `end`.
    func walk(_ states: Set<DeliveryState>, upTo end: Int64?) -> Query {
        var query = Query(sql: "", number: end)
        var conditions = ["(event_number, receiver) \(beyond) (?1, ?2)"]
        if end != nil { conditions.append("event_number \(isNewestFirst ? ">=" : "<=") ?4") }
        add(states, to: &conditions)
        add(receiver: end == nil ? 4 : 5, to: &conditions, &query)
        query.sql = """
            SELECT event_number, receiver, id FROM delivery INDEXED BY sqlite_autoindex_delivery_2
            WHERE \(conditions.joined(separator: " AND "))
            ORDER BY \(order("event_number")) LIMIT ?3
            """
        return query
    }

    var allPending: Query {
        var query = Query(sql: "")
        var conditions = ["state = 'pending'", "(event_number, receiver) \(beyond) (?1, ?2)"]
        add(receiver: 4, to: &conditions, &query)
        query.sql = """
            SELECT event_number, receiver, id FROM delivery INDEXED BY delivery_pending
            WHERE \(conditions.joined(separator: " AND "))
            ORDER BY \(order("event_number")) LIMIT ?3
            """
        return query
    }

    func failed(of receiver: String) -> Query {
        Query(
            sql: """
                SELECT event_number, receiver, id FROM delivery INDEXED BY delivery_failed
                WHERE state = 'failed' AND receiver = ?4
                    AND (event_number, receiver) \(beyond) (?1, ?2)
                ORDER BY event_number \(isNewestFirst ? "DESC" : "ASC") LIMIT ?3
                """, texts: [receiver])
    }

    // MARK: Parts of statements

    private var beyond: String { isNewestFirst ? "<" : ">" }

    private func order(_ number: String) -> String {
        isNewestFirst ? "\(number) DESC, receiver DESC" : "\(number), receiver"
    }

    private func add(_ states: Set<DeliveryState>, to conditions: inout [String]) {
        guard !states.isEmpty, states.count < DeliveryState.allCases.count else { return }
        let words = states.map { "'\($0.rawValue)'" }.sorted()
        conditions.append("delivery.state IN (\(words.joined(separator: ", ")))")
    }

    private func add(
        receiver place: Int, to conditions: inout [String], _ query: inout Query
    ) {
        guard let receiver = filter.receiver else { return }
        conditions.append("receiver = ?\(place)")
        query.texts.append(receiver)
    }

    private func select(
        _ query: Query, on connection: borrowing Connection
    ) throws(StoreError) -> [Found] {
        var row = try connection.statement(query.sql)
        try row.bind(after.eventNumber)
        try row.bind(after.receiver)
        try row.bind(limit)
        if let number = query.number { try row.bind(number) }
        for text in query.texts { try row.bind(text) }
        var found: [Found] = []
        while try row.step() {
            let place = DeliveryPlace(eventNumber: row.int64(0), receiver: row.text(1))
            found.append(Found(place: place, id: row.text(2)))
        }
        return found
    }
}
