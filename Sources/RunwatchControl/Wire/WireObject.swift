package import RunwatchCore

/// An object of an answer, read member by member.
///
/// A member that is `null` counts as missing. A member of another type than asked for is an error, in
/// the optional forms too: a form that changed is told, not guessed at.
package struct WireObject {
    private let value: JSONValue
    private let path: String

    package init(_ value: JSONValue, path: String) throws(WireError) {
        guard value.members != nil else {
            throw WireError(path: path, problem: "an object was expected")
        }
        self.value = value
        self.path = path
    }

    /// All members, in the order of the text.
    package var members: [JSONValue.Member] { value.members ?? [] }

    package func optional(_ name: String) -> JSONValue? {
        let member = value[name]
        return member == .null ? nil : member
    }

    package func optionalText(_ name: String) throws(WireError) -> String? {
        guard let member = optional(name) else { return nil }
        guard let text = member.stringValue else { throw failure(name, "text was expected") }
        return text
    }

    package func text(_ name: String) throws(WireError) -> String {
        guard let text = try optionalText(name) else { throw failure(name, "is missing") }
        return text
    }

    package func optionalInteger(_ name: String) throws(WireError) -> Int64? {
        guard let member = optional(name) else { return nil }
        guard let number = member.integerValue else {
            throw failure(name, "a whole number was expected")
        }
        return number
    }

    package func integer(_ name: String) throws(WireError) -> Int64 {
        guard let number = try optionalInteger(name) else { throw failure(name, "is missing") }
        return number
    }

    package func count(_ name: String) throws(WireError) -> Int {
        Int(clamping: try integer(name))
    }

    package func bool(_ name: String) throws(WireError) -> Bool {
        guard let flag = optional(name)?.boolValue else {
            throw failure(name, "true or false was expected")
        }
        return flag
    }

    package func optionalTimestamp(_ name: String) throws(WireError) -> Timestamp? {
        guard let text = try optionalText(name) else { return nil }
        guard let moment = Timestamp(rfc3339: text) else {
            throw failure(name, "a time (RFC 3339) was expected")
        }
        return moment
    }

    package func timestamp(_ name: String) throws(WireError) -> Timestamp {
        guard let moment = try optionalTimestamp(name) else { throw failure(name, "is missing") }
        return moment
    }

    package func optionalDuration(_ name: String) throws(WireError) -> Duration? {
        guard let text = try optionalText(name) else { return nil }
        guard let duration = DurationText.parse(text) else {
            throw failure(name, "a duration such as 1m30s was expected")
        }
        return duration
    }

    package func optionalState(_ name: String) throws(WireError) -> RunState? {
        guard let text = try optionalText(name) else { return nil }
        guard let state = RunState(name: text) else {
            throw failure(name, "'\(text)' is no state that this program knows")
        }
        return state
    }

    package func state(_ name: String) throws(WireError) -> RunState {
        guard let state = try optionalState(name) else { throw failure(name, "is missing") }
        return state
    }

    /// A member that is an object; `nil` when it is missing.
    package func optionalObject(_ name: String) throws(WireError) -> WireObject? {
        guard let member = optional(name) else { return nil }
        return try WireObject(member, path: place(name))
    }

    package func object(_ name: String) throws(WireError) -> WireObject {
        guard let object = try optionalObject(name) else { throw failure(name, "is missing") }
        return object
    }

    /// A list of objects; `nil` when it is missing.
    package func optionalList<View: WireView>(
        _ name: String, of: View.Type = View.self
    ) throws(WireError) -> [View]? {
        guard let member = optional(name) else { return nil }
        guard let elements = member.arrayValue else { throw failure(name, "a list was expected") }
        var views: [View] = []
        views.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            views.append(
                try View(WireObject(element, path: "\(place(name))[\(index)]")))
        }
        return views
    }

    package func list<View: WireView>(
        _ name: String, of: View.Type = View.self
    ) throws(WireError) -> [View] {
        guard let views: [View] = try optionalList(name) else { throw failure(name, "is missing") }
        return views
    }

    /// A list of text; empty when it is missing.
    package func texts(_ name: String) throws(WireError) -> [String] {
        guard let member = optional(name) else { return [] }
        guard let elements = member.arrayValue else { throw failure(name, "a list was expected") }
        var texts: [String] = []
        for element in elements {
            guard let text = element.stringValue else {
                throw failure(name, "a list of text was expected")
            }
            texts.append(text)
        }
        return texts
    }

    package func failure(_ name: String, _ problem: String) -> WireError {
        WireError(path: place(name), problem: problem)
    }

    private func place(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
}

extension JSONWriter {
    /// Writes a list of objects as a member.
    mutating func list(_ name: String, _ views: [some WireView]) {
        key(name)
        beginArray()
        for view in views { view.write(to: &self) }
        endArray()
    }

    /// Writes an object as a member; one without a value is left out.
    mutating func member(_ name: String, _ view: (some WireView)?) {
        guard let view else { return }
        key(name)
        view.write(to: &self)
    }

    /// Writes a list of text as a member.
    mutating func texts(_ name: String, _ texts: [String]) {
        key(name)
        beginArray()
        for text in texts { string(text) }
        endArray()
    }

    /// Writes a duration as text with its unit, since the member's name has none.
    mutating func member(_ name: String, _ duration: Duration?) {
        guard let duration else { return }
        member(name, DurationText.format(duration))
    }
}
