import RunwatchCore
import RunwatchHTTP

/// What is wrong with a request to Kinetica.
struct KineticaRequestError: Error {
    var problem: String
    var status = 400

    init(_ problem: String) {
        self.problem = problem
    }
}

/// A request to one of Kinetica's endpoints, checked for the members, their order and their types.
struct KineticaRequest {
    private enum Shape {
        case text
        case texts
        /// Name → text.
        case map
        /// Name → list of texts.
        case lists
    }

    /// Empty where the endpoint has none.
    private(set) var runID = ""
    private(set) var procName = ""
    private(set) var options: [String: String] = [:]
    private(set) var parameters: [JSONValue.Member] = []

    init(
        _ request: HTTPServerRequest, endpoint: SimulatedKinetica.Endpoint, isStrict: Bool
    ) throws(KineticaRequestError) {
        guard request.method == "POST" else {
            throw KineticaRequestError("the method is \(request.method), not POST")
        }
        let type = request.header("content-type")?.lowercased() ?? "missing"
        guard type == "application/json" || !isStrict else {
            throw KineticaRequestError("the content type is \(type), not application/json")
        }
        guard case .object(let members)? = try? JSONValue(parsing: request.body) else {
            // Where exactly the text is broken does not matter to the caller of a simulated service.
            throw KineticaRequestError("the body is not a JSON object")
        }
        let wanted = KineticaRequest.members(of: endpoint)
        if isStrict, members.map(\.name) != wanted.map(\.name) {
            let given = members.map(\.name).joined(separator: ", ")
            let order = wanted.map(\.name).joined(separator: ", ")
            throw KineticaRequestError("the members are \(given), not \(order)")
        }
        for (name, shape) in wanted {
            guard let value = members.first(where: { $0.name == name })?.value else {
                if isStrict { throw KineticaRequestError("member '\(name)' is missing") }
                continue
            }
            guard KineticaRequest.has(value, shape) else {
                throw KineticaRequestError("member '\(name)' has a wrong type")
            }
            take(name, value)
        }
    }

    private static func members(
        of endpoint: SimulatedKinetica.Endpoint
    ) -> [(name: String, shape: Shape)] {
        switch endpoint {
        case .showProcStatus, .killProc: [("run_id", .text), ("options", .map)]
        case .executeProc:
            [
                ("proc_name", .text), ("params", .map), ("bin_params", .map),
                ("input_table_names", .texts), ("input_column_names", .lists),
                ("output_table_names", .texts), ("options", .map),
            ]
        case .showSystemStatus, .showSystemProperties: [("options", .map)]
        }
    }

    private static func has(_ value: JSONValue, _ shape: Shape) -> Bool {
        switch shape {
        case .text: value.stringValue != nil
        case .texts: value.arrayValue?.allSatisfy { $0.stringValue != nil } ?? false
        case .map: value.members?.allSatisfy { $0.value.stringValue != nil } ?? false
        case .lists: value.members?.allSatisfy { has($0.value, .texts) } ?? false
        }
    }

    private mutating func take(_ name: String, _ value: JSONValue) {
        switch name {
        case "run_id": runID = value.stringValue ?? ""
        case "proc_name": procName = value.stringValue ?? ""
        case "params": parameters = value.members ?? []
        case "options":
            for member in value.members ?? [] { options[member.name] = member.value.stringValue }
        default: break
        }
    }
}

/// One run in a status answer.
struct KineticaRow {
    var run: SimulatedKinetica.Run
    var step: SimulatedLife.Step
    var now: Instant

