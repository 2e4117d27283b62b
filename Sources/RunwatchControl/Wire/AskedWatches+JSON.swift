package import RunwatchCore

/// The body of `POST /v1/watches`: types are checked here, values by whoever knows the configuration.
extension AskedWatches {
    private static let keys = [
        "service", "id", "ids", "label", "group", "pipeline", "notify", "poll", "deadline",
        "pending_after", "stall_after", "not_found_grace",
    ]
    private static let pollKeys = ["initial", "factor", "max", "jitter"]

    /// Reads a body.
    ///
    /// - Throws: A problem that names the place: a member that is unknown, stands twice or is of another
    ///   type.
    package init(json value: JSONValue) throws(Problem) {
        let body = try BodyObject(value, place: "", known: AskedWatches.keys)
        guard let service = try body.text("service") else {
            throw Problem(.badBody, "'service' is missing: the name of one of the services.")
        }
        self.init(service: service, ids: try AskedWatches.ids(body))
        label = try body.text("label")
        group = try body.text("group")
        pipeline = try body.text("pipeline")
        notify = try body.texts("notify")
        deadline = try body.text("deadline")
        pendingAfter = try body.text("pending_after")
        stallAfter = try body.text("stall_after")
        notFoundGrace = try body.text("not_found_grace")
        if let value = body["poll"] {
            let object = try BodyObject(value, place: "poll", known: AskedWatches.pollKeys)
            poll = Poll(
                initial: try object.text("initial"), factor: try object.numberText("factor"),
                maximum: try object.text("max"), jitter: try object.numberText("jitter"))
        }
    }

    private static func ids(_ body: BodyObject) throws(Problem) -> [String] {
        let one = try body.text("id")
        let many = try body.texts("ids")
        switch (one, many) {
        case (let id?, nil): return [id]
        case (nil, let ids?):
            guard !ids.isEmpty else {
                throw Problem(.badBody, "ids: is empty; name a run, or several.")
            }
            guard ids.count <= AskedWatches.longest else {
                throw Problem(
                    .badBody,
                    "ids: holds \(ids.count) IDs; a request takes \(AskedWatches.longest) at most: "
                        + "send several.")
            }
            return ids
        case (nil, nil):
            throw Problem(.badBody, "'ids' is missing: the IDs of the runs; or 'id', for one.")
        default: throw Problem(.badBody, "'id' cannot stand beside 'ids'; keep one.")
        }
    }

    /// The body, as a client writes it.
    package var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("service", service)
        writer.texts("ids", ids)
        writer.member("label", label)
        writer.member("group", group)
        writer.member("pipeline", pipeline)
        if let notify { writer.texts("notify", notify) }
        if let poll {
            writer.key("poll")
            writer.beginObject()
            writer.member("initial", poll.initial)
            writer.member("factor", poll.factor)
            writer.member("max", poll.maximum)
            writer.member("jitter", poll.jitter)
            writer.endObject()
        }
        writer.member("deadline", deadline)
        writer.member("pending_after", pendingAfter)
        writer.member("stall_after", stallAfter)
        writer.member("not_found_grace", notFoundGrace)
        writer.endObject()
        return writer.bytes
    }
}

/// An object of a request's body: every member is known, stands once and has the type that is asked for.
///
/// Stricter than what clients are with answers: what a request says and nobody reads, nobody does.
private struct BodyObject {
    private let members: [JSONValue.Member]
    private let outer: String

    /// - Parameter place: Of the object in the body; empty for the body itself.
    init(_ value: JSONValue, place: String, known: [String]) throws(Problem) {
        guard let members = value.members else {
            let what = place.isEmpty ? "The body" : "\(place):"
            throw Problem(.badBody, "\(what) must be an object, not \(BodyObject.type(of: value)).")
        }
        outer = place.isEmpty ? "" : "\(place)."
        self.members = members
        var seen: Set<String> = []
        for member in members {
            let name = "'\(outer)\(TerminalText.shortened(member.name, to: 64))'"
            guard known.contains(member.name) else {
                let near = NearestName.find(member.name, among: known)
                throw Problem(
                    .badBody,
                    "\(name) is unknown here; "
                        + (near.map { "did you mean '\(outer)\($0)'?" }
                            ?? "there are: \(known.joined(separator: ", "))."))
            }
            guard seen.insert(member.name).inserted else {
                throw Problem(.badBody, "\(name) stands twice.")
            }
        }
    }

    subscript(name: String) -> JSONValue? { members.first { $0.name == name }?.value }

    func text(_ name: String) throws(Problem) -> String? {
        guard let value = self[name] else { return nil }
        guard let text = value.stringValue else { throw fault(name, "text", value) }
        return text
    }

    /// A number, as a number or as text.
    func numberText(_ name: String) throws(Problem) -> String? {
        switch self[name] {
        case nil: return nil
        case .integer(let number): return "\(number)"
        case .number(let number): return JSONValue.plain(number)
        case .string(let text): return text
        case .some(let value): throw fault(name, "a number", value)
        }
    }

    func texts(_ name: String) throws(Problem) -> [String]? {
        guard let value = self[name] else { return nil }
        guard let elements = value.arrayValue else { throw fault(name, "a list of text", value) }
        var texts: [String] = []
        texts.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            guard let text = element.stringValue else {
                throw fault("\(name)[\(index)]", "text", element)
            }
            texts.append(text)
        }
        return texts
    }

    private func fault(_ name: String, _ wanted: String, _ value: JSONValue) -> Problem {
        let remedy =
            switch value {
            case .null: "; leave it out for the default"
            case .integer, .number: wanted.hasSuffix("text") ? "; write it in quotes" : ""
            default: ""
            }
        return Problem(
            .badBody,
            "\(outer)\(name): must be \(wanted), not \(BodyObject.type(of: value))\(remedy).")
    }

    private static func type(of value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "true or false"
        case .integer, .number: "a number"
        case .string: "text"
        case .array: "a list"
        case .object: "an object"
        }
    }
}

extension JSONValue {
    /// A number as people write it: a small one with its zeros instead of an exponent.
    fileprivate static func plain(_ number: Double) -> String {
        guard number > 0, number < 1e-3 else { return "\(number)" }
        let digits = String(Int64((number * 1e15).rounded()))
        return "0." + String(repeating: "0", count: 15 - digits.count) + digits
    }
}
