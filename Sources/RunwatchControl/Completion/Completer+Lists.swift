import RunwatchCore

/// The watches of a service whose IDs begin with a text.
struct WatchSearch {
    var service: String
    var run: String
    /// Names that are not wanted again.
    var given: Set<String>

    var prefix: String { "\(service)/\(run)" }

    /// A name before all that begin with the prefix, and behind all that an ID can be before those.
    ///
    /// Lists go by name, byte by byte, and UTF-8 orders as its scalars do: so the last scalar's predecessor,
    /// followed by the last scalar of all, stands right before. What it lets through in vain is left out later.
    var before: WatchName? {
        var scalars = Array(run.unicodeScalars)
        guard let last = scalars.popLast(), last.value > 0 else { return nil }
        let value = last.value == 0xE000 ? 0xD7FF : last.value - 1
        guard let scalar = Unicode.Scalar(value) else { return nil }
        var text = String.UnicodeScalarView(scalars)
        text.append(scalar)
        text.append("\u{10FFFF}")
        return WatchName(service: service, run: String(text))
    }
}

// What the daemon lists, a page at a time, until there is enough of it or the time is over.
extension Completer {
    func find(
        _ search: WatchSearch, _ choice: CompletionGoal.Choice
    ) throws(ControlFailure) -> [Completion.Candidate] {
        let ended = RunState.allCases.filter(\.isFinal).map(\.name).joined(separator: ",")
        switch choice {
        case .all: return try watches(search, [])
        case .active: return try watches(search, [("active", "true")])
        case .preferablyActive:
            let active = try watches(search, [("active", "true")])
            return active.isEmpty ? try watches(search, []) : active
        case .ended: return try watches(search, [("state", ended)])
        case .transient: return try watches(search, [], isTransientOnly: true)
        }
    }

    private func watches(
        _ search: WatchSearch, _ conditions: [(String, String?)], isTransientOnly: Bool = false
    ) throws(ControlFailure) -> [Completion.Candidate] {
        var found: [Completion.Candidate] = []
        let cursor = search.before.map(WatchCursor.encode)
        try pages(
            "/v1/watches", "watches", [("service", search.service)] + conditions, cursor: cursor,
            limit: isTransientOnly ? nil : Completer.maximumCandidates
        ) { (reader) throws(JSONError) in
            let row = try ListedWatch(&reader)
            guard Completer.begins(row.name, with: search.prefix) else {
                return row.name.utf8.lexicographicallyPrecedes(search.prefix.utf8)
            }
            if !search.given.contains(row.name), !isTransientOnly || row.origin == "transient" {
                found.append(Completion.Candidate(row.name, row.help))
            }
            return found.count < Completer.maximumCandidates
        }
        return found
    }

    /// The API has no list of groups, so they come from the watches: of a long list perhaps not all.
    func groups(_ prefix: String) throws(ControlFailure) -> [Completion.Candidate] {
        var found: Set<String> = []
        try pages("/v1/watches", "watches", []) { (reader) throws(JSONError) in
            if let group = try ListedWatch(&reader).group, Completer.begins(group, with: prefix) {
                found.insert(group)
            }
            return found.count < Completer.maximumCandidates
        }
        return found.sorted().map { Completion.Candidate($0) }
    }

    func failedDeliveries(_ goal: CompletionGoal) throws(ControlFailure) -> [Completion.Candidate] {
        var found: [Completion.Candidate] = []
        let conditions: [(String, String?)] = [("state", "failed"), ("order", "desc")]
        try pages("/v1/deliveries", "deliveries", conditions) { (reader) throws(JSONError) in
            let row = try ListedDelivery(&reader)
            if Completer.begins(row.id, with: goal.prefix), !goal.given.contains(row.id) {
                found.append(Completion.Candidate(row.id, row.help))
            }
            return found.count < Completer.maximumCandidates
        }
        return found
    }

    /// Goes through a list until `body`, which reads one element, has enough.
    private func pages(
        _ path: String, _ key: String, _ conditions: [(String, String?)], cursor: String? = nil,
        limit: Int? = nil, _ body: (inout JSONReader) throws(JSONError) -> Bool
    ) throws(ControlFailure) {
        let end = time.now().advanced(by: limits.budget)
        let limit = limit ?? ControlParameters.limits.upperBound
        var cursor = cursor
        repeat {
            let query = conditions + [("limit", "\(limit)"), ("cursor", cursor)]
            let bytes = try client.get(
                ControlPath.query(path, query), within: limits.patience)
            do throws(JSONError) {
                var next: String?
                guard try Completer.page(bytes, key, next: &next, body), next != cursor
                else { return }
                cursor = next
            } catch {
                throw client.stranger("its list cannot be read: \(error)")
            }
        } while cursor != nil && time.now() < end
    }

    /// - Returns: `false` when `body` has enough.
    private static func page(
        _ bytes: [UInt8], _ key: String, next: inout String?,
        _ body: (inout JSONReader) throws(JSONError) -> Bool
    ) throws(JSONError) -> Bool {
        var reader = try JSONReader(bytes)
        try reader.beginObject()
        while let name = try reader.nextKey() {
            switch name {
            case key:
                try reader.beginArray()
                while try reader.nextElement() {
                    guard try body(&reader) else { return false }
                }
            case "next": next = try reader.string()
            default: try reader.skip()
            }
        }
        return true
    }
}

/// What completions need of a watch in a list; the rest of it is skipped, not kept.
private struct ListedWatch {
    var name = ""
    var state = ""
    var label: String?
    var group: String?
    var origin: String?

    init(_ reader: inout JSONReader) throws(JSONError) {
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "name": name = try reader.string()
            case "state": state = try reader.string()
            case "label": label = try reader.string()
            case "group": group = try reader.string()
            case "origin": origin = try reader.string()
            default: try reader.skip()
            }
        }
    }

    var help: String { state + (label.map { ", " + TerminalText.shortened($0, to: 40) } ?? "") }
}

/// What completions need of a delivery in a list.
private struct ListedDelivery {
    var id = ""
    var receiver = ""
    var type = ""
    var name = ""

    init(_ reader: inout JSONReader) throws(JSONError) {
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "id": id = try reader.string()
            case "receiver": receiver = try reader.string()
            case "type": type = try reader.string()
            case "name": name = try reader.string()
            default: try reader.skip()
            }
        }
    }

    var help: String { "\(receiver), \(type), " + TerminalText.shortened(name, to: 40) }
}
