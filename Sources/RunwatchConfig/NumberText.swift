import RunwatchCore

/// Numbers as people write them: decimal digits and at most one point; no sign, no exponent.
enum NumberText {
    /// A whole number without leading zeros.
    static func integer(_ text: some StringProtocol) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy(ASCII.isDigit),
            text.utf8.count == 1 || text.utf8.first != UInt8(ascii: "0")
        else { return nil }
        return Int(text)
    }

    static func decimal(_ text: some StringProtocol) -> Double? {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= 2, text.utf8.count <= 32,
            parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy(ASCII.isDigit) })
        else { return nil }
        return Double(String(text))
    }

    /// A share from 0 to 1, written `10%` or `0.1`.
    static func share(_ text: String) -> Double? {
        guard
            let value = text.last == "%"
                ? decimal(text.dropLast()).map({ $0 / 100 }) : decimal(text),
            value <= 1
        else { return nil }
        return value
    }

    /// Requests a second, written `20/s`, `600/m` or `1000/h`.
    static func rate(_ text: String) -> Double? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = decimal(parts[0]), number > 0 else { return nil }
        let seconds: Double
        switch parts[1] {
        case "s": seconds = 1
        case "m": seconds = 60
        case "h": seconds = 3600
        default: return nil
        }
        let rate = number / seconds
        return rate <= 1_000_000 ? rate : nil
    }
}

/// Texts with units, and what is wrong with them.
enum UnitText {
    private static let sizes = [("KiB", 10), ("MiB", 20), ("GiB", 30)]

    private static let durationUnits: [String: String] = [
        "sec": "s", "secs": "s", "second": "s", "seconds": "s", "S": "s",
        "min": "m", "mins": "m", "minute": "m", "minutes": "m", "M": "m",
        "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "H": "h",
        "day": "d", "days": "d", "D": "d",
        "msec": "ms", "msecs": "ms", "millis": "ms", "milliseconds": "ms", "MS": "ms",
    ]

    /// Bytes, written `8MiB`, `64KiB`, `1GiB` or as a whole number.
    static func size(_ text: String) -> Int? {
        for (unit, shift) in sizes where text.hasSuffix(unit) {
            guard let number = NumberText.integer(text.dropLast(unit.count)) else { return nil }
            let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
            return overflow ? nil : bytes
        }
        return NumberText.integer(text)
    }

    /// What is wrong with a size that `size` refused.
    static func sizeFault(_ text: String) -> String {
        let unit = text.drop { $0.isASCII && $0.isNumber }
        let number = text.dropLast(unit.count)
        if unit.isEmpty || sizes.contains(where: { $0.0 == unit }),
            !number.isEmpty, number.utf8.allSatisfy(ASCII.isDigit)
        {
            return "\(Shown.value(text)) is out of range, or begins with a zero"
        }
        if NumberText.integer(number) != nil, let letter = unit.first?.uppercased(),
            unit.count <= 3, let near = sizes.first(where: { $0.0.hasPrefix(letter) })?.0
        {
            return "unknown unit '\(unit)'; did you mean '\(number)\(near)'?"
        }
        return "\(Shown.value(text)) is no size; write 64KiB, 8MiB, 1GiB or a number of bytes"
    }

    /// What is wrong with a duration that `DurationText` refused.
    static func durationFault(_ text: String) -> String {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        if NumberText.decimal(digits) != nil {
            if unit.isEmpty {
                return "\(Shown.value(text)) has no unit; did you mean '\(digits)s'?"
            }
            if let near = durationUnits[String(unit)] {
                return "unknown unit '\(unit)'; did you mean '\(digits)\(near)'?"
            }
            if unit == "w" || unit.hasPrefix("week"), let weeks = NumberText.integer(digits),
                weeks < 5000
            {
                return "unknown unit '\(unit)'; did you mean '\(weeks * 7)d'?"
            }
            if DurationText.parse(digits + unit) != nil {
                return "\(Shown.value(text)) has a space; did you mean '\(digits)\(unit)'?"
            }
        }
        return "\(Shown.value(text)) is no duration; write 500ms, 2s, 1m30s, 24h or 30d"
    }
}
