import RunwatchCore
import RunwatchStore

/// What an event says in words, before it is laid out as a line or a message.
///
/// Texts are as they stand in the event: whoever shows them escapes them.
struct EventWords {
    /// What happened; already printable.
    var what: String
    /// A few facts, each in a word or two.
    var facts: [String] = []
    /// The service's or the receiver's words, or the names of those that did not complete.
    var message = ""

    /// Names that a message has room for.
    private static let namedAtMost = 10

    init(_ type: EventType, _ data: JSONValue) {
        let message = data["message"]?.stringValue ?? ""
        switch type {
        case .run(let state):
            let previous = data["previous_state"]?.stringValue ?? RunState.unknown.name
            self.init(
                what: "\(PrintableText.escaped(previous)) → \(state.name)",
                facts: EventWords.runFacts(data), message: message)
        case .runStalled:
            let state = data["state"]?.stringValue ?? RunState.unknown.name
            self.init(
                what: "stalled in \(PrintableText.escaped(state))",
                facts: EventWords.runFacts(data), message: message)
        case .serviceDown, .serviceUp:
            self.init(
                what: type == .serviceDown ? "service down" : "service up",
                facts: EventWords.serviceFacts(data), message: message)
        case .groupFinished:
            self.init(
                what: "group finished", facts: EventWords.counts(data),
                message: EventWords.notComplete(data))
        case .deliveryFailed:
            self.init(
                what: "delivery failed", facts: EventWords.deliveryFacts(data), message: message)
        case .receiverTest: self.init(what: "receiver test", message: message)
        }
    }

    private init(what: String, facts: [String] = [], message: String) {
        self.what = what
        self.facts = facts
        self.message = message
    }

    // MARK: Parts that messages show by themselves

    /// `4/4`; `nil` when nothing is known of it.
    static func progress(_ data: JSONValue) -> String? {
        guard let done = data["progress"]?["done"]?.integerValue,
            let total = data["progress"]?["total"]?.integerValue
        else { return nil }
        return "\(done)/\(total)"
    }

    /// How long a run was watched until its state was observed, or until it was told to have stalled.
    static func length(_ data: JSONValue, until end: Timestamp?) -> String? {
        func moment(_ key: String) -> Timestamp? {
            data[key]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
        }
        guard let since = moment("watched_since"), let end = end ?? moment("observed_at") else {
            return nil
        }
        return DurationText.glance(since.duration(to: end))
    }

    /// `8 complete`, `2 error`: of a group.
    static func counts(_ data: JSONValue) -> [String] {
        (data["counts"]?.members ?? []).compactMap { count in
            count.value.integerValue.map { "\($0) \(count.name)" }
        }
    }

    /// How many watches of a group ended in another state than `complete`.
    static func failures(_ data: JSONValue) -> Int64 {
        let counted = (data["counts"]?.members ?? []).reduce(Int64(0)) { sum, count in
            guard count.name != RunState.complete.name else { return sum }
            return sum.addingSaturating(max(0, count.value.integerValue ?? 0))
        }
        // The names end at a hundred.
        return max(counted, Int64(data["failed"]?.arrayValue?.count ?? 0))
    }

    /// `run.complete of warehouse/12`: of a delivery.
    static func subject(_ data: JSONValue) -> String? {
        guard let type = data["type"]?.stringValue, let name = data["name"]?.stringValue else {
            return nil
        }
        return "\(type) of \(name)"
    }

    // MARK: Facts

    private static func runFacts(_ data: JSONValue) -> [String] {
        var facts: [String] = []
        if let label = data["label"]?.stringValue { facts.append(label) }
        if let group = data["group"]?.stringValue { facts.append("group \(group)") }
        if let progress = progress(data) { facts.append(progress) }
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

    private static func notComplete(_ data: JSONValue) -> String {
        let names = (data["failed"]?.arrayValue ?? []).compactMap(\.stringValue)
        guard !names.isEmpty else { return "" }
        let shown = names.prefix(namedAtMost)
        let others = failures(data) - Int64(shown.count)
        let rest = others > 0 ? " and \(others) more" : ""
        return "not complete: " + shown.joined(separator: " ") + rest
    }

    private static func deliveryFacts(_ data: JSONValue) -> [String] {
        var facts: [String] = []
        if let subject = subject(data) { facts.append(subject) }
        if let attempts = data["attempts"]?.integerValue {
            facts.append(counted(attempts, "attempt"))
        }
        if let delivery = data["delivery"]?.stringValue { facts.append(delivery) }
        return facts
    }

    private static func counted(_ number: Int64, _ thing: String) -> String {
        number == 1 ? "1 \(thing)" : "\(number) \(thing)s"
    }
}

extension RecordedEvent {
    /// The event's JSON as a tree: an object whose `data` is one too.
    ///
    /// What is stored was written by this program; should it not be readable all the same, the tree holds
    /// what the record's other columns know.
    var tree: JSONValue {
        if let value = try? JSONValue(parsing: json), value["data"]?.members != nil { return value }
        return .object([
            .init("type", .string(type.name)),
            .init("timestamp", .string(timestamp.description)),
            .init("data", .object([])),
        ])
    }
}
