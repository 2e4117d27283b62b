/// The durations that people write: `500ms`, `2s`, `1m30s`, `24h`, `30d`.
package enum DurationText {
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// Reads a duration: numbers with units, largest unit first, each unit at most once.
    ///
    /// A number may have decimals (`1.5s`). A bare `0` is zero; any other bare number has no unit and
    /// is refused.
    /// - Returns: A duration of at least zero and at most 36,500 days; `nil` for anything else.
    package static func parse(_ text: some StringProtocol) -> Duration? {
        if text == "0" { return .zero }
        var rest = Substring(text)
        guard !rest.isEmpty else { return nil }
        var total: Double = 0
        var lastUnit = -1
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard !digits.isEmpty, digits.first != ".", digits.last != ".",
                let value = Double(digits)
            else { return nil }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { $0.isASCII && $0.isLetter }
            guard let unit = units.firstIndex(where: { $0.name == name }), unit > lastUnit
            else { return nil }
            lastUnit = unit
            total += value * Double(units[unit].milliseconds)
            rest = rest.dropFirst(name.count)
        }
        guard total <= 36_500 * 86_400_000 else { return nil }
        return .milliseconds(Int64(total.rounded()))
    }

    /// Writes a duration in the form that `parse` reads; exact to the millisecond.
    package static func format(_ duration: Duration) -> String {
        var rest = max(0, duration.wholeMilliseconds)
        guard rest > 0 else { return "0s" }
        var text = ""
        for unit in units where rest >= unit.milliseconds {
            text += "\(rest / unit.milliseconds)\(unit.name)"
            rest %= unit.milliseconds
        }
        return text
    }

    /// Writes a duration for a person at a glance: two units at the most, seconds with one decimal.
    package static func glance(_ duration: Duration) -> String {
        let milliseconds = max(0, duration.wholeMilliseconds)
        if milliseconds < 1000 { return "\(milliseconds)ms" }
        if milliseconds < 10_000 {
            let tenths = milliseconds / 100
            return tenths % 10 == 0 ? "\(tenths / 10)s" : "\(tenths / 10).\(tenths % 10)s"
        }
        var parts: [String] = []
        var rest = milliseconds / 1000 * 1000
        for unit in units where rest >= unit.milliseconds && parts.count < 2 {
            parts.append("\(rest / unit.milliseconds)\(unit.name)")
            rest %= unit.milliseconds
        }
        return parts.joined()
    }
}
