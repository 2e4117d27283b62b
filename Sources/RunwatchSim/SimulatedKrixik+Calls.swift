package import RunwatchCore
import RunwatchHTTP

/// The calls around the status call: check-in, process, upload, delete, list and output.
extension SimulatedKrixik {
    struct BodyProblem: Error {
        var text: String
    }

    /// Reads an object of strings that has exactly these members, in any order.
    static func strings(
        _ body: [UInt8], exactly names: [String]
    ) -> Result<[String: String], BodyProblem> {
        guard case .object(let members)? = try? JSONValue(parsing: body) else {
            // What is wrong with the text does not matter to the caller of a simulated service.
            return .failure(BodyProblem(text: "the body is not a JSON object"))
        }
        var values: [String: String] = [:]
        for member in members {
            guard names.contains(member.name) else {
                return .failure(BodyProblem(text: "unknown member '\(member.name)'"))
            }
            guard let text = member.value.stringValue else {
                return .failure(BodyProblem(text: "member '\(member.name)' is not a string"))
            }
            guard values.updateValue(text, forKey: member.name) == nil else {
                return .failure(BodyProblem(text: "member '\(member.name)' is there twice"))
            }
        }
        for name in names where values[name] == nil {
            return .failure(BodyProblem(text: "member '\(name)' is missing"))
        }
        return .success(values)
    }

    static func uploadedFile(_ path: String) -> String? {
        let parts = path.split(separator: "/")
        guard parts.count >= 2, parts[parts.count - 2] == "krixik-upload" else { return nil }
        return String(parts[parts.count - 1])
    }

    mutating func checkIn(_ request: HTTPServerRequest) -> SimulatedAnswer {
        // JSON in a JSON string; any white space around is as good.
        let body = try? JSONValue(parsing: request.body)
        guard body == .string("{}") else {
            return refusal(.checkIn, "the body is not the string '{}'", isViolation: true)
        }
        return object(.checkIn) { $0.member("message", "SUCCESS: checked in") }
    }

    mutating func process(_ request: HTTPServerRequest, at now: Instant) -> SimulatedAnswer {
        let wanted = [
            "pipeline", "pipeline_ordered_modules", "pipeline_output_process_keys", "modules",
            "version", "file_name", "symbolic_directory_path", "file_tags", "file_description",
            "expire_time",
        ]
        let body = try? JSONValue(parsing: request.body)
        for name in wanted where body?[name] == nil {
            return refusal(.process, "member '\(name)' is missing", isViolation: true)
        }
        guard let pipeline = body?["pipeline"]?.stringValue, !pipeline.isEmpty else {
            return refusal(.process, "member 'pipeline' is not a name", isViolation: true)
        }
        let modules = (body?["pipeline_ordered_modules"]?.arrayValue ?? []).enumerated()
            .map { $0.element.stringValue ?? "module-\($0.offset + 1)" }
        let expiry = body?["expire_time"]?.integerValue ?? 1800
        let id = SimulatedKrixik.makeID(&generator)
        // Without its upload the process is removed after a minute.
        var life = SimulatedLife([
            .init(after: .zero, state: .running), .init(after: .seconds(60), state: .gone),
        ])
        if expiry < 60 { life.end(at: .seconds(max(0, expiry)), as: .gone) }
        add(
            Run(
                id: id, pipeline: pipeline, modules: modules.isEmpty ? ["parser"] : modules,
                life: life, start: now))
        expiries[id] = .seconds(max(0, expiry))
        let file = SimulatedKrixik.fileID(of: id)
        let host = request.header("host") ?? "127.0.0.1"
        return object(.process, run: id, requestID: id) {
            $0.member("file_id", file)
            $0.key("presigned_post_url_results")
            $0.beginObject()
            $0.member("url", "http://\(host)/krixik/krixik-upload/\(file)")
            $0.key("fields")
            $0.beginObject()
            $0.member("key", file)
            $0.endObject()
            $0.endObject()
            $0.member("message", "SUCCESS: process started")
        }
    }

