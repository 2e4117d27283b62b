package import RunwatchCore

/// `runwatchctl deliveries`: a row a delivery.
package struct DeliveryTableText {
    private var table = TextTable([
        .init("RECEIVER"), .init("EVENT"), .init("NAME"), .init("STATE"),
        .init("ATTEMPTS", isRightAligned: true), .init("LAST ATTEMPT"), .init("NEXT"),
        .init("ID"),
    ])
    private let now: Timestamp

    package init(now: Timestamp) {
        self.now = now
    }

    package var isEmpty: Bool { table.isEmpty }

    /// Adds a delivery; its row is made at once, so that a long list keeps no deliveries.
    package mutating func append(_ delivery: DeliveryView) {
        table.append([
            .init(delivery.receiver), .init(delivery.type), .init(delivery.name),
            .init(delivery.state.rawValue, delivery.state.paint),
            .init(String(delivery.earlierAttempts + delivery.attempts.count)),
            .init(delivery.attempts.last.map { last($0) } ?? "-"),
            .init(next(delivery)), .init(delivery.id),
        ])
    }

    private func last(_ attempt: AttemptView) -> String {
        let text = AttemptText.sentence(attempt.outcome, attempt)
        // What is long is for `show`.
        return "\(AgeText.relative(attempt.at, now: now)): \(TerminalText.shortened(text, to: 60))"
    }

    private func next(_ delivery: DeliveryView) -> String {
        delivery.nextAttemptAt.map { AgeText.planned($0, now: now) }
            ?? (delivery.state == .pending ? "waits" : "-")
    }

    package func text(_ style: TextStyle) -> String { table.text(style) }
}
