import RunwatchCore

/// What is owed to which receiver, in words; a line each.
enum OwedText {
    /// More help nobody; `deliveries` has them all.
    private static let shown = 10

    /// - Parameter deliveries: Of one watch, newest first.
    static func lines(
        _ deliveries: [DeliveryView], _ now: Timestamp, _ style: TextStyle
    ) -> [String] {
        // The oldest first: the others of the run wait for it.
        let owed = deliveries.reversed().filter { $0.state != .delivered }
        var lines = owed.prefix(shown).map { line($0, now, style) }
        if owed.count > shown {
            lines.append("… and \(owed.count - shown) more, below")
        }
        return lines
    }

    private static func line(
        _ delivery: DeliveryView, _ now: Timestamp, _ style: TextStyle
    ) -> String {
        let attempts = delivery.earlierAttempts + delivery.attempts.count
        var text = TerminalText.escape("\(delivery.type) to \(delivery.receiver): ")
        if delivery.state == .failed {
            text += style.paint("given up", .red)
            text += " after \(CountText.count(attempts, "attempt"))\(last(delivery))"
            return text
                + "; `runwatchctl redeliver \(TerminalText.escape(delivery.id))` tries again"
        }
        text += style.paint("pending", .yellow)
        let reason = delivery.nextAttemptReason.map { TerminalText.escape($0) }
        if let next = delivery.nextAttemptAt {
            text += ", attempted \(AgeText.planned(next, now: now))"
            if let reason { text += " (\(reason))" }
        } else if let reason {
            text += ", waits: \(reason)"
        }
        guard attempts > 0 else { return text }
        return text + "; \(CountText.count(attempts, "attempt")) so far\(last(delivery))"
    }

    private static func last(_ delivery: DeliveryView) -> String {
        guard let attempt = delivery.attempts.last else { return "" }
        let words = TerminalText.shortened(AttemptText.words(attempt), to: 100)
        return words.isEmpty ? "" : ", the last: \(TerminalText.escape(words))"
    }
}
