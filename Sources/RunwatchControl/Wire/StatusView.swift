package import RunwatchCore

/// The daemon at a glance, as the API shows it.
package struct StatusView: WireView {
    package var version: String
    package var startedAt: Timestamp
    /// How many watches are in each state; states with none may be left out.
    package var watches: [RunState: Int]
    /// In the order of the configuration.
    package var services: [ServiceView]
    /// By name; those that are not configured any more come last.
    package var receivers: [ReceiverView]
    package var configuration: ConfigurationView
    package var backlog: BacklogView
    /// Why the database cannot be written now; `nil` when it can.
    package var databaseError: String?
    /// Where figures and health are served over TCP, with the port that was really got; `nil` for nowhere.
    package var httpListen: String?
    /// What stands still although it could go on; empty when all is well.
    package var notAdvancing: [String]
    /// Watches of services that are not configured, by service.
    package var unserved: [UnservedView]
    /// What is not well, the most urgent first; `nil` from a daemon that does not tell.
    package var problems: [TroubleView]?

    package init(
        version: String = RunwatchVersion.text, startedAt: Timestamp,
        watches: [RunState: Int] = [:], services: [ServiceView] = [],
        receivers: [ReceiverView] = [], configuration: ConfigurationView,
        backlog: BacklogView = BacklogView(), databaseError: String? = nil,
        httpListen: String? = nil, notAdvancing: [String] = [], unserved: [UnservedView] = [],
        problems: [TroubleView]? = nil
    ) {
        self.notAdvancing = notAdvancing
        self.unserved = unserved
        self.problems = problems
        self.version = version
        self.startedAt = startedAt
        self.watches = watches
        self.services = services
        self.receivers = receivers
        self.configuration = configuration
        self.backlog = backlog
        self.databaseError = databaseError
        self.httpListen = httpListen
    }

    package init(_ object: WireObject) throws(WireError) {
        version = try object.text("version")
        startedAt = try object.timestamp("started_at")
        watches = try StatusView.counts(object.object("watches"))
        services = try object.list("services")
        receivers = try object.list("receivers")
        configuration = try ConfigurationView(object.object("configuration"))
        backlog = try object.optionalObject("backlog").map(BacklogView.init) ?? BacklogView()
        databaseError = try object.optionalText("database_error")
        httpListen = try object.optionalObject("http")?.optionalText("listen")
        notAdvancing = try object.texts("not_advancing")
        unserved = try object.optionalList("unserved") ?? []
        problems = try object.optionalList("problems")
    }

    /// How many are in each state; states with none are left out.
    static func counts(_ object: WireObject) throws(WireError) -> [RunState: Int] {
        var counts: [RunState: Int] = [:]
        for state in RunState.allCases {
            if let count = try object.optionalInteger(state.name), count > 0 {
                counts[state] = Int(clamping: count)
            }
        }
        return counts
    }

    /// Writes every state, so that a script need not ask whether the key is there.
    static func write(_ counts: [RunState: Int], to writer: inout JSONWriter) {
        writer.beginObject()
        for state in RunState.allCases { writer.member(state.name, counts[state] ?? 0) }
        writer.endObject()
    }

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("version", version)
        writer.member("started_at", startedAt)
        writer.key("watches")
        StatusView.write(watches, to: &writer)
        writer.list("services", services)
        writer.list("receivers", receivers)
        writer.key("configuration")
        configuration.write(to: &writer)
        writer.key("backlog")
        backlog.write(to: &writer)
        writer.member("database_error", databaseError)
        if let httpListen {
            writer.key("http")
            writer.beginObject()
            writer.member("listen", httpListen)
            writer.endObject()
        }
        if !notAdvancing.isEmpty { writer.texts("not_advancing", notAdvancing) }
        if !unserved.isEmpty { writer.list("unserved", unserved) }
        if let problems { writer.list("problems", problems) }
        writer.endObject()
    }
}

