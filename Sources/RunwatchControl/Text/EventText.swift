package import RunwatchCore

/// `runwatchctl events`: a line an event.
package enum EventText {
    package static func line(_ event: JSONValue, style: TextStyle) -> String {
        let type = event["type"]?.stringValue ?? "?"
        let data = event["data"] ?? .object([])
        let time = event["timestamp"]?.stringValue ?? ""
        let padded = type + String(repeating: " ", count: max(0, 15 - type.count))
        let parts = [subject(data), summary(data, style)].filter { !$0.isEmpty }
        return TerminalText.escape(time) + "  "
            + style.paint(TerminalText.escape(padded), paint(of: type)) + "  "
            + parts.joined(separator: "  ")
    }

    private static func paint(of type: String) -> TextStyle.Paint {
        switch EventType(name: type) {
        case .run(let state): state.paint
        case .runStalled: .yellow
        case .serviceDown, .deliveryFailed: .red
        case .serviceUp: .green
        case .groupFinished, .receiverTest, nil: .plain
        }
    }

    /// What the event is about.
    private static func subject(_ data: JSONValue) -> String {
        let text: (String) -> String? = { data[$0]?.stringValue }
        if let service = text("service"), let run = text("run") {
            return TerminalText.escape("\(service)/\(run)")
        }
        let subject =
            text("name") ?? text("service") ?? text("group").map { "group \($0)" }
            ?? text("receiver").map { "receiver \($0)" }
        return TerminalText.escape(subject ?? "")
    }

    private static func summary(_ data: JSONValue, _ style: TextStyle) -> String {
        var parts: [String] = []
        if let state = data["state"]?.stringValue {
            parts.append((data["previous_state"]?.stringValue).map { "\($0) → \(state)" } ?? state)
            if let lasted = RunLength.text(data) { parts.append("after \(lasted)") }
        }
        if let reason = data["reason"]?.stringValue { parts.append(reason) }
        if data["group"] != nil, let counts = data["counts"]?.members {
            parts += counts.map { "\($0.value.text) \($0.name)" }
        }
        if data["delivery"] != nil, let receiver = data["receiver"]?.stringValue {
            parts.append("to \(receiver)")
        }
        if let message = data["message"]?.stringValue, !message.isEmpty {
            parts.append("(\(TerminalText.shortened(message, to: 120)))")
        }
        return parts.map(TerminalText.escape).joined(separator: " ")
    }
}

/// How long a run was watched until its present state was observed.
enum RunLength {
    static func text(_ data: JSONValue) -> String? {
        guard let since = data["watched_since"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }),
            let observed = data["observed_at"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) })
        else { return nil }
        return DurationText.glance(since.duration(to: observed))
    }
}
