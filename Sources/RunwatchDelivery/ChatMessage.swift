import RunwatchCore
import RunwatchStore

/// A message for people, before a service's markup and limits are put on it.
struct ChatMessage: Equatable, Sendable {
    enum Body: Equatable, Sendable {
        /// One event, as plain text.
        case event(EventMessage)
        /// Several, a line each in order, as plain text.
        case digest([String])
        /// What the configured template wrote, in the service's own markup.
        case template(String)
    }

    /// Plain text.
    var title: String
    var body: Body
    var severity: EventMessage.Severity
    var timestamp: Timestamp
    /// The event's type, or `digest`; of a digest with one event too.
    var type: String

    /// The usual words.
    init(_ delivery: PendingDelivery) {
        self.init(DigestMessage(delivery), isDigest: delivery.isDigest)
    }

    init(_ message: DigestMessage, isDigest: Bool) {
        title = message.title
        body = message.only.map { .event($0) } ?? .digest(message.lines)
        severity = message.severity
        timestamp = message.timestamp
        type = isDigest ? "digest" : message.events[0].type.name
    }

    /// Whether the text is a line an event.
    var isDigest: Bool {
        if case .digest = body { true } else { false }
    }

    /// What the service shows besides the text: only with the usual words, for a template writes what is
    /// wanted.
    var fields: [EventMessage.Field] {
        if case .event(let event) = body { event.fields } else { [] }
    }
}

extension ChatMessage {
    /// Sizes of a service, all in one unit.
    struct Limits: Sendable {
        var unit: TextUnit
        /// Of the whole text.
        var text: Int
        /// Of one line among others.
        var line = 400
    }

    /// The text in a service's markup: lines, each of which may have line breaks only when it is a
    /// template's; none when there is nothing to say.
    ///
    /// - Parameter hasFields: The service shows the fields; otherwise they are lines of the text.
    func lines(_ markup: ChatMarkup, _ limits: Limits, hasFields: Bool) -> [String] {
        switch body {
        case .event(let event):
            let text = hasFields ? event.message : event.text
            return text.isEmpty ? [] : [markup.fitted(text, to: limits.text, in: limits.unit)]
        case .digest(let lines):
            return markup.fitted(
                lines, to: limits.text, line: limits.line, in: limits.unit, things: "events")
        case .template(let text):
            let text = ChatMessage.trimmed(text)
            return text.isEmpty
                ? [] : [ChatMarkup.none.fitted(text, to: limits.text, in: limits.unit)]
        }
    }

    private static func trimmed(_ text: String) -> String {
        let start = text.drop(while: \.isWhitespace)
        guard let last = start.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(start[...last])
    }
}