/// One service's health, as the API shows it.
package struct ServiceView: WireView {
    package var name: String
    package var kind: String
    package var health: ServiceHealth
    /// Since when the health is that; `nil` before the first answer.
    package var since: Timestamp?
    /// The last failure's words; no secrets.
    package var lastError: String?
    /// When a service that is not up is asked next.
    package var nextProbe: Timestamp?
    /// How late its latest polls were; `nil` when unknown.
    package var lateness: Duration?
    /// Failures since the last good answer.
    package var failures: Int
    /// Why the last poll failed; the words of `PollFailureReason`.
    package var reason: String?
    /// Polls that are due and wait.
    package var waiting: Int
    /// How late the one is that has waited longest for the limits; `nil` when none does.
    package var late: Duration?
    /// The limit that holds them up: `rate 20/s`, `concurrency 8`.
    package var limit: String?
    /// Discoveries that find nothing new at present.
    package var discoveries: [DiscoveryTroubleView]

    package init(
        name: String, kind: String, health: ServiceHealth, since: Timestamp? = nil,
        lastError: String? = nil, nextProbe: Timestamp? = nil, lateness: Duration? = nil,
        failures: Int = 0, reason: String? = nil, waiting: Int = 0, late: Duration? = nil,
        limit: String? = nil, discoveries: [DiscoveryTroubleView] = []
    ) {
        self.failures = failures
        self.reason = reason
        self.waiting = waiting
        self.late = late
        self.limit = limit
        self.discoveries = discoveries
        self.name = name
        self.kind = kind
        self.health = health
        self.since = since
        self.lastError = lastError
        self.nextProbe = nextProbe
        self.lateness = lateness
    }

    package init(_ object: WireObject) throws(WireError) {
        name = try object.text("name")
        kind = try object.text("kind")
        guard let health = ServiceHealth(rawValue: try object.text("health")) else {
            throw object.failure("health", "no health that this program knows")
        }
        self.health = health
        since = try object.optionalTimestamp("since")
        lastError = try object.optionalText("last_error")
        nextProbe = try object.optionalTimestamp("next_probe")
        lateness = try object.optionalDuration("lateness")
        failures = Int(clamping: try object.optionalInteger("failures") ?? 0)
        reason = try object.optionalText("reason")
        waiting = Int(clamping: try object.optionalInteger("waiting") ?? 0)
        late = try object.optionalDuration("late")
        limit = try object.optionalText("limit")
        discoveries = try object.optionalList("discoveries") ?? []
    }

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("name", name)
        writer.member("kind", kind)
        writer.member("health", health.rawValue)
        writer.member("since", since)
        writer.member("last_error", lastError)
        writer.member("next_probe", nextProbe)
        writer.member("lateness", lateness)
        if failures > 0 { writer.member("failures", failures) }
        writer.member("reason", reason)
        if waiting > 0 { writer.member("waiting", waiting) }
        writer.member("late", late)
        writer.member("limit", limit)
        if !discoveries.isEmpty { writer.list("discoveries", discoveries) }
        writer.endObject()
    }
}

