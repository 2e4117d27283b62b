package import RunwatchCore

// Transient watches: those that a request brings, and no file.
extension Store {
    /// Lists runs as transient watches, all of them or none.
    ///
    /// A row that is not listed any more is listed again, with what was found out about its run; its
    /// deadline and its patience count from its next poll, for nobody looked meanwhile. One that is listed
    /// is left alone: that is no conflict where it was asked for in the same words, nor where a
    /// file lists it and nothing but watching is asked.
    /// - Parameters:
    ///   - runs: One may stand there several times.
    ///   - kind: The kind of the service.
    package func add(
        _ runs: [String], as request: WatchRequest, kind: String
    ) async throws(StoreError) -> TransientAddition {
        try settle(phases: true)
        let now = time.wallClock()
        let addition = try transaction { () throws(StoreError) in
            try connection.add(runs, as: request, kind: kind, now: now)
        }
        checkpointIfWorthIt()
        return addition
    }
}

extension Connection {
    /// What the record has of a run that is asked for.
    private enum Found {
        case nothing
        case unlisted(SavedWatch)
        case listed(SavedWatch)
        /// The request names it again.
        case repeated(first: Int)
    }

    fileprivate func add(
        _ runs: [String], as request: WatchRequest, kind: String, now: Timestamp
    ) throws(StoreError) -> TransientAddition {
        var found: [Found] = []
        // Everything is looked at before anything is written: one conflict refuses them all.
        if let conflict = try look(for: runs, request, into: &found) { return .conflict(conflict) }
        let listing = Listing(request, kind: kind)
        var listed: [TransientAddition.Listed] = []
        listed.reserveCapacity(runs.count)
        for (run, found) in zip(runs, found) {
            switch found {
            case .nothing:
                let name = WatchName(service: request.service, run: run)
                let id = try insert(name, listing, discovery: nil, now: now)
                listed.append(
                    .init(saved: SavedWatch(id: id, name: name, watchedSince: now), isNew: true))
            case .unlisted(var saved):
                try list(saved.id, listing)
                if !saved.state.isFinal {
                    saved.phase.firstPollAt = nil
                    saved.phase.firstAnswerAt = nil
                    saved.phase.nextPollAt = nil
                    saved.phase.step = 0
                    try write([(saved.id, saved.polls, saved.phase)])
                }
                listed.append(.init(saved: saved, isNew: true))
            case .listed(let saved): listed.append(.init(saved: saved, isNew: false))
            case .repeated(let first):
                listed.append(.init(saved: listed[first].saved, isNew: false))
            }
        }
        return .listed(listed)
    }

    private func look(
        for runs: [String], _ request: WatchRequest, into found: inout [Found]
    ) throws(StoreError) -> WatchConflict? {
        var places: [ExactText: Int] = [:]
        let isPlain = request.isPlain
        var row = try statement(
            """
            SELECT \(WatchColumns.list), \(Listing.columns), is_listed FROM watch
            WHERE service = ? AND run = ?
            """)
        for (place, run) in runs.enumerated() {
            if let first = places.updateValue(place, forKey: ExactText(run)) {
                places[ExactText(run)] = first
                found.append(.repeated(first: first))
                continue
            }
            try row.bind(request.service)
            try row.bind(run)
            defer { row.reset() }
            guard try row.step() else {
                found.append(.nothing)
                continue
            }
            let name = WatchName(service: request.service, run: run)
            let saved = WatchColumns.read(row, name: name)
            let first = WatchColumns.count
            guard row.bool(first + Listing.columnCount) else {
                found.append(.unlisted(saved))
                continue
            }
            if row.isEqual(first + 5, Listing.Source.transient.rawValue) {
                let keys = Listing.request(row, from: first, service: request.service)
                    .difference(from: request)
                guard keys.isEmpty else { return WatchConflict(name: name, place: nil, keys: keys) }
            } else if !isPlain {
                return WatchConflict(name: name, place: row.text(first + 6))
            }
            found.append(.listed(saved))
        }
        return nil
    }

    /// Ends a transient watch, and records what follows from it; the caller has begun a transaction.
    func write(
        _ removal: WatchRemoval, now: Timestamp, into committed: inout Committed
    ) throws(StoreError) {
        guard try unlist(removal.id, now: now) else { return }
        for event in removal.events { try record(event, now: now, into: &committed) }
    }

    func setKind(_ kind: String, of id: WatchID) throws(StoreError) {
        var statement = try cached("UPDATE watch SET kind = ? WHERE id = ?")
        try statement.bind(kind)
        try statement.bind(id)
        try statement.run()
    }
}
