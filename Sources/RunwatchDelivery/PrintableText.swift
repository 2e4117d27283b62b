/// Text from outside, made fit for one line of a log, a terminal or a table.
enum PrintableText {
    /// Escapes what would break a line, move a cursor or turn the reading direction: control
    /// characters, line separators, bidirectional marks.
    static func escaped(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isUnsafe) else { return text }
        var output = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            case _ where isUnsafe(scalar): output += "\\u{\(String(scalar.value, radix: 16))}"
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output
    }

    /// At most `limit` bytes of the text, whole characters only; an ellipsis stands for the rest.
    static func truncated(_ text: String, to limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        let room = limit - "…".utf8.count
        var output = ""
        var used = 0
        for character in text {
            used += character.utf8.count
            guard used <= room else { break }
            output.append(character)
        }
        return output + "…"
    }

    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
