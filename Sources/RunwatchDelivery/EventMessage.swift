import RunwatchCore
import RunwatchStore

/// One event in words for people: what chats, mails and templates are made of.
///
/// Every text is printable and without line breaks, whatever the event holds, but for `text`, whose lines
/// are.
struct EventMessage: Equatable, Sendable {
    /// How bad it is; the worst last.
    enum Severity: String, Comparable, CaseIterable, Sendable {
        case info, good, warning, bad

        static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }

        private var rank: Int {
            switch self {
            case .info: 0
            case .good: 1
            case .warning: 2
            case .bad: 3
            }
        }
    }

    struct Field: Equatable, Sendable {
        var name: String
        /// Never empty, nor only spaces: some services refuse that.
        var value: String
    }

    var type: EventType
    var timestamp: Timestamp
    /// `warehouse/12 complete`, `service warehouse down`.
    var title: String
    /// What is known besides, each name once; may be empty.
    var fields: [Field]
    /// The service's or the receiver's words, or the names of those that did not complete; may be empty.
    var message: String
    var severity: Severity
    /// All of it, as one line among others.
    var line: String

    init(_ event: RecordedEvent) {
        self.init(event, tree: event.tree)
    }

    /// - Parameter tree: The event's, for callers that need it themselves.
    init(_ event: RecordedEvent, tree: JSONValue) {
        let data = tree["data"] ?? .object([])
        let words = EventWords(event.type, data)
        type = event.type
        timestamp = event.timestamp
        title = PrintableText.escaped(EventMessage.title(of: event, data))
        fields = EventMessage.facts(of: event, data).compactMap { name, value in
            guard let value, !EventMessage.isBlank(value) else { return nil }
            return Field(name: name, value: PrintableText.escaped(value))
        }
        message = EventMessage.isBlank(words.message) ? "" : PrintableText.escaped(words.message)
        severity = EventMessage.severity(of: event.type, data)
        line = title
        // A group's counts stand in its title.
        if !words.facts.isEmpty, event.type != .groupFinished {
            line += " (" + PrintableText.escaped(words.facts.joined(separator: ", ")) + ")"
        }
        if !message.isEmpty { line += ": \(message)" }
    }

    /// The fields and the message, a line each, for what cannot show fields; may be empty.
    var text: String {
        (fields.map { "\($0.name): \($0.value)" } + [message]).filter { !$0.isEmpty }
            .joined(separator: "\n")
    }

    private static func isBlank(_ text: String) -> Bool { text.allSatisfy(\.isWhitespace) }

    private static func title(of event: RecordedEvent, _ data: JSONValue) -> String {
        switch event.type {
        case .run(let state): return "\(event.subject) \(state.name)"
        case .runStalled:
            let state = data["state"]?.stringValue ?? RunState.unknown.name
            return "\(event.subject) stalled in \(state)"
        case .serviceDown: return "service \(event.subject) down"
        case .serviceUp: return "service \(event.subject) up"
        case .groupFinished:
            let counts = EventWords.counts(data)
            let rest = counts.isEmpty ? "" : ": " + counts.joined(separator: ", ")
            return "group \(event.subject) finished" + rest
        case .deliveryFailed: return "delivery to \(event.subject) failed"
        case .receiverTest: return "test of receiver \(event.subject)"
        }
    }

    private static func facts(
        of event: RecordedEvent, _ data: JSONValue
    ) -> [(name: String, value: String?)] {
        func text(_ key: String) -> String? { data[key]?.stringValue }
        switch event.type {
        case .run, .runStalled:
            // A run stalls long after its state was observed.
            let end = event.type == .runStalled ? event.timestamp : nil
            return [
                ("state", state(data)), ("label", text("label")), ("group", text("group")),
                ("watched for", EventWords.length(data, until: end)),
                ("progress", EventWords.progress(data)),
            ]
        case .serviceDown, .serviceUp:
            return [("reason", text("reason")), ("since", text("since"))]
        case .groupFinished:
            return (data["counts"]?.members ?? []).map { count in
                (count.name, count.value.integerValue.map(String.init))
            }
        case .deliveryFailed:
            return [
                ("event", EventWords.subject(data)),
                ("attempts", data["attempts"]?.integerValue.map(String.init)),
                ("delivery", text("delivery")),
            ]
        case .receiverTest: return []
        }
    }

    /// `running → complete`, or the state alone.
    private static func state(_ data: JSONValue) -> String? {
        guard let state = data["state"]?.stringValue else { return nil }
        return data["previous_state"]?.stringValue.map { "\($0) → \(state)" } ?? state
    }

    private static func severity(of type: EventType, _ data: JSONValue) -> Severity {
        switch type {
        case .run(.complete), .serviceUp: .good
        case .run(.error), .run(.lost), .run(.timeout), .serviceDown, .deliveryFailed: .bad
        case .run(.killed), .runStalled: .warning
        case .run(.unknown), .run(.pending), .run(.running), .receiverTest: .info
        case .groupFinished: EventWords.failures(data) > 0 ? .bad : .good
        }
    }
}
