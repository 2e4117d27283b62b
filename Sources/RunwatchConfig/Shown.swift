/// Values as they are shown in messages: short, on one line.
enum Shown {
    /// A text in quotes; control characters become `?`, and a long text is cut.
    static func value(_ text: String) -> String { quoted(text, limit: 60) }

    /// A path or the name of a watch, whole unless it is out of all bounds.
    static func name(_ text: String) -> String { quoted(text, limit: 1024) }

    private static func quoted(_ text: String, limit: Int) -> String {
        var shown = ""
        for (index, scalar) in text.unicodeScalars.enumerated() {
            if index == limit { return "'\(shown)…'" }
            shown.unicodeScalars.append(ASCII.isControl(scalar) ? "?" : scalar)
        }
        return "'\(shown)'"
    }

    static func kind(of node: YAMLNode) -> String {
        switch node.kind {
        case .scalar: node.isBlank ? "nothing" : "a text"
        case .sequence: "a list"
        case .mapping: "'key: value' pairs"
        }
    }
}

/// Classes of characters.
enum ASCII {
    static func isNameByte(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }

    static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// C0, DEL and C1, and what breaks a line beyond ASCII.
    static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            || scalar.value == 0x2028 || scalar.value == 0x2029
    }
}
