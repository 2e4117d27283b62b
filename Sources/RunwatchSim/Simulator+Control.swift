import RunwatchCore
import RunwatchHTTP

/// The paths under `/sim`.
extension Simulator {
    func control(_ request: HTTPServerRequest) async -> HTTPServerReply {
        let parts = request.pathParts ?? []
        switch (request.method, parts.dropFirst().first ?? "", parts.count) {
        case ("GET", "runs", 2): return document { writeRuns(request, to: &$0) }
        case ("POST", "runs", 2): return addRuns(request)
        case ("GET", "faults", 2): return document { $0.count("rules", faults.rules.count) }
        case ("POST", "faults", 2): return replaceFaults(request)
        case ("GET", "statistics", 2): return document { statistics.write(to: &$0) }
        case ("POST", "forget", 2):
            forget()
            return document { $0.count("forgotten", kinetica.runs.count) }
        case ("POST", "hooks", 3): return await receive(request, at: parts[2])
        case ("GET", "hooks", 3): return document { writeHooks(parts[2], request, to: &$0) }
        case ("DELETE", "hooks", 3):
            hooks[parts[2]] = nil
            return document { $0.count("total", 0) }
        case ("POST", "hooks", 4) where parts[3] == "answers":
            return setAnswers(request, at: parts[2])
        default: return problem("no such thing: \(request.method) \(request.rawPath)", status: 404)
        }
    }

    private func document(_ write: (inout JSONWriter) -> Void) -> HTTPServerReply {
        var writer = JSONWriter()
        write(&writer)
        return .response(.json(writer.bytes))
    }

    private func problem(_ text: String, status: Int = 400) -> HTTPServerReply {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("error", text)
        writer.endObject()
        return .response(.json(writer.bytes, status: status))
    }

    // MARK: Runs and faults

    private func writeRuns(_ request: HTTPServerRequest, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("runs")
        writer.beginArray()
        for truth in truths() {
            if let service = request.parameter("service"), service != truth.service.rawValue {
                continue
            }
            if let id = request.parameter("id"), id != truth.id { continue }
            write(truth, to: &writer)
        }
        writer.endArray()
        writer.endObject()
    }

