/// The text of a file by lines, for finding places again.
///
/// A class, so that the lines are found once, and only when a place is asked for.
final class SourceText {
    /// Nobody looks for a place in a longer line.
    private static let longestLine = 1 << 20

    private let bytes: [UInt8]
    /// Where each line begins; one more for the end of the text.
    private lazy var starts = lineStarts()

    /// - Parameter bytes: UTF-8.
    init(_ bytes: [UInt8] = []) {
        self.bytes = bytes
    }

    /// A line without its break.
    ///
    /// - Parameter number: From 1.
    /// - Returns: `nil` past the end, and for a line of more than a mebibyte.
    func line(_ number: Int) -> [Unicode.Scalar]? {
        guard number >= 1, number < starts.count else { return nil }
        let range = starts[number - 1]..<starts[number]
        guard range.count <= SourceText.longestLine else { return nil }
        var scalars = Array(String(decoding: bytes[range], as: UTF8.self).unicodeScalars)
        while let last = scalars.last, SourceText.isBreak(last) { scalars.removeLast() }
        return scalars
    }

    /// What libyaml takes for the end of a line: YAML 1.1, section 4.1.4.
    static func isBreak(_ scalar: Unicode.Scalar) -> Bool {
        ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"].contains(scalar)
    }

    private func lineStarts() -> [Int] {
        // libyaml does not count a byte order mark.
        var starts = [bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0]
        for (index, byte) in bytes.enumerated() where endsBreak(byte, at: index) {
            starts.append(index + 1)
        }
        if starts.last != bytes.count { starts.append(bytes.count) }
        return starts
    }

    /// Whether a byte is the last one of a line break.
    private func endsBreak(_ byte: UInt8, at index: Int) -> Bool {
        func before(_ distance: Int) -> UInt8 { index >= distance ? bytes[index - distance] : 0 }
        return switch byte {
        case 0x0A: true
        case 0x0D: index + 1 == bytes.count || bytes[index + 1] != 0x0A
        case 0x85: before(1) == 0xC2
        case 0xA8, 0xA9: before(1) == 0x80 && before(2) == 0xE2
        default: false
        }
    }
}
