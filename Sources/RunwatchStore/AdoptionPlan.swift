import RunwatchCore

/// What has to change for the rows of `watch` to be those of a watch list.
///
/// One look at every row finds the differences; then they are written, a part at a time.
struct AdoptionPlan {
    private enum Step {
        case insert(spec: Int)
        case list(WatchID, spec: Int)
        case rediscover(WatchID, discovery: Int)
        case unlist(WatchID)
        /// The service of a transient watch is of another kind now.
        case setKind(WatchID, String)
    }

    private let specs: [WatchSpec]
    private let discoveries: [DiscoverySpec]
    private let kinds: [String: String]
    private let now: Timestamp
    private var steps: [Step] = []
    private var nextStep = 0
    /// Specs whose name another one before them has.
    private var repeated: [(place: Int, first: Int)] = []
    private(set) var adoption = Adoption()
    /// Of the last transient row: the next one is likely to be of the same request.
    private var lastRequest: (listing: Listing, request: WatchRequest)?

    var isDone: Bool { nextStep == steps.count }

    init(
        _ specs: [WatchSpec], _ discoveries: [DiscoverySpec], kinds: [String: String],
        now: Timestamp
    ) {
        self.specs = specs
        self.discoveries = discoveries
        self.kinds = kinds
        self.now = now
    }

    // MARK: Comparing

    mutating func compare(with connection: borrowing Connection) throws(StoreError) {
        // The row ID 0, which no row has, marks what was not found.
        adoption.watches = specs.map {
            SavedWatch(id: WatchID(rowID: 0), name: $0.name, watchedSince: now)
        }
        adoption.discovered = Array(repeating: [], count: discoveries.count)
        for discovery in discoveries {
            adoption.met.append(try connection.met(by: discovery.key))
        }
        let places = self.places()
        try scan(connection, places)
        for (place, spec) in specs.enumerated()
        where adoption.watches[place].id.rowID == 0 && places[spec.name] == Int32(place) {
            steps.append(.insert(spec: place))
        }
        if isDone { fillRepeated() }
    }

    private mutating func fillRepeated() {
        for (place, first) in repeated { adoption.watches[place] = adoption.watches[first] }
    }

    /// The place of each name among the specs; the first one, should a name come twice.
    private mutating func places() -> [WatchName: Int32] {
        var places: [WatchName: Int32] = [:]
        places.reserveCapacity(specs.count)
        for (place, spec) in specs.enumerated() {
            if let first = places[spec.name] {
                repeated.append((place, Int(first)))
            } else {
                places[spec.name] = Int32(place)
            }
        }
        return places
    }

    private mutating func scan(
        _ connection: borrowing Connection, _ places: [WatchName: Int32]
    ) throws(StoreError) {
        var byKey: [String: Int] = [:]
        for (place, discovery) in discoveries.enumerated() where byKey[discovery.key] == nil {
            byKey[discovery.key] = place
        }
        var row = try connection.statement(
            """
            SELECT \(WatchColumns.list), \(Listing.columns), is_listed, discovery FROM watch
            ORDER BY id
            """)
        while try row.step() {
            let name = WatchColumns.name(row)
            let key = row.optionalText(WatchColumns.count + Listing.columnCount + 1)
            let discovery = key.flatMap { byKey[$0] }
            if discovery != nil { noteMet(name.run, by: key) }
            if let place = places[name].map({ Int($0) }),
                adoption.watches[place].id.rowID == 0
            {
                matched(row, spec: place)
            } else if row.isEqual(WatchColumns.count + 5, Listing.Source.transient.rawValue) {
                // Who asked for it ends it, no file.
                if row.bool(WatchColumns.count + Listing.columnCount) { kept(row, name) }
            } else if let discovery {
                found(row, name: name, by: discovery)
            } else if row.bool(WatchColumns.count + Listing.columnCount) {
                steps.append(.unlist(WatchID(rowID: row.int64(0))))
            }
        }
    }

    private mutating func noteMet(_ run: String, by key: String?) {
        for (place, discovery) in discoveries.enumerated() where discovery.key == key {
            if adoption.met[place] == nil { adoption.met[place] = [] }
            adoption.met[place]?.insert(ExactText(run))
        }
    }

    private mutating func matched(_ row: borrowing Statement, spec place: Int) {
        let spec = specs[place]
        let saved = WatchColumns.read(row, name: spec.name)
        adoption.watches[place] = saved
        let listing = Listing(spec, kind: kinds[spec.name.service] ?? "")
        let isSame =
            listing.isEqual(row, from: WatchColumns.count)
            && row.bool(WatchColumns.count + Listing.columnCount)
        if !isSame { steps.append(.list(saved.id, spec: place)) }
    }

    private mutating func kept(_ row: borrowing Statement, _ name: WatchName) {
        let first = WatchColumns.count
        let saved = WatchColumns.read(row, name: name)
        if let kind = kinds[name.service], !row.isEqual(first, kind) {
            steps.append(.setKind(saved.id, kind))
        }
        let request: WatchRequest
        if let last = lastRequest, last.request.service == name.service,
            last.listing.isEqual(row, from: first)
        {
            request = last.request
        } else {
            request = Listing.request(row, from: first, service: name.service)
            lastRequest = (Listing(request, kind: row.text(first)), request)
        }
        adoption.transient.append(TransientWatch(request: request, saved: saved))
    }

    private mutating func found(
        _ row: borrowing Statement, name: WatchName, by place: Int
    ) {
        let saved = WatchColumns.read(row, name: name)
        adoption.discovered[place].append(saved)
        let isSame =
            listing(ofDiscovery: place).isEqual(row, from: WatchColumns.count)
            && row.bool(WatchColumns.count + Listing.columnCount)
        if !isSame { steps.append(.rediscover(saved.id, discovery: place)) }
    }

    private func listing(ofDiscovery place: Int) -> Listing {
        let discovery = discoveries[place]
        return Listing(discovery, kind: kinds[discovery.service] ?? "")
    }

    // MARK: Carrying out

    /// Does the next steps, `limit` at most, in the open transaction.
    mutating func carryOut(
        on connection: borrowing Connection, limit: Int
    ) throws(StoreError) {
        let end = min(steps.count, nextStep + limit)
        for step in steps[nextStep..<end] {
            switch step {
            case .insert(let place):
                let spec = specs[place]
                let listing = Listing(spec, kind: kinds[spec.name.service] ?? "")
                adoption.watches[place].id = try connection.insert(
                    spec.name, listing, discovery: nil, now: now)
            case .list(let id, let place):
                let spec = specs[place]
                try connection.list(id, Listing(spec, kind: kinds[spec.name.service] ?? ""))
            case .rediscover(let id, let place):
                try connection.list(id, listing(ofDiscovery: place))
            case .unlist(let id):
                try connection.unlist(id, now: now)
            case .setKind(let id, let kind):
                try connection.setKind(kind, of: id)
            }
        }
        nextStep = end
        if isDone { fillRepeated() }
    }
}
