import RunwatchCore

/// Lines of text as the body of a MIME part: ASCII, in lines of at most 76 characters.
///
/// Quoted-printable (RFC 2045, section 6.7), which can be read as it is; base64 (section 6.8) where
/// that is shorter, as it is for most languages but English. Neither can hold `=_`, so no text ends
/// a part early.
struct MailBody: Equatable, Sendable {
    private static let longestLine = 76

    /// The value of `Content-Transfer-Encoding`.
    var encoding: String
    var bytes: [UInt8]

    /// - Parameter lines: None holds a CR or LF.
    init(_ lines: [String]) {
        var count = 0
        var escapes = 0
        for line in lines {
            count += line.utf8.count
            escapes += line.utf8.count { !MailBody.isPlain($0) }
        }
        // An escape takes two characters more than its byte, base64 a third more for every byte.
        if 6 * escapes > count {
            encoding = "base64"
            bytes = MailBody.base64(lines)
        } else {
            encoding = "quoted-printable"
            bytes = MailBody.quotedPrintable(lines)
        }
    }

    private static func base64(_ lines: [String]) -> [UInt8] {
        let text = Array(Base64.encode(lines.flatMap { Array($0.utf8) + [13, 10] }).utf8)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count + text.count / longestLine * 2 + 2)
        for start in stride(from: 0, to: text.count, by: longestLine) {
            bytes += text[start...].prefix(longestLine)
            bytes += [13, 10]
        }
        return bytes
    }

    private static func quotedPrintable(_ lines: [String]) -> [UInt8] {
        var bytes: [UInt8] = []
        for line in lines {
            var column = 0
            let last = line.utf8.count - 1
            for (index, byte) in line.utf8.enumerated() {
                // White space at the end of a line is lost on the way.
                let isPlain = isPlain(byte) && (index < last || byte != 32 && byte != 9)
                let width = isPlain ? 1 : 3
                if column + width >= longestLine {
                    bytes += [UInt8(ascii: "="), 13, 10]
                    column = 0
                }
                column += width
                if isPlain { bytes.append(byte) } else { appendEscape(of: byte, to: &bytes) }
            }
            bytes += [13, 10]
        }
        return bytes
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (32...126).contains(byte) && byte != UInt8(ascii: "=") || byte == 9
    }

    private static func appendEscape(of byte: UInt8, to bytes: inout [UInt8]) {
        func digit(_ value: UInt8) -> UInt8 {
            value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
        }
        bytes.append(UInt8(ascii: "="))
        bytes.append(digit(byte >> 4))
        bytes.append(digit(byte & 15))
    }
}
