package import RunwatchCore

/// Deliveries in words: what `show`, `redeliver` and `test-receiver` say of them.
package enum DeliveryText {
    /// Attempts of a delivery that `show` has room for.
    private static let attemptsShown = 5

    /// A row a delivery, and below it its latest attempts and what it waits for.
    package static func details(
        _ deliveries: [DeliveryView], now: Timestamp, style: TextStyle
    ) -> String {
        var table = TextTable([
            .init("RECEIVER"), .init("EVENT"), .init("STATE"),
            .init("ATTEMPTS", isRightAligned: true), .init("NEXT"), .init("ID"),
        ])
        for delivery in deliveries {
            table.append([
                .init(delivery.receiver), .init(delivery.type),
                .init(delivery.state.rawValue, delivery.state.paint),
                .init(String(delivery.earlierAttempts + delivery.attempts.count)),
                .init(delivery.nextAttemptAt.map { AgeText.planned($0, now: now) }),
                .init(delivery.id),
            ])
        }
        // The titles, then a line for each delivery.
        let lines = table.text(style, indent: "  ").split(separator: "\n")
        var text = ""
        for (index, line) in lines.enumerated() {
            text += line + "\n"
            guard index > 0 else { continue }
            for note in notes(deliveries[index - 1], now, style) { text += "      \(note)\n" }
        }
        return text
    }

    /// What `redeliver` did to a delivery.
    package static func redelivered(_ delivery: DeliveryView) -> String {
        var text = "\(delivery.id) to \(delivery.receiver)"
        if let digest = delivery.digest { text += ", in the digest \(digest)" }
        // The attempt may have ended before the answer was written.
        switch (delivery.state, delivery.attempts.last) {
        case (.pending, _):
            text += ": pending again"
            if delivery.nextAttemptAt == nil, let reason = delivery.nextAttemptReason {
                text += "; \(reason)"
            } else {
                text += ", attempted now"
            }
        case (let state, let last?):
            text += ": " + AttemptText.sentence("\(state.rawValue) again", last)
        case (let state, nil): text += ": \(state.rawValue) again"
        }
        return TerminalText.escape(text) + "\n"
    }

    package static func redelivered(count: Int) -> String {
        switch count {
        case 0: "there is nothing to redeliver\n"
        case 1: "1 delivery is pending again\n"
        default: "\(count) deliveries are pending again\n"
        }
    }

    /// What came back from a receiver that was tested.
    package static func tested(_ delivery: DeliveryView, style: TextStyle) -> String {
        let isDelivered = delivery.state == .delivered
        var text = isDelivered ? "delivered" : "not delivered"
        if let attempt = delivery.attempts.last {
            let words = AttemptText.words(attempt)
            if isDelivered {
                text = AttemptText.sentence(text, attempt)
            } else if !words.isEmpty {
                text += ": \(words)"
            }
        }
        return TerminalText.escape(delivery.receiver) + ": "
            + style.paint(TerminalText.escape(text), delivery.state.paint) + "\n"
    }

    private static func notes(
        _ delivery: DeliveryView, _ now: Timestamp, _ style: TextStyle
    ) -> [String] {
        var notes: [String] = []
        let shown = delivery.attempts.suffix(attemptsShown)
        let earlier = delivery.earlierAttempts + delivery.attempts.count - shown.count
        if earlier > 0 { notes.append("… \(earlier) earlier") }
        for attempt in shown {
            let space = max(0, "delivered".count - attempt.outcome.count)
            let outcome = attempt.outcome + String(repeating: " ", count: space)
            let words = TerminalText.shortened(AttemptText.words(attempt), to: 200)
            notes.append(
                "\(attempt.at)  " + style.paint(TerminalText.escape(outcome), paint(of: attempt))
                    + (words.isEmpty ? "" : "  \(TerminalText.escape(words))"))
        }
        if let next = delivery.nextAttemptAt {
            let reason = delivery.nextAttemptReason.map { ": \(TerminalText.escape($0))" } ?? ""
            notes.append("next \(next) (\(AgeText.planned(next, now: now)))\(reason)")
        } else if let reason = delivery.nextAttemptReason {
            notes.append("waits: \(TerminalText.escape(reason))")
        }
        if let digest = delivery.digest {
            notes.append("sent in the digest \(TerminalText.escape(digest))")
        }
        return notes
    }

    private static func paint(of attempt: AttemptView) -> TextStyle.Paint {
        switch attempt.outcome {
        case "delivered": .green
        case "failed": .red
        default: .yellow
        }
    }
}

extension DeliveryView.State {
    var paint: TextStyle.Paint {
        switch self {
        case .pending: .yellow
        case .delivered: .green
        case .failed: .red
        }
    }
}
