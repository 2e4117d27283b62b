package import RunwatchCore

/// What came back from a poll of each service, a line each.
package enum ProbeText {
    package static func lines(_ probes: [ServiceProbe], _ style: TextStyle) -> String {
        let names = probes.map { TerminalText.width($0.service) }.max() ?? 0
        let words = probes.map { word($0.outcome) }
        let width = words.map(\.text.count).max() ?? 0
        return probes.indices.map { index in
            let probe = probes[index]
            let (word, paint) = words[index]
            return probe.service
                + space(names - TerminalText.width(probe.service)) + "  "
                + style.paint(word, paint) + space(width - word.count) + "  "
                + TerminalText.escape(answer(probe)) + "\n"
        }.joined()
    }

    /// One line for all: nothing when all is well.
    package static func summary(_ probes: [ServiceProbe]) -> String {
        let count = probes.count { !$0.isFine }
        guard count > 0 else { return "" }
        return "\(CountText.count(count, "service")) of \(probes.count) gave no usable answer\n"
    }

    private static func word(_ outcome: ServiceProbe.Outcome) -> (text: String, TextStyle.Paint) {
        switch outcome {
        case .up: ("up", .green)
        case .refused: ("refused", .yellow)
        case .failed: ("failed", .red)
        case .notAsked: ("not asked", .dim)
        case .noCredential: ("not asked", .yellow)
        }
    }

    /// `200 in 12ms: run 12 is running`, or why there is none.
    private static func answer(_ probe: ServiceProbe) -> String {
        guard let spent = probe.duration.map({ DurationText.glance($0) }) else {
            return probe.message
        }
        guard let status = probe.status else { return "\(probe.message) (after \(spent))" }
        // The message may begin with the status itself.
        let prefix = "HTTP \(status)"
        var rest = probe.message[...]
        if rest.hasPrefix(prefix) {
            rest = rest.dropFirst(prefix.count)
            if rest.hasPrefix(": ") || rest.hasPrefix("; ") { rest = rest.dropFirst(2) }
        }
        return "\(status) in \(spent)" + (rest.isEmpty ? "" : ": \(rest)")
    }

    private static func space(_ count: Int) -> String {
        String(repeating: " ", count: max(0, count))
    }
}
