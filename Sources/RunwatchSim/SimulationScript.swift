import RunwatchCore

/// What a simulation plays: the services' settings, the runs and their lives, and what goes wrong.
///
/// A script is a JSON document, easy to write by hand. Everything in it is optional; unknown members are
/// errors. Times are seconds as numbers (`2.5`) or durations as text (`"1m30s"`).
///
/// ```json
/// {
///   "seed": 7,
///   "krixik": {
///     "api_key": "0a1b2c3d-1111-e222-2333-444455556666",
///     "version": "1.1.19", "not_found": "nulls", "key_suffix": false,
///     "process_life": [[0, "running"], [5, "complete"]]
///   },
///   "kinetica": {
///     "users": [{"name": "watcher", "password": "secret", "sees": "all"}],
///     "token": "bearer-token", "version": "7.2", "strict": true, "roll_up": "wait",
///     "procs": ["score"], "execute_life": [[0, "running"], [5, "complete"]],
///     "execute_segments": 2
///   },
///   "runs": [
///     {"service": "krixik", "id": "f948a6ad-0343-e743-2b3f-0df6bc732a3a", "pipeline": "nightly",
///      "modules": ["parser", "text-embedder"], "start": 0,
///      "life": [[0, "running"], [3, 1], [8, "error", "out of memory"]], "gone_after": 60},
///     {"service": "kinetica", "id": "12", "proc": "score", "run_tag": "nightly", "segments": 4,
///      "life": [[0, "none"], [1, "running"], [2, 1], [4, 3], [6, "complete"]]},
///     {"service": "kinetica", "id": "13", "roll_up": "at_once", "segments": {
///        "0": [[0, "running"], [3, "error"]], "1": [[0, "running"], [9, "complete"]]}},
///     {"service": "kinetica", "id": "1000", "count": 500, "spread": "60s"}
///   ],
///   "faults": [
///     {"service": "kinetica", "fraction": 0.1, "fault": "status", "status": 503,
///      "retry_after": 2, "body": "html"},
///     {"runs": ["12"], "from": 10, "until": 20, "fault": "reset"}
///   ]
/// }
/// ```
///
/// **Services.** `not_found` is `nulls`, `400` or `404`. `version` of Krixik refuses other client versions;
/// that of Kinetica is `5.4`, `6.2`, `7.0` or `7.2` and decides which members its answers have.
/// `strict: false` takes members in any order. `roll_up` is `wait` or `at_once`. Without `users` and
/// `token` Kinetica asks for no credentials; a user who `sees: own` sees the runs with that `user`.
///
/// **Runs.** A life is a list of steps `[after, what]` or `[after, what, message]`, from the run's start;
/// `what` is a state (`pending` or `none`, `running` or `ongoing`, `empty`, `complete`, `error` or
/// `failed`, `killed`, `gone`) or the number of modules or segments done. Before its first step a run is
/// not there. Without a `life` a run runs for five seconds and completes. `gone_after` ends it for the
/// services, `start` begins it so much after the script was given. `modules` is a list of names or their
/// number; `segments` is their number, or lives of their own, summed up by `roll_up`. Krixik's
/// `failure_module` is a name or `false` for none; `not_found` overrides the service's. Kinetica's `user`,
/// `params` (texts by name) and `output_lines` (of each stream and segment; 0 keeps answers short) fill
/// the answers. `count` makes so many runs like this one, with IDs counted up (Kinetica) or made from the
/// first (Krixik); `spread` spreads their starts evenly over a time.
///
/// **Faults.** The first rule that fits a status request decides. A rule fits by `service`, `path` (its
/// beginning), `kinds` (`single`, `all`, `tagged`, `execute`, `kill`, `process`, `delete`, …), `runs`, and
/// the time since the rules were given (`from`, `until`); without `kinds` it fits every call. `fraction`
/// draws with the script's seed, `times` bounds how often. `fault` is one of `status` (with `status`,
/// `retry_after` in seconds or `retry_after_date` as so much from now, and `body`: `own`, `gateway`,
/// `html`, `empty`), `going_away` (with `text`; its status is 400), `reset`, `close`, `hang`, `cut`,
/// `stall` and `huge` (with `bytes`), `endless`, `garbage`, `bad_json`, `bad_inner_json`, `wrong_types`,
/// `wrong_inner_types`, `slow` and `drip` (with `wait`).
package struct SimulationScript: Sendable {
    /// A run as written, before its start is known.
    package enum Run: Hashable, Sendable {
        case krixik(SimulatedKrixik.Run)
        case kinetica(SimulatedKinetica.Run)

        /// The run with its start moved to so much after `now`, where it had been zero.
        func started(at now: Instant) -> Run {
            switch self {
            case .krixik(var run):
                run.start = now.advanced(by: .nanoseconds(run.start.nanoseconds))
                return .krixik(run)
            case .kinetica(var run):
                run.start = now.advanced(by: .nanoseconds(run.start.nanoseconds))
                return .kinetica(run)
            }
        }
    }

    package var seed: UInt64 = 1
    package var krixik = SimulatedKrixik.Settings()
    package var kinetica = SimulatedKinetica.Settings()
    /// Their starts count from the moment that the script is given to the simulator.
    package var runs: [Run] = []
    package var faults: [SimulatedFaultRule] = []

    /// A script with no runs, no credentials for Kinetica and no faults.
    package init() {}

    /// Reads a script.
    ///
    /// - Throws: `SimulationScriptError` that names the place and what was expected there.
    package init(json: [UInt8]) throws(SimulationScriptError) {
        let document = try SimulationScript.document(json)
        try document.only("seed", "krixik", "kinetica", "runs", "faults")
        if let seed = try document.member("seed")?.integer(0...Int.max) { self.seed = UInt64(seed) }
        if let settings = document.member("krixik") { try readKrixik(settings) }
        if let settings = document.member("kinetica") { try readKinetica(settings) }
        if let list = document.member("runs") {
            runs = try SimulationScript.runs(list, rollUp: kinetica.rollUp)
        }
        if let list = document.member("faults") { faults = try SimulationScript.faults(list) }
    }

    /// Reads `{"runs": […]}`, or the list alone.
    static func runs(
        json: [UInt8], rollUp: SimulatedRollUp
    ) throws(SimulationScriptError) -> [Run] {
        let document = try document(json)
        if document.value.arrayValue != nil { return try runs(document, rollUp: rollUp) }
        try document.only("runs")
        return try document.member("runs").map { (list) throws(SimulationScriptError) in
            try runs(list, rollUp: rollUp)
        } ?? []
    }

    /// Reads `{"faults": […]}`, or the list alone.
    static func faults(json: [UInt8]) throws(SimulationScriptError) -> [SimulatedFaultRule] {
        let document = try document(json)
        if document.value.arrayValue != nil { return try faults(document) }
        try document.only("faults")
        return try document.member("faults").map { (list) throws(SimulationScriptError) in
            try faults(list)
        } ?? []
    }

    static func document(_ json: [UInt8]) throws(SimulationScriptError) -> ScriptValue {
        do throws(JSONError) {
            return ScriptValue(value: try JSONValue(parsing: json), path: "")
        } catch {
            throw SimulationScriptError("not JSON: \(error)")
        }
    }

    private mutating func readKrixik(_ value: ScriptValue) throws(SimulationScriptError) {
        try value.only("api_key", "version", "not_found", "key_suffix", "process_life")
        if let key = try value.member("api_key")?.string() { krixik.apiKey = key }
        krixik.version = try value.member("version")?.string()
        if let form = try value.member("not_found")?.word(SimulatedKrixik.NotFoundForm.self) {
            krixik.notFound = form
        }
        if let suffix = try value.member("key_suffix")?.bool() { krixik.hasKeySuffix = suffix }
        if let life = try value.member("process_life")?.life() { krixik.processLife = life }
    }

    private mutating func readKinetica(_ value: ScriptValue) throws(SimulationScriptError) {
        try value.only(
            "users", "token", "version", "strict", "roll_up", "procs", "execute_life",
            "execute_segments")
        for user in try value.member("users")?.elements() ?? [] {
            try user.only("name", "password", "sees")
            guard let name = try user.member("name")?.string() else {
                throw user.failure("a user has a name")
            }
            let sees = try user.member("sees")?.string() ?? "all"
            guard ["all", "own"].contains(sees) else {
                throw user.failure("'sees' is 'all' or 'own'")
            }
            kinetica.users.append(
                SimulatedKinetica.User(
                    name: name, password: try user.member("password")?.string() ?? "",
                    isAdministrator: sees == "all"))
        }
        kinetica.token = try value.member("token")?.string()
        if let version = try value.member("version")?.word(SimulatedKinetica.Version.self) {
            kinetica.version = version
        }
        if let strict = try value.member("strict")?.bool() { kinetica.isStrict = strict }
        if let rule = try value.member("roll_up")?.word(SimulatedRollUp.self) {
            kinetica.rollUp = rule
        }
        for proc in try value.member("procs")?.elements() ?? [] {
            kinetica.procs.append(try proc.string())
        }
        if let life = try value.member("execute_life")?.life() { kinetica.executeLife = life }
        if let count = try value.member("execute_segments")?.integer(1...10_000) {
            kinetica.executeSegments = count
        }
    }
}
