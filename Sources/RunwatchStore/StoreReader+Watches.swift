package import RunwatchCore

extension StoreReader {
    /// Listed watches, sorted by service and ID (byte by byte).
    ///
    /// What a page costs depends on its length, not on how many watches there are.
    /// - Parameter after: The last name of the page before; `nil` for the first page.
    package func watches(
        _ filter: WatchFilter, after: WatchName?, limit: Int
    ) throws(StoreError) -> [WatchRow] {
        guard filter.names.isEmpty else { return try named(filter, after: after, limit: limit) }
        let search = WatchSearch(filter, after: after, limit: max(0, limit))
        // Of no state, as active ones that are lost: SQLite finds no way along an index for an empty list.
        guard !search.states.isEmpty else { return [] }
        // One state of the record for the search and the rows.
        try connection.execute("BEGIN")
        defer { connection.rollBack() }
        var rows: [WatchRow] = []
        if let query = search.inOrder {
            var row = try connection.statement(query.sql)
            for text in query.texts { try row.bind(text) }
            try row.bind(search.limit)
            while try row.step() { rows.append(StoreReader.watch(row)) }
            return rows
        }
        let ids = try search.merged(on: connection)
        var row = try connection.statement(
            "SELECT \(StoreReader.watchColumns) FROM watch WHERE id = ?")
        for id in ids {
            try row.bind(id)
            if try row.step() { rows.append(StoreReader.watch(row)) }
            row.reset()
        }
        return rows
    }

    /// Those of some names: a few rows, found one by one and sorted.
    private func named(
        _ filter: WatchFilter, after: WatchName?, limit: Int
    ) throws(StoreError) -> [WatchRow] {
        var conditions = filter.conditions
        if after != nil { conditions.append("(service, run) > (?, ?)") }
        var row = try connection.statement(
            """
            SELECT \(StoreReader.watchColumns) FROM watch
            WHERE \(conditions.joined(separator: " AND ")) ORDER BY service, run LIMIT ?
            """)
        try row.bind(filter)
        if let after {
            try row.bind(after.service)
            try row.bind(after.run)
        }
        try row.bind(max(0, limit))
        var rows: [WatchRow] = []
        while try row.step() { rows.append(StoreReader.watch(row)) }
        return rows
    }
}

/// Finds a page of watches, each way by the index that gives what is asked for in the order of names.
struct WatchSearch {
    /// A query and the texts that are bound to it; the limit comes last.
    struct Query {
        var sql: String
        var texts: [String]
    }

    let filter: WatchFilter
    let after: WatchName?
    let limit: Int
    /// The states that are asked for.
    let states: [RunState]

    init(_ filter: WatchFilter, after: WatchName?, limit: Int) {
        self.filter = filter
        self.after = after
        self.limit = limit
        states = RunState.allCases.filter { state in
            (filter.states.isEmpty || filter.states.contains(state))
                && !(filter.activeOnly && state.isFinal)
        }
    }

    /// One query along an index of names; `nil` where each state has to be looked for by itself.
    ///
    /// A group is small, or names are what it is made of: its states are picked while going through it.
    var inOrder: Query? {
        guard filter.group != nil || states.count == RunState.allCases.count else { return nil }
        if let service = filter.service, isBehind(service) { return nil }
        var query = Query(sql: "", texts: [])
        var conditions = ["is_listed = 1"]
        if let group = filter.group {
            conditions.append("group_name = ?")
            query.texts.append(group)
        }
        // With both, SQLite goes through a service from its beginning.
        if let service = filter.service {
            conditions.append("service = ? AND run > ?")
            query.texts += [service, firstRun(of: service)]
        } else if let after {
            conditions.append("(service, run) > (?, ?)")
            query.texts += [after.service, after.run]
        }
        if states.count < RunState.allCases.count {
            let words = states.map { "'\($0.name)'" }
            // The sign keeps SQLite from sorting for the sake of the states.
            conditions.append("+state IN (\(words.joined(separator: ", ")))")
        }
        let index = filter.group == nil ? "sqlite_autoindex_watch_1" : "watch_by_group"
        query.sql = """
            SELECT \(StoreReader.watchColumns) FROM watch INDEXED BY \(index)
            WHERE \(conditions.joined(separator: " AND ")) ORDER BY service, run LIMIT ?
            """
        return query
    }

    // MARK: State by state

    /// The watches of one service in one state, from a run on.
    static let ofState: StaticString = """
        SELECT id, run FROM watch INDEXED BY watch_by_state
        WHERE is_listed = 1 AND service = ? AND state = ? AND run > ? ORDER BY run LIMIT ?
        """

    /// Row IDs in the order of names, service by service.
    func merged(on connection: borrowing Connection) throws(StoreError) -> [Int64] {
        var ids: [Int64] = []
        var service = try firstService(connection)
        while let name = service, ids.count < limit {
            ids += try page(of: name, limit: limit - ids.count, connection)
            service = filter.service == nil ? try self.service(after: name, connection) : nil
        }
        return ids
    }

    private func page(
        of service: String, limit: Int, _ connection: borrowing Connection
    ) throws(StoreError) -> [Int64] {
        var found: [(id: Int64, run: String)] = []
        for state in states {
            var row = try connection.cached(WatchSearch.ofState)
            try row.bind(service)
            try row.bind(state.name)
            try row.bind(firstRun(of: service))
            try row.bind(limit)
            while try row.step() { found.append((row.int64(0), row.text(1))) }
        }
        // As SQLite compares: byte by byte.
        found.sort { $0.run.utf8.lexicographicallyPrecedes($1.run.utf8) }
        return found.prefix(limit).map(\.id)
    }

    /// The service where the page begins.
    private func firstService(
        _ connection: borrowing Connection
    ) throws(StoreError) -> String? {
        guard let service = filter.service else {
            if let after { return after.service }
            return try self.service(after: "", connection)
        }
        return isBehind(service) ? nil : service
    }

    /// The cursor is past all of the service's watches.
    private func isBehind(_ service: String) -> Bool {
        guard let after else { return false }
        return service.utf8.lexicographicallyPrecedes(after.service.utf8)
    }

    /// The run after which the page begins in a service; no run is called ''.
    private func firstRun(of service: String) -> String {
        guard let after, ExactText.areSame(after.service, service) else { return "" }
        return after.run
    }

    /// By leaps through the index: there may be a million watches, but few services.
    private func service(
        after service: String, _ connection: borrowing Connection
    ) throws(StoreError) -> String? {
        var row = try connection.cached(
            """
            SELECT min(service) FROM watch INDEXED BY watch_by_state
            WHERE is_listed = 1 AND service > ?
            """)
        try row.bind(service)
        return try row.step() ? row.optionalText(0) : nil
    }
}
