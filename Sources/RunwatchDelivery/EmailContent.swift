import RunwatchCore
import RunwatchStore

/// What a mail says, before it is written down; both its parts are made from it.
///
/// Bounded, so that no event makes a mail that no server takes.
struct EmailContent: Equatable, Sendable {
    /// An event among others.
    struct Row: Equatable, Sendable {
        /// `2026-11-22 08:30:00Z`.
        var time: String
        var title: String
        /// What follows the title; may be empty.
        var rest: String
        var severity: EventMessage.Severity
    }

    enum Body: Equatable, Sendable {
        /// One event.
        case event(fields: [EventMessage.Field], message: String)
        /// Several, in order.
        case digest([Row])
        /// What the configured template wrote, line by line.
        case template([String])
    }

    /// Of a line in the header, in bytes; programs show far less.
    private static let longestLine = 250
    private static let longestTitle = 1000
    private static let longestValue = 2000
    private static let longestMessage = 32 << 10

    /// One printable line.
    var subject: String
    var title: String
    var severity: EventMessage.Severity
    /// When the last event happened.
    var timestamp: Timestamp
    var body: Body

    /// The usual words.
    init(_ delivery: PendingDelivery) {
        let digest = DigestMessage(delivery)
        title = PrintableText.truncated(digest.title, to: EmailContent.longestTitle)
        subject = EmailContent.line(title)
        severity = digest.severity
        timestamp = digest.timestamp
        guard let only = digest.only else {
            body = .digest(zip(digest.events, digest.lines).map { Row($0, line: $1) })
            return
        }
        let fields = only.fields.map { field in
            EventMessage.Field(
                name: field.name,
                value: PrintableText.truncated(field.value, to: EmailContent.longestValue))
        }
        body = .event(
            fields: fields,
            message: PrintableText.truncated(only.message, to: EmailContent.longestMessage))
    }

    /// Takes a template's subject as one line; when nothing is left of it, the title stays.
    mutating func setSubject(_ text: String) {
        let words = text.unicodeScalars.split { scalar in
            scalar.properties.isWhitespace || scalar.properties.generalCategory == .control
        }
        let line = EmailContent.line(words.map { String($0) }.joined(separator: " "))
        if !line.isEmpty { subject = line }
    }

    /// Takes what a template wrote in place of the usual words.
    ///
    /// Tabs stay; what else cannot be printed is escaped. Of a text that its escapes make longer
    /// than a template may be, the rest is left out.
    mutating func setText(_ text: String) {
        var lines: [String] = []
        var room = MessageTemplate.longestOutput
        for line in EmailContent.lines(of: text) {
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false)
            let shown = cells.map { PrintableText.escaped(String($0)) }.joined(separator: "\t")
            room -= shown.utf8.count + 1
            guard room >= 0 else {
                lines.append("…")
                break
            }
            lines.append(shown)
        }
        body = .template(lines)
    }

    /// The lines of the text part.
    var lines: [String] {
        switch body {
        case .event(let fields, let message):
            let facts = fields.map { "\($0.name): \($0.value)" }
            let parts = [[title], facts, message.isEmpty ? [] : [message]]
            return Array(parts.filter { !$0.isEmpty }.joined(separator: [""]))
        case .digest(let rows):
            return [title, ""] + rows.map { "\($0.time)  \($0.title)\($0.rest)" }
        case .template(let lines): return lines
        }
    }

    /// A text for the header, printable and short.
    ///
    /// Encoded words could hold line ends, but some programs decode them and write them anew.
    static func line(_ text: String) -> String {
        PrintableText.truncated(PrintableText.escaped(text), to: longestLine)
    }

    /// What stands between line ends of any kind; an end at the end of the text begins no line.
    private static func lines(of text: String) -> [String] {
        var lines: [String] = []
        var line: [UInt8] = []
        var last: UInt8 = 0
        for byte in text.utf8 {
            switch byte {
            case 10 where last == 13: break
            case 10, 13:
                lines.append(String(decoding: line, as: UTF8.self))
                line = []
            default: line.append(byte)
            }
            last = byte
        }
        if !line.isEmpty { lines.append(String(decoding: line, as: UTF8.self)) }
        return lines
    }
}

extension EmailContent.Row {
    /// - Parameter line: The event's, perhaps cut.
    fileprivate init(_ event: EventMessage, line: String) {
        time = String(event.timestamp.description.map { $0 == "T" ? " " : $0 }.prefix(19)) + "Z"
        severity = event.severity
        let isWhole = line.utf8.starts(with: event.title.utf8)
        title = isWhole ? event.title : line
        rest =
            isWhole ? String(decoding: line.utf8.dropFirst(title.utf8.count), as: UTF8.self) : ""
    }
}
