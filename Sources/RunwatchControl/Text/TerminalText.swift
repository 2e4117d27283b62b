/// Text from outside, made safe for a terminal, and its width there.
package enum TerminalText {
    /// Writes control characters, line breaks and marks that turn the direction of writing as escapes.
    ///
    /// A run's ID or a service's message may hold anything; it must neither move the cursor nor fake a line.
    package static func escape(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: mustEscape) else { return text }
        var output = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            case _ where mustEscape(scalar):
                output += "\\u{\(String(scalar.value, radix: 16))}"
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output
    }

    /// The columns that the text takes, as most terminals count: two for the wide scripts, none for marks.
    package static func width(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) { $0 + width(of: $1) }
    }

    /// The first `limit` columns; what was cut off shows as `…`.
    package static func shortened(_ text: String, to limit: Int) -> String {
        guard width(text) > limit else { return text }
        var output = ""
        var columns = 0
        for scalar in text.unicodeScalars {
            columns += width(of: scalar)
            guard columns < limit else { break }
            output.unicodeScalars.append(scalar)
        }
        return output + "…"
    }

    private static func mustEscape(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        // Cf holds the marks of direction and the invisible ones.
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    private static func width(of scalar: Unicode.Scalar) -> Int {
        if scalar.value < 0x300 { return 1 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        // The blocks of the East Asian wide scripts and of the pictures, roughly (UAX #11).
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F,
            0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }
}