    private func write(_ truth: SimulatedTruth, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("service", truth.service.rawValue)
        writer.member("id", truth.id)
        writer.member("state", truth.state.rawValue)
        writer.member("since", truth.since)
        writer.key("progress")
        writer.beginObject()
        writer.member("done", truth.done)
        writer.member("total", truth.total)
        writer.endObject()
        writer.member("polls", truth.polls)
        writer.key("changes")
        writer.beginArray()
        for change in truth.changes {
            writer.beginObject()
            writer.member("state", change.state.rawValue)
            writer.member("at", change.at)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
    }

    private func addRuns(_ request: HTTPServerRequest) -> HTTPServerReply {
        do throws(SimulationScriptError) {
            let runs = try SimulationScript.runs(
                json: request.body, rollUp: kinetica.settings.rollUp)
            add(runs)
            return document { writer in
                writer.beginObject()
                writer.key("added")
                writer.beginArray()
                for run in runs {
                    writer.beginObject()
                    switch run {
                    case .krixik(let run):
                        writer.member("service", SimulatedService.krixik.rawValue)
                        writer.member("id", run.id)
                    case .kinetica(let run):
                        writer.member("service", SimulatedService.kinetica.rawValue)
                        writer.member("id", run.id)
                    }
                    writer.endObject()
                }
                writer.endArray()
                writer.endObject()
            }
        } catch {
            return problem(error.description)
        }
    }

    private func replaceFaults(_ request: HTTPServerRequest) -> HTTPServerReply {
        do throws(SimulationScriptError) {
            setFaults(try SimulationScript.faults(json: request.body))
            return document { $0.count("rules", faults.rules.count) }
        } catch {
            return problem(error.description)
        }
    }

    // MARK: Webhooks

    private func receive(_ request: HTTPServerRequest, at name: String) async -> HTTPServerReply {
        guard hooks[name] != nil || hooks.count < 1000 else {
            return problem("more than 1000 places for webhooks", status: 507)
        }
        let answer = hooks[name, default: SimulatedHooks()]
            .receive(request, at: clock.moment(of: now))
        // Ends early when the peer goes away; then nobody reads the answer.
        if answer.wait > .zero { try? await Task.sleep(for: answer.wait) }
        if answer.status == nil {
            switch answer.fault {
            case .hang: return .hang
            case .reset: return .reset
            case .cut: return .raw(Array("HTTP/1.1 200 OK\r\nContent-Ty".utf8))
            default: return .close
            }
        }
        let status = answer.status ?? 200
        var headers = [(name: "content-type", value: "text/plain")]
        if let seconds = answer.retryAfter { headers.append(("retry-after", String(seconds))) }
        return .response(
            HTTPServerResponse(
                status: status, headers: headers, body: .bytes(Array("simulated\n".utf8))))
    }

    private func writeHooks(
        _ name: String, _ request: HTTPServerRequest, to writer: inout JSONWriter
    ) {
        let place = hooks(at: name)
        let since = request.parameter("since").flatMap { Int($0) } ?? 0
        writer.beginObject()
        writer.member("total", place.total)
        writer.member("dropped", place.dropped)
        writer.key("hooks")
        writer.beginArray()
        for hook in place.received where hook.index >= since {
            writer.beginObject()
            writer.member("index", hook.index)
            writer.member("at", hook.at)
            writer.member("webhook_id", hook.webhookID)
            writer.member("status", hook.status)
            writer.key("headers")
            writer.beginArray()
            for header in hook.headers {
                writer.beginArray()
                writer.string(header.name)
                writer.string(header.value)
                writer.endArray()
            }
            writer.endArray()
            writer.member("body", String(decoding: hook.body, as: UTF8.self))
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
    }

    /// Reads `[500, {"status": 429, "retry_after": 2}, "reset"]`, or that as `answers` beside a `then`.
    private func setAnswers(_ request: HTTPServerRequest, at name: String) -> HTTPServerReply {
        do throws(SimulationScriptError) {
            let document = try SimulationScript.document(request.body)
            var list: ScriptValue? = document
            var last: ScriptValue?
            if document.value.members != nil {
                try document.only("answers", "then")
                list = document.member("answers")
                last = document.member("then")
            }
            let answers = try list?.elements().map { (value) throws(SimulationScriptError) in
                try SimulatedHooks.Answer(script: value)
            }
            let then = try last.map { (value) throws(SimulationScriptError) in
                try SimulatedHooks.Answer(script: value)
            }
            answerHooks(at: name, with: answers ?? [], then: then ?? .accepted)
            return self.document { $0.count("answers", answers?.count ?? 0) }
        } catch {
            return problem(error.description)
        }
    }
}

extension SimulatedHooks.Answer {
    /// Reads a status, a fault's name, or an object with `status` or `fault`, `retry_after` and `wait`.
    init(script value: ScriptValue) throws(SimulationScriptError) {
        self.init(status: nil)
        switch value.value {
        case .integer: status = try value.integer(200...599)
        case .string: fault = try value.word(SimulatedFault.Kind.self)
        default:
            try value.only("status", "fault", "retry_after", "wait")
            status = try value.member("status")?.integer(200...599)
            fault = try value.member("fault")?.word(SimulatedFault.Kind.self)
            retryAfter = try value.member("retry_after").map {
                (value) throws(SimulationScriptError) in Int64(try value.integer(0...1_000_000))
            }
            if let wait = try value.member("wait")?.duration() { self.wait = wait }
        }
        guard status != nil || [.reset, .close, .hang, .cut].contains(fault) else {
            throw value.failure("a status, or one of reset, close, hang and cut, was expected")
        }
    }
}

extension JSONWriter {
    fileprivate mutating func count(_ name: String, _ value: Int) {
        beginObject()
        member(name, value)
        endObject()
    }
}
