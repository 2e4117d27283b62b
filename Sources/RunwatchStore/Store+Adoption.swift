package import RunwatchCore

/// What the record knows of a configuration's watches.
package struct Adoption: Sendable {
    /// One for each spec, in the same order.
    package var watches: [SavedWatch] = []
    /// For each discovery, in the same order: the watches that it found before, ended ones included.
    ///
    /// A run that a file lists by now is among `watches` and not here.
    package var discovered: [[SavedWatch]] = []
    /// For each discovery, in the same order: every run it has met; `nil` when it never looked.
    package var met: [Set<ExactText>?] = []
    /// The transient watches that are listed and that no file lists, in the order of their making.
    package var transient: [TransientWatch] = []

    package init() {}
}

extension Store {
    /// Makes the rows equal to the watch list, and gives what is known of each watch.
    ///
    /// Rows that left the list are no longer listed, and keep their history; transient ones stay.
    /// - Parameters:
    ///   - specs: What files list, each name once.
    ///   - kinds: The kind of each service, by the service's name.
    package func adopt(
        _ specs: [WatchSpec], discoveries: [DiscoverySpec], kinds: [String: String]
    ) async throws(StoreError) -> Adoption {
        try settle(phases: true)
        var plan = AdoptionPlan(specs, discoveries, kinds: kinds, now: time.wallClock())
        try plan.compare(with: connection)
        // In parts: a new list of a hundred thousand watches would otherwise be one huge transaction.
        while !plan.isDone {
            try transaction { () throws(StoreError) in
                try plan.carryOut(on: connection, limit: 10_000)
            }
            checkpointIfWorthIt()
        }
        return plan.adoption
    }

    /// Adds watches that a discovery has found; a row that exists is taken up again as it is.
    ///
    /// A row that a file lists, or that a request brought, keeps its settings and its origin.
    /// - Returns: One entry for each spec, in the same order.
    package func add(
        _ specs: [WatchSpec], discovery: DiscoverySpec, kind: String
    ) async throws(StoreError) -> [SavedWatch] {
        try settle(phases: true)
        let now = time.wallClock()
        let key = discovery.key
        return try transaction { () throws(StoreError) in
            var saved: [SavedWatch] = []
            saved.reserveCapacity(specs.count)
            for spec in specs {
                saved.append(try connection.add(spec, discovery: key, kind: kind, now: now))
            }
            try connection.noteMet([], by: key)
            return saved
        }
    }

    /// Notes runs that a discovery has met and that became no watch: what was final at its first look.
    ///
    /// With no runs it notes that the discovery has looked.
    package func noteMet(_ runs: [String], by discovery: DiscoverySpec) async throws(StoreError) {
        try transaction { () throws(StoreError) in
            try connection.noteMet(runs, by: discovery.key)
        }
    }

    /// Starts a watch afresh: unknown, never polled, with its history and its sequence kept.
    ///
    /// - Throws: `notFound` when there is no such watch.
    package func rewatch(_ id: WatchID) async throws(StoreError) -> SavedWatch {
        try settle(phases: true)
        let saved = try transaction { () throws(StoreError) in try connection.startAfresh(id) }
        guard let saved else { throw Store.noSuchWatch(id) }
        return saved
    }

    private static func noSuchWatch(_ id: WatchID) -> StoreError {
        StoreError(.notFound, "there is no watch with the row ID \(id.rowID); `list` shows them")
    }
}

extension Connection {
    fileprivate func add(
        _ spec: WatchSpec, discovery: String, kind: String, now: Timestamp
    ) throws(StoreError) -> SavedWatch {
        let listing = Listing(spec, kind: kind)
        var row = try statement(
            """
            SELECT \(WatchColumns.list), is_listed, source FROM watch
            WHERE service = ? AND run = ?
            """)
        try row.bind(spec.name.service)
        try row.bind(spec.run)
        guard try row.step() else {
            let id = try insert(spec.name, listing, discovery: discovery, now: now)
            return SavedWatch(id: id, name: spec.name, watchedSince: now)
        }
        let saved = WatchColumns.read(row, name: spec.name)
        let isAnothers =
            row.bool(WatchColumns.count)
            && !row.isEqual(WatchColumns.count + 1, listing.source.rawValue)
        row.reset()
        guard isAnothers else {
            try list(saved.id, listing, discovery: discovery)
            return saved
        }
        try noteMet([spec.run], by: discovery)
        return saved
    }

    fileprivate func startAfresh(_ id: WatchID) throws(StoreError) -> SavedWatch? {
        var change = try cached(
            """
            UPDATE watch SET state = 'unknown', previous_state = NULL, first_poll_at_ms = NULL,
                first_answer_at_ms = NULL, last_poll_at_ms = NULL, last_seen_at_ms = NULL,
                next_poll_at_ms = NULL, step = 0, observed_at_ms = NULL, not_before_ms = NULL,
                changed_at_ms = NULL, progress_done = NULL, progress_total = NULL, message = '',
                detail = '{}', is_stalled = 0, finished_at_ms = NULL
            WHERE id = ?
            """)
        try change.bind(id)
        try change.run()
        var row = try statement("SELECT \(WatchColumns.list) FROM watch WHERE id = ?")
        try row.bind(id)
        return try row.step() ? WatchColumns.read(row) : nil
    }
}
