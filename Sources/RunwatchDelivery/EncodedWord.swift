import RunwatchCore

/// Writes text of any language in a header, as encoded words (RFC 2047).
///
/// Base64 or the Q encoding, whichever is shorter. No word ends within a Unicode scalar (section
/// 5), and what Q leaves alone is safe in names too (section 5, rule 3).
enum EncodedWord {
    private enum Encoding: String {
        case base64 = "B"
        case quoted = "Q"

        /// Characters that the bytes become.
        func size(of bytes: [UInt8]) -> Int {
            switch self {
            case .base64: (bytes.count + 2) / 3 * 4
            case .quoted: bytes.reduce(0) { $0 + EncodedWord.quoted($1).utf8.count }
            }
        }

        func word(of bytes: [UInt8]) -> String {
            let text =
                switch self {
                case .base64: Base64.encode(bytes)
                case .quoted: bytes.map(EncodedWord.quoted).joined()
                }
            return "=?UTF-8?\(rawValue)?\(text)?="
        }
    }

    /// Of one word (section 2).
    private static let longest = 75
    /// Of what stands around the text of a word.
    private static let frame = "=?UTF-8?Q??=".utf8.count

    /// - Parameter first: Characters that the first word has room for; at least 32.
    /// - Returns: Words of up to 75 characters; the white space between them is not of the text.
    static func words(_ text: String, first: Int) -> [String] {
        let bytes = Array(text.utf8)
        let isQuoted = Encoding.quoted.size(of: bytes) <= Encoding.base64.size(of: bytes)
        let encoding = isQuoted ? Encoding.quoted : .base64
        var words: [String] = []
        var piece: [UInt8] = []
        var room = min(first, longest) - frame
        for scalar in text.unicodeScalars {
            let longer = piece + Array(String(scalar).utf8)
            if encoding.size(of: longer) <= room {
                piece = longer
                continue
            }
            words.append(encoding.word(of: piece))
            piece = Array(String(scalar).utf8)
            room = longest - frame
        }
        if !piece.isEmpty { words.append(encoding.word(of: piece)) }
        return words
    }

    private static func quoted(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            return String(UnicodeScalar(byte))
        case UInt8(ascii: " "): return "_"
        case _ where "!*+-/".utf8.contains(byte): return String(UnicodeScalar(byte))
        default:
            let digits = String(byte, radix: 16, uppercase: true)
            return digits.utf8.count == 1 ? "=0" + digits : "=" + digits
        }
    }
}
