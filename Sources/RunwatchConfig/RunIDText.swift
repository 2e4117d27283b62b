import RunwatchCore

/// The rules for IDs of runs, which are opaque text otherwise.
package enum RunIDText {
    package static let maximumLength = WatchName.longestRun

    /// What is wrong with an ID; `nil` when nothing is.
    ///
    /// - Parameter bytes: UTF-8.
    package static func fault(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        guard let first = bytes.first, let last = bytes.last else { return "is empty" }
        guard bytes.count <= maximumLength else { return "is longer than \(maximumLength) bytes" }
        let space = UInt8(ascii: " ")
        if first == space || last == space { return "begins or ends with white space" }
        if bytes.allSatisfy({ $0 >= space && $0 < 0x7F }) { return nil }
        let scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars
        if scalars.contains(where: ASCII.isControl) { return "holds a control character" }
        let isSpaced =
            scalars.first?.properties.isWhitespace == true
            || scalars.last?.properties.isWhitespace == true
        return isSpaced ? "begins or ends with white space" : nil
    }

    /// What is wrong with an ID; `nil` when nothing is.
    package static func fault(_ text: String) -> String? {
        var text = text
        return text.withUTF8(fault)
    }

    /// Whether an ID has the shape of Krixik's: lower-case hexadecimal digits in groups of 8-4-4-4-12.
    static func hasKrixikShape(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard bytes.count == 36 else { return false }
        for (index, byte) in bytes.enumerated() {
            let isDash = index == 8 || index == 13 || index == 18 || index == 23
            let isDigit =
                ASCII.isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
            guard isDash ? byte == UInt8(ascii: "-") : isDigit else { return false }
        }
        return true
    }
}
