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
        let words = EventWords(event.type, event.tree["data"] ?? .object([]))
        var line = "\(event.timestamp)  \(PrintableText.escaped(event.subject))  \(words.what)"
        if !words.facts.isEmpty {
            line += "  (" + PrintableText.escaped(words.facts.joined(separator: ", ")) + ")"
        }
        if !words.message.isEmpty { line += "  " + PrintableText.escaped(words.message) }
        return Array(line.utf8) + [0x0A]
    }
}
