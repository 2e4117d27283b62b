import RunwatchCore

/// What a row of `watch` says of the request for it; all but what polling found out.
struct Listing {
    enum Source: String {
        case file
        case discovery
        case transient
    }

    var kind: String
    var label: String?
    var group: String?
    var parameters: String
    /// Kept for transient watches alone.
    var settings: String?
    var source: Source
    var origin: String

    init(_ spec: WatchSpec, kind: String) {
        self.kind = kind
        label = spec.label
        group = spec.group
        parameters = WatchText.write(spec.parameters)
        origin = spec.origin.description
        switch spec.origin {
        case .file: source = .file
        case .discovery: source = .discovery
        case .transient: preconditionFailure("a transient watch is listed by its request")
        }
    }

    init(_ request: WatchRequest, kind: String) {
        self.kind = kind
        label = request.label
        group = request.group
        parameters = WatchText.write(request.parameters)
        settings = WatchText.write(request.overrides)
        source = .transient
        origin = WatchOrigin.transient.description
    }

    /// What a transient row was asked with, from its columns from `first` on.
    static func request(
        _ row: borrowing Statement, from first: Int32, service: String
    ) -> WatchRequest {
        WatchRequest(
            service: service, label: row.optionalText(first + 1),
            group: row.optionalText(first + 2),
            parameters: WatchText.parameters(row.text(first + 3)),
            overrides: WatchText.overrides(row.text(first + 4)))
    }

    init(_ discovery: DiscoverySpec, kind: String) {
        self.kind = kind
        label = discovery.label
        group = discovery.group
        parameters = "{}"
        source = .discovery
        origin = WatchOrigin.discovery(discovery.path, line: discovery.line).description
    }

    /// The columns as `isEqual` and the statements have them.
    static let columns = "kind, label, group_name, parameters, settings, source, origin"
    static let columnCount: Int32 = 7

    /// Whether the row has all this already, in the columns from `first` on.
    func isEqual(_ row: borrowing Statement, from first: Int32) -> Bool {
        row.isEqual(first, kind) && row.isEqual(first + 1, label) && row.isEqual(first + 2, group)
            && row.isEqual(first + 3, parameters) && row.isEqual(first + 4, settings)
            && row.isEqual(first + 5, source.rawValue) && row.isEqual(first + 6, origin)
    }
}

extension DiscoverySpec {
    /// What the discovery is known by in the database: its place in the file may change.
    var key: String { "\(service)\u{1F}\(runTag)" }
}

extension Statement {
    /// Binds `Listing.columns`.
    mutating func bind(_ listing: Listing) throws(StoreError) {
        try bind(listing.kind)
        try bind(listing.label)
        try bind(listing.group)
        try bind(listing.parameters)
        try bind(listing.settings)
        try bind(listing.source.rawValue)
        try bind(listing.origin)
    }
}

/// Rows of `watch` as requests come and go; the caller has begun a transaction.
extension Connection {
    /// Makes the row of a watch that is new.
    func insert(
        _ name: WatchName, _ listing: Listing, discovery: String?, now: Timestamp
    ) throws(StoreError) -> WatchID {
        var statement = try cached(
            """
            INSERT INTO watch (kind, label, group_name, parameters, settings, source, origin,
                service, run, discovery, watched_since_ms)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """)
        try statement.bind(listing)
        try statement.bind(name.service)
        try statement.bind(name.run)
        try statement.bind(discovery)
        try statement.bind(now)
        try statement.run()
        return WatchID(rowID: lastInsertedRow)
    }

    /// Lists a row that exists; what was found out about the run stays.
    func list(_ id: WatchID, _ listing: Listing, discovery: String? = nil) throws(StoreError) {
        var statement = try cached(
            """
            UPDATE watch SET kind = ?, label = ?, group_name = ?, parameters = ?, settings = ?,
                source = ?, origin = ?, discovery = coalesce(?, discovery), is_listed = 1,
                unlisted_at_ms = NULL
            WHERE id = ?
            """)
        try statement.bind(listing)
        try statement.bind(discovery)
        try statement.bind(id)
        try statement.run()
    }

    /// - Returns: Whether there was such a row, listed.
    @discardableResult
    func unlist(_ id: WatchID, now: Timestamp) throws(StoreError) -> Bool {
        var statement = try cached(
            "UPDATE watch SET is_listed = 0, unlisted_at_ms = ? WHERE id = ? AND is_listed = 1")
        try statement.bind(now)
        try statement.bind(id)
        try statement.run()
        return changes > 0
    }

    /// Notes runs that are no news to a discovery any more, and that it has looked.
    func noteMet(_ runs: [String], by key: String) throws(StoreError) {
        var statement = try cached(
            "INSERT INTO discovery_met (discovery, run) VALUES (?, ?) ON CONFLICT DO NOTHING")
        for run in [""] + runs {
            try statement.bind(key)
            try statement.bind(run)
            try statement.run()
        }
    }

    /// - Returns: `nil` when the discovery has noted nothing.
    func met(by key: String) throws(StoreError) -> Set<ExactText>? {
        var runs: Set<ExactText> = []
        var hasLooked = false
        var statement = try cached("SELECT run FROM discovery_met WHERE discovery = ?")
        try statement.bind(key)
        while try statement.step() {
            hasLooked = true
            let run = statement.text(0)
            if !run.isEmpty { runs.insert(ExactText(run)) }
        }
        return hasLooked ? runs : nil
    }
}
