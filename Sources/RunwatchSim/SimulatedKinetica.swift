package import RunwatchCore
package import RunwatchHTTP

/// Kinetica as its clients know it, without a clock and without a network.
package struct SimulatedKinetica: Sendable {
    /// Which members and options a server of that version has.
    package enum Version: String, CaseIterable, Hashable, Sendable {
        /// No `timings`, no `output`, no `info`, no `run_tag`.
        case v54 = "5.4"
        /// No `output`, no `info`, no `run_tag`.
        case v62 = "6.2"
        /// No `output`.
        case v70 = "7.0"
        case v72 = "7.2"

        var hasTimings: Bool { self != .v54 }
        var hasInfo: Bool { self == .v70 || self == .v72 }
        var hasOutput: Bool { self == .v72 }
    }

    package struct User: Hashable, Sendable {
        package var name: String
        package var password: String
        /// Administrators see every run, others only their own.
        package var isAdministrator: Bool

        package init(name: String, password: String, isAdministrator: Bool = true) {
            self.name = name
            self.password = password
            self.isAdministrator = isAdministrator
        }
    }

    package struct Settings: Hashable, Sendable {
        /// With no users and no token, everyone is an administrator.
        package var users: [User] = []
        /// Accepted as `Authorization: Bearer`; its holder is an administrator.
        package var token: String?
        package var version = Version.v72
        /// Refuse requests whose members are missing, additional, or out of order.
        package var isStrict = true
        package var rollUp = SimulatedRollUp.wait
        /// The procs that can be executed; empty for any.
        package var procs: [String] = []
        /// What a run that was started by a request does.
        package var executeLife = SimulatedLife([
            .init(after: .zero, state: .running), .init(after: .seconds(5), state: .complete),
        ])
        package var executeSegments = 2

        package init() {}
    }

    package struct Segment: Hashable, Sendable {
        package var name: String
        /// `nil` when it follows from the run's own life: segments finish in their order.
        package var life: SimulatedLife?

        package init(name: String, life: SimulatedLife? = nil) {
            self.name = name
            self.life = life
        }
    }

    package struct Run: Hashable, Sendable {
        package var id: String
        package var proc: String
        package var tag = ""
        package var user = ""
        package var segments: [Segment]
        package var life: SimulatedLife
        package var parameters: [JSONValue.Member] = []
        /// Lines of output of each stream and segment.
        package var outputLines = 2
        package var start: Instant

        package init(
            id: String, proc: String, segments: [Segment], life: SimulatedLife, start: Instant
        ) {
            self.id = id
            self.proc = proc
            self.segments = segments
            self.life = life
            self.start = start
        }

        func step(at now: Instant) -> SimulatedLife.Step { life.step(at: start.duration(to: now)) }

        /// The state of one segment, when the whole run is at `step`.
        func state(ofSegment index: Int, _ step: SimulatedLife.Step, at now: Instant)
            -> SimulatedState
        {
            if let life = segments[index].life {
                let state = life.step(at: start.duration(to: now)).state
                return state == .gone ? .pending : state
            }
            if step.state == .complete || index < Int(step.done) { return .complete }
            // One segment fails; the others were still at it, or had ended well.
            if step.state == .error, index > Int(step.done) { return .complete }
            return step.state
        }
    }

    package var settings: Settings
    package private(set) var runs: [String: Run] = [:]
    /// The IDs of the runs in the order of their coming.
    private var order: [String] = []
    package private(set) var polls: [String: Int] = [:]
    private var nextID = 1

    package init(settings: Settings = Settings()) {
        self.settings = settings
    }

    /// Adds a run, or replaces the one with its ID.
    package mutating func add(_ run: Run) {
        if runs.updateValue(run, forKey: run.id) == nil { order.append(run.id) }
        if let number = Int(run.id), number >= nextID, number < .max { nextID = number + 1 }
    }

    /// Loses every run, as a restart of the database may.
    package mutating func forget(at now: Instant) {
        for id in order { end(id, as: .gone, at: now) }
    }

    private mutating func end(_ id: String, as state: SimulatedState, at now: Instant) {
        guard var run = runs[id] else { return }
        let elapsed = run.start.duration(to: now)
        guard run.step(at: now).state != .gone || state == .gone else { return }
        run.life.end(at: elapsed, as: state)
        for index in run.segments.indices {
            guard let step = run.segments[index].life?.step(at: elapsed), !step.state.isFinal
            else { continue }
            run.segments[index].life?.end(at: elapsed, as: state)
        }
        runs[id] = run
    }

    // MARK: Answers

    /// Answers one request; `nil` when its path is none of Kinetica's.
    package mutating func answer(
        _ request: HTTPServerRequest, at now: Instant
    ) -> SimulatedAnswer? {
        let path = request.rawPath
        let known = Endpoint.allCases.first { path.hasSuffix("/\($0.rawValue)") }
        let base = path.split(separator: "/").first ?? ""
        guard known != nil || ["", "kinetica", "gpudb-0", "_gpudb"].contains(base) else {
            return nil
        }
        if request.method == "GET", known == nil {
            return SimulatedAnswer(
                status: 200, body: Array("Kinetica is running!".utf8), kind: .ping,
                contentType: "text/plain")
        }
        guard let known else { return refusal(.other, "Unknown URI", status: 404) }
        guard let caller = caller(request) else {
            var answer = refusal(known.kind, "Insufficient credentials", status: 401)
            answer.headers.append(("www-authenticate", "Basic realm=\"Kinetica\""))
            return answer
        }
        do throws(KineticaRequestError) {
            let body = try KineticaRequest(request, endpoint: known, isStrict: settings.isStrict)
            switch known {
            case .showProcStatus: return try status(body, caller, at: now)
            case .executeProc: return try execute(body, caller, at: now)
            case .killProc: return kill(body, caller, at: now)
            case .showSystemStatus: return systemStatus()
            case .showSystemProperties: return systemProperties()
            }
        } catch {
            var answer = refusal(known.kind, error.problem, status: error.status)
            answer.violation = "\(path): \(error.problem)"
            return answer
        }
    }

    enum Endpoint: String, CaseIterable {
        case showProcStatus = "show/proc/status"
        case executeProc = "execute/proc"
        case killProc = "kill/proc"
        case showSystemStatus = "show/system/status"
        case showSystemProperties = "show/system/properties"

        var kind: SimulatedRequestKind {
            switch self {
            case .showProcStatus: .single
            case .executeProc: .execute
            case .killProc: .kill
            case .showSystemStatus, .showSystemProperties: .system
            }
        }
    }

    private func caller(_ request: HTTPServerRequest) -> User? {
        if settings.users.isEmpty, settings.token == nil { return User(name: "", password: "") }
        guard let header = request.header("authorization") else { return nil }
        if let token = settings.token, header == "Bearer \(token)" {
            return User(name: "", password: "")
        }
        return settings.users.first {
            header == "Basic \(Base64.encode("\($0.name):\($0.password)".utf8))"
        }
    }

    private func isVisible(_ run: Run, to caller: User) -> Bool {
        caller.isAdministrator || run.user == caller.name
    }

    private mutating func status(
        _ request: KineticaRequest, _ caller: User, at now: Instant
    ) throws(KineticaRequestError) -> SimulatedAnswer {
        for (name, value) in request.options {
            let isKnown =
                name == "clear_complete" || (name == "run_tag" && settings.version.hasInfo)
            guard isKnown || !settings.isStrict else {
                throw KineticaRequestError("unknown option '\(name)'")
            }
            guard name != "clear_complete" || value == "true" || value == "false" else {
                throw KineticaRequestError("option 'clear_complete' is '\(value)'")
            }
        }
        let id = request.runID
        let tag = request.options["run_tag"]
        if !id.isEmpty { polls[id, default: 0] += 1 }
        let candidates = id.isEmpty ? order : [id]
        let found = candidates.compactMap { runs[$0] }.compactMap { run in
            let step = run.step(at: now)
            let isWanted =
                step.state != .gone && isVisible(run, to: caller) && (tag ?? run.tag) == run.tag
            return isWanted ? KineticaRow(run: run, step: step, now: now) : nil
        }
        let kind: SimulatedRequestKind = id.isEmpty ? (tag == nil ? .all : .tagged) : .single
        var answer = wrapped(
            "show_proc_status_response", KineticaRow.document(found, settings.version),
            kind: kind, run: id.isEmpty ? nil : id)
        if request.options["clear_complete"] == "true" {
            answer.clearsComplete = true
            for row in found where row.step.state.isFinal { end(row.run.id, as: .gone, at: now) }
        }
        return answer
    }

    private mutating func execute(
        _ request: KineticaRequest, _ caller: User, at now: Instant
    ) throws(KineticaRequestError) -> SimulatedAnswer {
        guard settings.procs.isEmpty || settings.procs.contains(request.procName) else {
            throw KineticaRequestError("proc '\(request.procName)' does not exist")
        }
        let id = String(nextID)
        let waits = request.options["execute_at_startup"] == "true"
        var run = Run(
            id: id, proc: request.procName,
            segments: (0..<max(1, settings.executeSegments)).map { Segment(name: "\($0)") },
            life: waits
                ? SimulatedLife([.init(after: .zero, state: .pending)]) : settings.executeLife,
            start: now)
        run.tag = request.options["run_tag"] ?? ""
        run.user = caller.name
        run.parameters = request.parameters
        add(run)
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("run_id", id)
        writer.emptyObject("info")
        writer.endObject()
        return wrapped("execute_proc_response", writer.text, kind: .execute, run: id)
    }

    private mutating func kill(
        _ request: KineticaRequest, _ caller: User, at now: Instant
    ) -> SimulatedAnswer {
        let tag = request.options["run_tag"]
        let candidates = request.runID.isEmpty ? order : [request.runID]
        let killed = candidates.filter { id in
            guard let run = runs[id], isVisible(run, to: caller), (tag ?? run.tag) == run.tag
            else { return false }
            let state = run.step(at: now).state
            return state == .running || state == .pending
        }
        for id in killed { end(id, as: .killed, at: now) }
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("run_ids")
        writer.beginArray()
        for id in killed { writer.string(id) }
        writer.endArray()
        writer.emptyObject("info")
        writer.endObject()
        return wrapped("kill_proc_response", writer.text, kind: .kill, run: request.runID)
    }

    private func systemStatus() -> SimulatedAnswer {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("status_map")
        writer.beginObject()
        writer.member(
            "system", #"{"status": "running", "version": "\#(settings.version.rawValue)"}"#)
        writer.member("ha_status", #"{"drained": "not_drained"}"#)
        writer.endObject()
        writer.emptyObject("info")
        writer.endObject()
        return wrapped("show_system_status_response", writer.text, kind: .system)
    }

    private func systemProperties() -> SimulatedAnswer {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("property_map")
        writer.beginObject()
        writer.member("version.gpudb_core_version", "\(settings.version.rawValue).3.0")
        writer.member("conf.enable_ha", "FALSE")
        writer.member("conf.enable_httpd_proxy", "FALSE")
        writer.member("conf.use_https", "FALSE")
        writer.member("conf.number_of_hosts", "1")
        writer.endObject()
        writer.emptyObject("info")
        writer.endObject()
        return wrapped("show_system_properties_response", writer.text, kind: .system)
    }

    // MARK: The wrapper

    private func wrapped(
        _ type: String, _ content: String, kind: SimulatedRequestKind, run: String? = nil
    ) -> SimulatedAnswer {
        let body = SimulatedKinetica.wrapper(isError: false, "", type, content)
        var answer = SimulatedAnswer(status: 200, body: body, kind: kind, run: run)
        answer.headers.append(("x-request-time-secs", "0.00021"))
        return answer
    }

    private func refusal(
        _ kind: SimulatedRequestKind, _ message: String, status: Int = 400
    ) -> SimulatedAnswer {
        SimulatedAnswer(
            status: status,
            body: SimulatedKinetica.wrapper(isError: true, message, "none", ""), kind: kind)
    }

    /// The wrapper around every answer, its members in their order.
    static func wrapper(
        isError: Bool, _ message: String, _ type: String, _ content: String
    ) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("status", isError ? "ERROR" : "OK")
        writer.member("message", message)
        writer.member("data_type", type)
        writer.member("data", "")
        writer.member("data_str", content)
        writer.endObject()
        return writer.bytes
    }

    // MARK: Truth

    /// Every run as it is, in the order of their coming.
    package func truths(at now: Instant, clock: SimulatedClock) -> [SimulatedTruth] {
        order.compactMap { runs[$0] }.map { run in
            let step = run.step(at: now)
            let total = Int32(run.segments.count)
            return SimulatedTruth(
                service: .kinetica, id: run.id, state: step.state,
                done: step.state == .complete ? total : min(step.done, total), total: total,
                changes: run.life.changes(until: run.start.duration(to: now)).map {
                    SimulatedTruth.Change(
                        state: $0.state, at: clock.moment(of: run.start.advanced(by: $0.after)))
                }, polls: polls[run.id] ?? 0)
        }
    }
}

extension JSONWriter {
    mutating func emptyObject(_ name: String) {
        key(name)
        beginObject()
        endObject()
    }
}
