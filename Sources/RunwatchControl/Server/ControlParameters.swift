package import RunwatchCore
package import RunwatchHTTP

/// The query of a request, checked: every parameter is known and stands once.
package struct ControlParameters: Sendable {
    package static let defaultLimit = 100
    package static let limits = 1...1000

    private let values: [String: String]

    /// - Throws: A problem that names the parameter.
    package init(of request: HTTPServerRequest, known: [String]) throws(Problem) {
        var values: [String: String] = [:]
        for (name, value) in request.query {
            guard known.contains(name) else {
                let known = known.joined(separator: ", ")
                throw Problem(
                    .badParameter,
                    "Parameter '\(name)' is unknown here; "
                        + (known.isEmpty ? "there are none." : "there are: \(known)."))
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw Problem(.badParameter, "Parameter '\(name)' stands more than once.")
            }
        }
        self.values = values
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
        guard let limit = Int(text), ControlParameters.limits.contains(limit) else {
            throw Problem(
                .badParameter,
                "Parameter 'limit' is '\(text)'; it must be a whole number from "
                    + "\(ControlParameters.limits.lowerBound) to "
                    + "\(ControlParameters.limits.upperBound).")
        }
        return limit
    }

    /// A whole number from 0.
    package func number(_ name: String) throws(Problem) -> Int64? {
        guard let text = try text(name) else { return nil }
        guard let number = Int64(text), number >= 0 else {
            throw Problem(
                .badParameter, "Parameter '\(name)' is '\(text)'; it must be a whole number from 0."
            )
        }
        return number
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
        guard let text = try text("state") else { return [] }
        var states: Set<RunState> = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let state = RunState(name: name) else {
                let names = RunState.allCases.map(\.name).joined(separator: ", ")
                throw Problem(
                    .badParameter,
                    "Parameter 'state' holds '\(name)', which is no state; there are: \(names).")
            }
            states.insert(state)
        }
        return states
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

    package func watchCursor() throws(Problem) -> WatchName? {
        guard let text = try text("cursor") else { return nil }
        guard let name = WatchCursor.decode(text) else {
            throw Problem(
                .badParameter,
                "Parameter 'cursor' is not one that this API gave; take it from 'next' of the page "
                    + "before.")
        }
        return name
    }
}

/// `--since` and `?since=`: how long ago, or when.
package enum SinceText {
    package static func parse(_ text: String, now: Timestamp) -> Timestamp? {
        if let duration = DurationText.parse(text) { return now.advanced(by: .zero - duration) }
        return Timestamp(rfc3339: text)
    }
}

/// The cursor of a list of watches: the last name of a page, as text that a URL takes as it is.
///
/// Opaque to who uses it. In hexadecimal, since a name may hold anything.
package enum WatchCursor {
    package static func encode(_ name: WatchName) -> String {
        var text = ""
        for byte in name.description.utf8 {
            text += byte < 16 ? "0" : ""
            text += String(byte, radix: 16)
        }
        return text
    }

    package static func decode(_ text: String) -> WatchName? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[index]), let low = value(digits[index + 1])
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self).flatMap { WatchName($0) }
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