    /// The content of `data_str`: maps keyed by run, in the order of the real server.
    static func document(_ rows: [KineticaRow], _ version: SimulatedKinetica.Version) -> String {
        var writer = JSONWriter()
        writer.beginObject()
        func map(_ name: String, _ value: (KineticaRow, inout JSONWriter) -> Void) {
            writer.key(name)
            writer.beginObject()
            for row in rows {
                writer.key(row.run.id)
                value(row, &writer)
            }
            writer.endObject()
        }
        func segments(_ name: String, _ value: (KineticaRow, Int, inout JSONWriter) -> Void) {
            map(name) { row, writer in
                writer.beginObject()
                for (index, segment) in row.run.segments.enumerated() {
                    writer.key(segment.name)
                    value(row, index, &writer)
                }
                writer.endObject()
            }
        }
        map("proc_names") { $1.string($0.run.proc) }
        map("params") { $0.writeParameters(&$1) }
        map("bin_params") {
            $1.bytes("blob", [0x00, 0x1F, 0x7F, 0x80, 0xFF], isWanted: !$0.isTerse)
        }
        map("input_table_names") { $1.strings($0.isTerse ? [] : ["input"]) }
        map("input_column_names") { $1.columns($0.isTerse ? [] : ["id", "value"]) }
        map("output_table_names") { $1.strings($0.isTerse ? [] : ["output"]) }
        map("options") { row, writer in
            writer.beginObject()
            if !row.run.tag.isEmpty { writer.member("run_tag", row.run.tag) }
            writer.endObject()
        }
        map("overall_statuses") { $1.string($0.step.state.kineticaWord) }
        segments("statuses") { $2.string($0.state(of: $1).kineticaWord) }
        segments("messages") { $2.string($0.message(of: $1)) }
        segments("results") { row, index, writer in
            writer.beginObject()
            if row.state(of: index) == .complete { writer.member("rows", "\(index * 1000)") }
            writer.endObject()
        }
        segments("bin_results") { _, _, writer in writer.bytes("", [], isWanted: false) }
        if version.hasOutput { segments("output") { $0.writeOutput(of: $1, &$2) } }
        if version.hasTimings { segments("timings") { $0.writeTimings(of: $1, &$2) } }
        if version.hasInfo { writer.emptyObject("info") }
        writer.endObject()
        return writer.text
    }

    /// A run without output lines is kept as short as it can be, for answers with many.
    private var isTerse: Bool { run.outputLines == 0 }

    private func state(of index: Int) -> SimulatedState {
        run.state(ofSegment: index, step, at: now)
    }

    private func message(of index: Int) -> String {
        switch state(of: index) {
        case .error: step.message.isEmpty ? "exit code 1" : step.message
        case .running: step.message
        default: ""
        }
    }

    private func writeParameters(_ writer: inout JSONWriter) {
        writer.beginObject()
        for parameter in run.parameters {
            writer.member(parameter.name, parameter.value.stringValue)
        }
        // Parameters of real runs hold what nobody should see in a log.
        if !isTerse { writer.member("api_token", "sk-sim-secret-\(run.id)") }
        writer.endObject()
    }

    private func writeOutput(of index: Int, _ writer: inout JSONWriter) {
        writer.beginObject()
        for stream in ["stdout", "stderr"] {
            writer.key(stream)
            let first = max(0, run.outputLines - 100)
            writer.strings(
                (first..<max(first, run.outputLines)).map {
                    "\(stream) \($0): \u{1B}[1mline\u{1B}[0m"
                })
        }
        writer.endObject()
    }

    private func writeTimings(of index: Int, _ writer: inout JSONWriter) {
        writer.beginObject()
        if state(of: index) != .pending {
            let elapsed = run.start.duration(to: now).wholeMilliseconds
            writer.member("total", max(0, elapsed))
            // One more than a double can hold exactly.
            if !isTerse { writer.member("device_ns", 9_007_199_254_740_993 + Int64(index)) }
        }
        writer.endObject()
    }
}

extension JSONWriter {
    fileprivate mutating func strings(_ values: [String]) {
        beginArray()
        for value in values { string(value) }
        endArray()
    }

    fileprivate mutating func columns(_ names: [String]) {
        beginObject()
        if !names.isEmpty {
            key("input")
            strings(names)
        }
        endObject()
    }

    /// Bytes as the clients expect them: each one a code point from U+0000 to U+00FF.
    fileprivate mutating func bytes(_ name: String, _ bytes: [UInt8], isWanted: Bool) {
        beginObject()
        if isWanted {
            var text = ""
            for byte in bytes { text.unicodeScalars.append(Unicode.Scalar(byte)) }
            member(name, text)
        }
        endObject()
    }
}
