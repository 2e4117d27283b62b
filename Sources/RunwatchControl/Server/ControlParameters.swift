package import RunwatchCore
package import RunwatchHTTP

/// The query of a request, checked: every parameter is known, and stands once unless it is repeatable.
package struct ControlParameters: Sendable {
    package static let defaultLimit = 100
    package static let limits = 1...1000
    /// The most names of one request; their search takes a millisecond or two.
    package static let maximumNames = 200

    private let values: [String: String]
    /// The values of the parameter that may stand several times.
    private let repeated: [String]

    /// - Throws: A problem that names the parameter.
    package init(
        of request: HTTPServerRequest, known: [String], repeatable: String? = nil
    ) throws(Problem) {
        if let broken = request.brokenParameter {
            throw Problem(
                .badParameter,
                "The query holds '\(TerminalText.shortened(broken, to: 64))', with a broken escape, a NUL "
                    + "or bytes that are no UTF-8; escape each value by itself.")
        }
        var values: [String: String] = [:]
        var repeated: [String] = []
        for (name, value) in request.query {
            guard known.contains(name) else {
                let known = known.joined(separator: ", ")
                throw Problem(
                    .badParameter,
                    "Parameter '\(name)' is unknown here; "
                        + (known.isEmpty ? "there are none." : "there are: \(known)."))
            }
            if name == repeatable {
                repeated.append(value)
                continue
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw Problem(.badParameter, "Parameter '\(name)' stands more than once.")
            }
        }
        self.values = values
        self.repeated = repeated
        guard repeated.count <= ControlParameters.maximumNames else {
            throw Problem(
                .badParameter,
                "Parameter '\(repeatable ?? "")' stands \(repeated.count) times; "
                    + "\(ControlParameters.maximumNames) is the most.")
        }
    }

    /// What events are about: `name`, which may stand several times.
    package func names() throws(Problem) -> Set<ExactText> {
        guard !repeated.contains("") else {
            throw Problem(.badParameter, "Parameter 'name' is empty; leave it out.")
        }
        return Set(repeated.map { ExactText($0) })
    }

    /// Names of watches: `name`, which may stand several times.
    package func watchNames() throws(Problem) -> Set<WatchName> {
        var names: Set<WatchName> = []
        for text in repeated {
            guard let name = WatchName(text) else {
                throw Problem(
                    .badParameter,
                    "Parameter 'name' is '\(text)', which names no watch; write SERVICE/ID.")
            }
            names.insert(name)
        }
        return names
    }

    package func text(_ name: String) throws(Problem) -> String? {
        guard let value = values[name] else { return nil }
        guard !value.isEmpty else {
            throw Problem(.badParameter, "Parameter '\(name)' is empty; leave it out.")
        }
        return value
    }

    package func limit() throws(Problem) -> Int {
        guard let text = try text("limit") else { return ControlParameters.defaultLimit }
        guard let limit = ControlParameters.digits(text),
            ControlParameters.limits.contains(Int(limit))
        else {
            throw Problem(
                .badParameter,
                "Parameter 'limit' is '\(text)'; it must be a whole number from "
                    + "\(ControlParameters.limits.lowerBound) to "
                    + "\(ControlParameters.limits.upperBound).")
        }
        return Int(limit)
    }

    /// A whole number from 0.
    package func number(_ name: String) throws(Problem) -> Int64? {
        guard let text = try text(name) else { return nil }
        guard let number = ControlParameters.digits(text) else {
            throw Problem(
                .badParameter, "Parameter '\(name)' is '\(text)'; it must be a whole number from 0."
            )
        }
        return number
    }

    /// Digits alone: `Int64` would take a sign as well.
    static func digits(_ text: String) -> Int64? {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        return text.utf8.allSatisfy(digits.contains) ? Int64(text) : nil
    }

    package func flag(_ name: String) throws(Problem) -> Bool {
        switch try text(name) {
        case nil, "false": return false
        case "true": return true
        case .some(let text):
            throw Problem(
                .badParameter, "Parameter '\(name)' is '\(text)'; it must be true or false.")
        }
    }

    /// Names of states, with commas between.
    package func states() throws(Problem) -> Set<RunState> {
        try set("state", of: RunState.allCases, named: \.name)
    }

    /// Names of states of deliveries, with commas between.
    package func deliveryStates() throws(Problem) -> Set<DeliveryView.State> {
        try set("state", of: DeliveryView.State.allCases, named: \.rawValue)
    }

    /// Types of events, with commas between.
    package func eventTypes() throws(Problem) -> Set<EventType> {
        try set("type", of: EventType.all, named: \.name, are: "type")
    }

    private func set<Value: Hashable>(
        _ name: String, of values: [Value], named text: (Value) -> String,
        are noun: String = "state"
    ) throws(Problem) -> Set<Value> {
        guard let given = try self.text(name) else { return [] }
        var found: Set<Value> = []
        for word in given.split(separator: ",", omittingEmptySubsequences: false) {
            guard let value = values.first(where: { text($0) == word }) else {
                let names = values.map(text).joined(separator: ", ")
                throw Problem(
                    .badParameter,
                    "Parameter '\(name)' holds '\(word)', which is no \(noun); there are: \(names)."
                )
            }
            found.insert(value)
        }
        return found
    }

    /// `asc` or `desc`.
    package func isDescending() throws(Problem) -> Bool {
        switch try text("order") {
        case nil, "asc": return false
        case "desc": return true
        case .some(let text):
            throw Problem(
                .badParameter, "Parameter 'order' is '\(text)'; it must be asc or desc.")
        }
    }

    /// A moment: how long ago (`1h`), or a time (RFC 3339).
    package func since(now: Timestamp) throws(Problem) -> Timestamp? {
        guard let text = try text("since") else { return nil }
        guard let moment = SinceText.parse(text, now: now) else {
            throw Problem(
                .badParameter,
                "Parameter 'since' is '\(text)'; it must be a duration such as 1h, or a time such as "
                    + "2026-11-22T08:30:00Z.")
        }
        return moment
    }

    package func watchCursor() throws(Problem) -> WatchName? { try cursor(WatchCursor.decode) }

    package func deliveryCursor() throws(Problem) -> DeliveryCursor? {
        try cursor { DeliveryCursor($0) }
    }

    package func eventCursor() throws(Problem) -> Int64? { try cursor(EventCursor.decode) }

    package func transitionCursor() throws(Problem) -> Int64? {
        try cursor(TransitionCursor.decode)
    }

    private func cursor<Value>(_ decode: (String) -> Value?) throws(Problem) -> Value? {
        guard let text = try text("cursor") else { return nil }
        guard let value = decode(text) else {
            throw Problem(
                .badParameter,
                "Parameter 'cursor' is not one that this list gave; take it from 'next' of the page "
                    + "before.")
        }
        return value
    }
}

/// `--since` and `?since=`: how long ago, or when.
package enum SinceText {
    package static func parse(_ text: String, now: Timestamp) -> Timestamp? {
        if let duration = DurationText.parse(text) { return now.advanced(by: .zero - duration) }
        return Timestamp(rfc3339: text)
    }
}