/// One receiver's part of the outbox, as the API shows it.
package struct ReceiverView: WireView {
    package var name: String
    /// The kind's name: `webhook`, `stdout`; `nil` when it is not configured.
    package var kind: String?
    /// `false` for one that has left the configuration, and that deliveries still wait for.
    package var isConfigured: Bool
    package var pending: Int
    package var failed: Int
    /// When the oldest pending event happened.
    package var oldestPending: Timestamp?
    /// How long an event waits for others of its digest; `nil` for a message each.
    package var digestWindow: Duration?
    /// It answered that it is gone for good, and gets nothing until the next reload.
    package var isDisabled: Bool
    /// The last attempt failed, and none has succeeded since.
    package var isFailing: Bool
    /// What the last failed attempt said, while it fails or is disabled; no secrets.
    package var lastError: String?
    /// It asked to be left alone until then.
    package var restsUntil: Timestamp?
    /// When it is tried again, while it fails.
    package var nextTry: Timestamp?

    package init(
        name: String, kind: String?, isConfigured: Bool = true, pending: Int = 0,
        failed: Int = 0, oldestPending: Timestamp? = nil, digestWindow: Duration? = nil,
        isDisabled: Bool = false, isFailing: Bool = false, lastError: String? = nil,
        restsUntil: Timestamp? = nil, nextTry: Timestamp? = nil
    ) {
        self.restsUntil = restsUntil
        self.nextTry = nextTry
        self.name = name
        self.kind = kind
        self.isConfigured = isConfigured
        self.pending = pending
        self.failed = failed
        self.oldestPending = oldestPending
        self.digestWindow = digestWindow
        self.isDisabled = isDisabled
        self.isFailing = isFailing
        self.lastError = lastError
    }

    package init(_ object: WireObject) throws(WireError) {
        name = try object.text("name")
        kind = try object.optionalText("kind")
        isConfigured = object.optional("configured")?.boolValue ?? true
        pending = try object.count("pending")
        failed = try object.count("failed")
        oldestPending = try object.optionalTimestamp("oldest_pending")
        digestWindow = try object.optionalDuration("digest_window")
        isDisabled = object.optional("disabled")?.boolValue ?? false
        isFailing = object.optional("failing")?.boolValue ?? false
        lastError = try object.optionalText("last_error")
        restsUntil = try object.optionalTimestamp("rests_until")
        nextTry = try object.optionalTimestamp("next_try")
    }

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("name", name)
        writer.member("kind", kind)
        writer.member("configured", isConfigured)
        writer.member("pending", pending)
        writer.member("failed", failed)
        writer.member("oldest_pending", oldestPending)
        writer.member("digest_window", digestWindow)
        writer.member("disabled", isDisabled)
        writer.member("failing", isFailing)
        writer.member("last_error", lastError)
        writer.member("rests_until", restsUntil)
        writer.member("next_try", nextTry)
        writer.endObject()
    }
}

/// Which configuration the daemon works by, and what became of the last one offered.
package struct ConfigurationView: WireView {
    package var file: String
    /// When the one in force was loaded.
    package var loadedAt: Timestamp
    /// `false` when a later edit has errors; the daemon goes on with the last good one.
    package var isOK: Bool
    /// `FILE:LINE:COLUMN: message`, each.
    package var errors: [String]
    package var warnings: [String]

    package init(
        file: String, loadedAt: Timestamp, isOK: Bool = true, errors: [String] = [],
        warnings: [String] = []
    ) {
        self.file = file
        self.loadedAt = loadedAt
        self.isOK = isOK
        self.errors = errors
        self.warnings = warnings
    }

    package init(_ object: WireObject) throws(WireError) {
        file = try object.text("file")
        loadedAt = try object.timestamp("loaded_at")
        isOK = try object.bool("ok")
        errors = try object.texts("errors")
        warnings = try object.texts("warnings")
    }

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("file", file)
        writer.member("loaded_at", loadedAt)
        writer.member("ok", isOK)
        writer.texts("errors", errors)
        writer.texts("warnings", warnings)
        writer.endObject()
    }
}

/// What is due and not yet done.
package struct BacklogView: WireView {
    /// Polls whose time has come and that wait for their service's budget.
    package var polls: Int
    /// Changes that are not on disk yet.
    package var changes: Int
    /// Deliveries not yet made.
    package var deliveries: Int

    package init(polls: Int = 0, changes: Int = 0, deliveries: Int = 0) {
        self.polls = polls
        self.changes = changes
        self.deliveries = deliveries
    }

    package init(_ object: WireObject) throws(WireError) {
        polls = try object.count("polls")
        changes = try object.count("changes")
        deliveries = try object.count("deliveries")
    }

    package func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("polls", polls)
        writer.member("changes", changes)
        writer.member("deliveries", deliveries)
        writer.endObject()
    }
}
