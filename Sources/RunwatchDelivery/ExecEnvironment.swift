import RunwatchCore
import RunwatchStore

/// What a program finds in its environment: the event in words that a script can use.
enum ExecEnvironment {
    /// A value is not longer than this many bytes: the kernel takes 128 KiB, its name included
    /// (execve(2)), and a whole environment of such values would still be refused.
    private static let longestValue = 16 << 10

    /// Variables without a value are left out.
    static func variables(of delivery: PendingDelivery) -> [(name: String, value: String)] {
        let message = DigestMessage(delivery)
        let value = EventMessage.value(of: delivery)
        let data = value["data"]
        var variables: [(name: String, value: String?)] = [
            ("ID", delivery.id), ("RECEIVER", delivery.receiver),
            ("ATTEMPT", String(delivery.attempts + 1)), ("COUNT", String(delivery.parts.count)),
            ("TYPE", value["type"]?.stringValue), ("TIMESTAMP", value["timestamp"]?.stringValue),
            ("NAME", value["name"]?.stringValue), ("TITLE", message.title),
            ("TEXT", message.text), ("SEVERITY", message.severity.rawValue),
        ]
        for key in ["service", "run", "label", "group", "state", "previous_state", "message"] {
            variables.append((key.uppercased(), data?[key]?.stringValue))
        }
        return variables.compactMap { name, value in
            guard let value, !value.isEmpty else { return nil }
            return ("RUNWATCH_\(name)", fit(value))
        }
    }

    /// Without NUL, which would end the value, and not too long.
    private static func fit(_ value: String) -> String {
        var text = value
        text.unicodeScalars.removeAll { $0.value == 0 }
        return PrintableText.truncated(text, to: longestValue)
    }
}
