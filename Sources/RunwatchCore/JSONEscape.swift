/// The escapes of a JSON string (RFC 8259, section 7).
enum JSONEscape {
    /// Resolves every escape of a string's content; they have been checked before.
    ///
    /// A lone surrogate becomes U+FFFD.
    static func resolve(_ text: Span<UInt8>) -> [UInt8] {
        // An escape is never shorter than what it stands for.
        [UInt8](capacity: text.count) { output in
            var index = 0
            while index < text.count {
                let byte = text[index]
                index += 1
                guard byte == UInt8(ascii: "\\") else {
                    output.append(byte)
                    continue
                }
                let escape = text[index]
                index += 1
                switch escape {
                case UInt8(ascii: "n"): output.append(0x0A)
                case UInt8(ascii: "r"): output.append(0x0D)
                case UInt8(ascii: "t"): output.append(0x09)
                case UInt8(ascii: "b"): output.append(0x08)
                case UInt8(ascii: "f"): output.append(0x0C)
                case UInt8(ascii: "u"):
                    let scalar = scalar(text, at: &index)
                    UTF8.encode(scalar)?.forEach { output.append($0) }
                default: output.append(escape)
                }
            }
        }
    }

    /// The scalar of a `\u` escape, or of two that are a surrogate pair; `index` is moved past it.
    private static func scalar(_ text: Span<UInt8>, at index: inout Int) -> Unicode.Scalar {
        let replacement: Unicode.Scalar = "\u{FFFD}"
        let first = codeUnit(text, at: index) ?? 0xFFFD
        index += 4
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, index + 6 <= text.count, text[index] == UInt8(ascii: "\\"),
            text[index + 1] == UInt8(ascii: "u"), let second = codeUnit(text, at: index + 2),
            (0xDC00...0xDFFF).contains(second)
        else { return replacement }
        index += 6
        let value = 0x10000 + (UInt32(first - 0xD800) << 10) + UInt32(second - 0xDC00)
        return Unicode.Scalar(value) ?? replacement
    }

    /// The four hexadecimal digits from `start`; `nil` when they are something else, or cut short.
    static func codeUnit(_ text: Span<UInt8>, at start: Int) -> UInt16? {
        guard start + 4 <= text.count else { return nil }
        var value: UInt16 = 0
        for index in start..<start + 4 {
            let digit: UInt8
            switch text[index] {
            case let byte where byte >= 48 && byte <= 57: digit = byte - 48
            case let byte where byte >= 65 && byte <= 70: digit = byte - 55
            case let byte where byte >= 97 && byte <= 102: digit = byte - 87
            default: return nil
            }
            value = value << 4 | UInt16(digit)
        }
        return value
    }
}
