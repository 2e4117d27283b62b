import RunwatchCore
import RunwatchStore

/// An event as one line of text.
enum EventLine {
    /// The event's JSON on one line, and a line feed.
    static func json(_ event: RecordedEvent) -> [UInt8] {
        // Between the tokens of JSON a line feed is white space, and inside a string it is escaped; so
        // this only ever flattens what was laid out by others.
        var line = event.json.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
        line.append(0x0A)
        return line
    }

    /// A line for people: the time, what it is about, what happened, and a few facts.
    ///
    /// `2026-11-22T08:30:00.123Z  warehouse/12  running → complete  (nightly-udf, 4/4, 41 polls)`
    static func text(_ event: RecordedEvent) -> [UInt8] {
        // What is stored was written by this program; should it not be readable all the same, the
        // line says what the record's other columns know.
        let data = (try? JSONValue(parsing: event.json))?["data"] ?? .object([])
        let told = words(for: event.type, data)
        var line = "\(event.timestamp)  \(PrintableText.escaped(event.subject))  \(told.what)"
        if !told.facts.isEmpty {
            line += "  (" + PrintableText.escaped(told.facts.joined(separator: ", ")) + ")"
        }
        if !told.message.isEmpty { line += "  " + PrintableText.escaped(told.message) }
        return Array(line.utf8) + [0x0A]
    }

    private struct Words {
        var what: String
        var facts: [String] = []
        var message = ""
    }

    private static func words(for type: EventType, _ data: JSONValue) -> Words {
        let message = data["message"]?.stringValue ?? ""
        switch type {
        case .run(let state):
            let previous = data["previous_state"]?.stringValue ?? RunState.unknown.name
            return Words(
                what: "\(PrintableText.escaped(previous)) → \(state.name)", facts: runFacts(data),
                message: message)
        case .runStalled:
            let state = data["state"]?.stringValue ?? RunState.unknown.name
            return Words(
                what: "stalled in \(PrintableText.escaped(state))", facts: runFacts(data),
                message: message)
        case .serviceDown:
            return Words(what: "service down", facts: serviceFacts(data), message: message)
        case .serviceUp:
            return Words(what: "service up", facts: serviceFacts(data), message: message)
        case .groupFinished: return groupWords(data)
        case .deliveryFailed: return deliveryWords(data, message: message)
        case .receiverTest: return Words(what: "receiver test", message: message)
        }
    }

    private static func runFacts(_ data: JSONValue) -> [String] {
        var facts: [String] = []
        if let label = data["label"]?.stringValue { facts.append(label) }
        if let group = data["group"]?.stringValue { facts.append("group \(group)") }
        if let done = data["progress"]?["done"]?.integerValue,
            let total = data["progress"]?["total"]?.integerValue
        {
            facts.append("\(done)/\(total)")
        }
        if let polls = data["polls"]?.integerValue { facts.append(counted(polls, "poll")) }
        return facts
    }

    private static func serviceFacts(_ data: JSONValue) -> [String] {
        var facts: [String] = []
        if let health = data["health"]?.stringValue, health != "up", health != "down" {
            facts.append(health)
        }
        if let reason = data["reason"]?.stringValue { facts.append(reason) }
        if let since = data["since"]?.stringValue { facts.append("since \(since)") }
        return facts
    }

    private static func groupWords(_ data: JSONValue) -> Words {
        var words = Words(what: "group finished")
        for count in data["counts"]?.members ?? [] {
            if let number = count.value.integerValue {
                words.facts.append("\(number) \(count.name)")
            }
        }
        let failed = (data["failed"]?.arrayValue ?? []).compactMap(\.stringValue)
        if !failed.isEmpty {
            let rest = failed.count > 10 ? " and \(failed.count - 10) more" : ""
            words.message = "not complete: " + failed.prefix(10).joined(separator: " ") + rest
        }
        return words
    }

    private static func deliveryWords(_ data: JSONValue, message: String) -> Words {
        var words = Words(what: "delivery failed", message: message)
        if let type = data["type"]?.stringValue, let name = data["name"]?.stringValue {
            words.facts.append("\(type) of \(name)")
        }
        if let attempts = data["attempts"]?.integerValue {
            words.facts.append(counted(attempts, "attempt"))
        }
        if let delivery = data["delivery"]?.stringValue { words.facts.append(delivery) }
        return words
    }

    private static func counted(_ number: Int64, _ thing: String) -> String {
        number == 1 ? "1 \(thing)" : "\(number) \(thing)s"
    }
}
