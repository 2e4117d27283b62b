import RunwatchCore
import RunwatchStore

/// What one message says to people: of several events, or of one, which then reads as it does alone.
struct DigestMessage: Equatable, Sendable {
    /// A line is not longer than this many bytes: one event must not hide the others.
    private static let longestLine = 500

    /// In order; at least one.
    var events: [EventMessage]

    /// - Parameter events: At least one.
    init(_ events: [EventMessage]) {
        precondition(!events.isEmpty, "a message of nothing")
        self.events = events
    }

    init(_ delivery: PendingDelivery) {
        self.init(delivery.parts.map { EventMessage($0.event) })
    }

    /// The only event; `nil` when there are several.
    var only: EventMessage? { events.count == 1 ? events[0] : nil }

    /// `12 events: 10 complete, 2 error`, or the only event's title.
    var title: String {
        if let only { return only.title }
        let words = EventType.all.compactMap { type in
            let count = events.count { $0.type == type }
            return count == 0 ? nil : "\(count) \(DigestMessage.word(for: type))"
        }
        return "\(events.count) events: " + words.joined(separator: ", ")
    }

    /// A line an event, in order; none holds a line break.
    var lines: [String] {
        events.map { PrintableText.truncated($0.line, to: DigestMessage.longestLine) }
    }

    /// The lines, or the only event's text.
    var text: String { only?.text ?? lines.joined(separator: "\n") }

    /// The worst of all.
    var severity: EventMessage.Severity { events.map(\.severity).max() ?? .info }

    /// The last event's.
    var timestamp: Timestamp { events[events.count - 1].timestamp }

    private static func word(for type: EventType) -> String {
        switch type {
        case .run(let state): state.name
        case .runStalled: "stalled"
        case .serviceDown: "service down"
        case .serviceUp: "service up"
        case .groupFinished: "group finished"
        case .deliveryFailed: "delivery failed"
        case .receiverTest: "test"
        }
    }
}
