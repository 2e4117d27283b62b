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

    /// The columns that the text takes: two for wide scripts and pictures, none for marks.
    ///
    /// Terminals differ where a mark asks for a picture (`❤️`): then it is the larger of their numbers, so
    /// that a line is never longer than its width says.
    package static func width(_ text: String) -> Int {
        var columns = 0
        var last = 0
        for scalar in text.unicodeScalars {
            let width = width(of: scalar, after: last)
            columns += width
            if width > 0 { last = width }
        }
        return columns
    }

    /// The first `limit` columns; what was cut off shows as `…`.
    package static func shortened(_ text: String, to limit: Int) -> String {
        guard width(text) > limit else { return text }
        var output = ""
        var columns = 0
        var last = 0
        for scalar in text.unicodeScalars {
            let width = width(of: scalar, after: last)
            columns += width
            if width > 0 { last = width }
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

    /// - Parameter last: The width of the character before.
    private static func width(of scalar: Unicode.Scalar, after last: Int) -> Int {
        if scalar.value < 0x300 { return 1 }
        // Variation selector 16: the character before is to be a picture (UTS #51).
        if scalar.value == 0xFE0F { return last == 1 ? 1 : 0 }
        // The vowels and final consonants of Hangul stand within the syllable's first character.
        if (0x1160...0x11FF).contains(scalar.value) { return 0 }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: return WideCharacters.contains(scalar) ? 2 : 1
        }
    }
}