    mutating func upload(
        _ file: String, _ request: HTTPServerRequest, at now: Instant
    ) -> SimulatedAnswer {
        let isForm = request.header("content-type")?.lowercased().hasPrefix("multipart/form-data")
        guard let id = runsByFile[file], let run = runs[id], run.step(at: now).state != .gone,
            request.method == "POST", isForm == true
        else {
            return SimulatedAnswer(
                status: 403, body: Array("<Error><Code>AccessDenied</Code></Error>".utf8),
                kind: .upload, contentType: "application/xml")
        }
        let elapsed = run.start.duration(to: now)
        let expiry = expiries[id] ?? .seconds(1800)
        let processLife = settings.processLife
        update(id) {
            $0.life.go(on: processLife, at: elapsed)
            $0.life.end(at: max(expiry, elapsed), as: .gone)
        }
        return SimulatedAnswer(status: 204, body: [], kind: .upload, run: id, contentType: "")
    }

    mutating func delete(_ request: HTTPServerRequest, at now: Instant) -> SimulatedAnswer {
        let names = ["pipeline", "version", "file_id"]
        let values: [String: String]
        switch SimulatedKrixik.strings(request.body, exactly: names) {
        case .failure(let problem): return refusal(.delete, problem.text, isViolation: true)
        case .success(let found): values = found
        }
        guard let id = runsByFile[values["file_id"] ?? ""], let run = runs[id],
            run.step(at: now).state != .gone, run.pipeline == values["pipeline"]
        else { return refusal(.delete, "file_id not found") }
        let isFinal = run.step(at: now).state.isFinal
        if isFinal { update(id) { $0.life.end(at: $0.start.duration(to: now), as: .gone) } }
        return object(.delete, run: id) {
            $0.member("pipeline", run.pipeline)
            $0.member(
                "message",
                isFinal
                    ? "SUCCESS: file deleted"
                    : "FAILURE: file is still processing and cannot be deleted")
            $0.key("warnings")
            $0.beginArray()
            $0.endArray()
        }
    }

    mutating func list(
        _ request: HTTPServerRequest, at now: Instant, clock: SimulatedClock
    ) -> SimulatedAnswer {
        let body = try? JSONValue(parsing: request.body)
        guard let pipeline = body?["pipeline"]?.stringValue else {
            return refusal(.list, "member 'pipeline' is not a string", isViolation: true)
        }
        let found = runs.values.filter {
            $0.pipeline == pipeline && $0.step(at: now).state != .gone
        }.sorted { ($0.start, $0.id) < ($1.start, $1.id) }
        return object(.list) {
            $0.key("items")
            $0.beginArray()
            for run in found.prefix(Int(clamping: body?["max_files"]?.integerValue ?? 1000)) {
                let started = clock.moment(of: run.start).description
                let text = started.prefix(19).map { $0 == "T" ? " " : $0 }
                $0.beginObject()
                $0.member("process_id", run.id)
                $0.member("file_id", SimulatedKrixik.fileID(of: run.id))
                $0.member("pipeline", run.pipeline)
                $0.member("created_at", String(text))
                $0.member("last_updated", String(text))
                $0.endObject()
            }
            $0.endArray()
            $0.member("message", "SUCCESS: listed")
        }
    }

    mutating func fetchOutput(_ request: HTTPServerRequest) -> SimulatedAnswer {
        object(.output) {
            $0.key("process_output")
            $0.null()
            $0.member("message", "SUCCESS: output fetched")
        }
    }

    private mutating func object(
        _ kind: SimulatedRequestKind, run: String? = nil, requestID id: String? = nil,
        _ members: (inout JSONWriter) -> Void
    ) -> SimulatedAnswer {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("request_id", id ?? requestID())
        members(&writer)
        writer.endObject()
        return SimulatedAnswer(status: 200, body: writer.bytes, kind: kind, run: run)
    }

    // MARK: Truth

    /// Every run as it is, in the order of their starts.
    package func truths(at now: Instant, clock: SimulatedClock) -> [SimulatedTruth] {
        runs.values.sorted { ($0.start, $0.id) < ($1.start, $1.id) }.map { run in
            let elapsed = run.start.duration(to: now)
            let step = run.life.step(at: elapsed)
            let total = Int32(run.modules.count)
            return SimulatedTruth(
                service: .krixik, id: run.id, state: step.state,
                done: step.state == .complete ? total : min(step.done, total), total: total,
                changes: run.life.changes(until: elapsed).map {
                    SimulatedTruth.Change(
                        state: $0.state, at: clock.moment(of: run.start.advanced(by: $0.after)))
                }, polls: polls[run.id] ?? 0)
        }
    }
}
