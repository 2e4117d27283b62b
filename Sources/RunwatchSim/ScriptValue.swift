import RunwatchCore

/// What is wrong with a script, and where in it: `runs[2].life[0]: …`.
package struct SimulationScriptError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// A value of a script and its place, for readers that say what is wrong.
struct ScriptValue {
    var value: JSONValue
    var path: String

    func failure(_ problem: String) -> SimulationScriptError {
        SimulationScriptError("\(path.isEmpty ? "the document" : path): \(problem)")
    }

    /// The member of that name; `nil` when it is not there or null.
    func member(_ name: String) -> ScriptValue? {
        guard let member = value[name], member != .null else { return nil }
        return ScriptValue(value: member, path: path.isEmpty ? name : "\(path).\(name)")
    }

    /// Checks that this is an object with no members but these.
    func only(_ names: String...) throws(SimulationScriptError) {
        guard let members = value.members else { throw failure("an object was expected") }
        for member in members where !names.contains(member.name) {
            throw failure(
                "unknown member '\(member.name)'; known are \(names.joined(separator: ", "))")
        }
    }

    func string() throws(SimulationScriptError) -> String {
        guard let text = value.stringValue else { throw failure("a string was expected") }
        return text
    }

    func bool() throws(SimulationScriptError) -> Bool {
        guard let bool = value.boolValue else { throw failure("true or false was expected") }
        return bool
    }

    func integer(_ range: ClosedRange<Int>) throws(SimulationScriptError) -> Int {
        guard let integer = value.integerValue, let number = Int(exactly: integer),
            range.contains(number)
        else {
            throw failure(
                "a whole number from \(range.lowerBound) to \(range.upperBound) was expected")
        }
        return number
    }

    func number(_ range: ClosedRange<Double>) throws(SimulationScriptError) -> Double {
        let number: Double
        switch value {
        case .integer(let value): number = Double(value)
        case .number(let value): number = value
        default: throw failure("a number was expected")
        }
        guard range.contains(number) else {
            throw failure("a number from \(range.lowerBound) to \(range.upperBound) was expected")
        }
        return number
    }

    /// Seconds as a number, or a duration as text (`1m30s`).
    func duration() throws(SimulationScriptError) -> Duration {
        if case .string(let text) = value {
            guard let duration = DurationText.parse(text) else {
                throw failure("'\(text)' is no duration; write seconds as a number, or '1m30s'")
            }
            return duration
        }
        return .seconds(try number(0...1e9))
    }

    func elements() throws(SimulationScriptError) -> [ScriptValue] {
        guard let elements = value.arrayValue else { throw failure("a list was expected") }
        return elements.enumerated().map {
            ScriptValue(value: $0.element, path: "\(path)[\($0.offset)]")
        }
    }

    func members() throws(SimulationScriptError) -> [(name: String, value: ScriptValue)] {
        guard let members = value.members else { throw failure("an object was expected") }
        return members.map {
            ($0.name, ScriptValue(value: $0.value, path: "\(path).\($0.name)"))
        }
    }

    func word<Word: RawRepresentable & CaseIterable>(
        _ type: Word.Type
    ) throws(SimulationScriptError) -> Word where Word.RawValue == String {
        let text = try string()
        guard let word = Word(rawValue: text) else {
            let known = Word.allCases.map(\.rawValue).joined(separator: ", ")
            throw failure("'\(text)' is not known; known are \(known)")
        }
        return word
    }

    /// A run's steps: `[[0, "running"], [2, 1], [6, "complete", "a message"]]`.
    func life() throws(SimulationScriptError) -> SimulatedLife {
        var steps: [SimulatedLife.Step] = []
        var before: SimulatedLife.Step?
        for element in try elements() {
            let parts = try element.elements()
            guard (2...3).contains(parts.count) else {
                throw element.failure("a step is [after, state or number done, message]")
            }
            var step = SimulatedLife.Step(
                after: try parts[0].duration(), state: before?.state ?? .running,
                done: before?.done ?? 0)
            if case .string(let word) = parts[1].value {
                guard let state = SimulatedState(word: word) else {
                    throw parts[1].failure(
                        "'\(word)' is no state; known are "
                            + SimulatedState.allCases.map(\.rawValue).joined(separator: ", "))
                }
                step.state = state
            } else {
                step.done = Int32(try parts[1].integer(0...1_000_000))
            }
            if parts.count == 3 { step.message = try parts[2].string() }
            if let before, step.after < before.after {
                throw element.failure("steps stand in the order of their times")
            }
            before = step
            steps.append(step)
        }
        guard !steps.isEmpty else { throw failure("a life has at least one step") }
        return SimulatedLife(steps)
    }
}
