/// What is wrong with a YAML text as such, and where.
struct YAMLError: Error, Equatable {
    /// From 1.
    var line: Int
    /// From 1, in characters.
    var column: Int
    /// Never quotes the text: it may be a secret.
    var message: String
}

/// A place in a text, found by counting.
struct TextPlace: Equatable {
    var line = 1
    var column = 1

    /// The place of the byte at `offset`; characters are Unicode scalars.
    init(of offset: Int, in bytes: UnsafeBufferPointer<UInt8>) {
        var index = 0
        while index < min(offset, bytes.count) {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
            index += 1
        }
    }

    /// The byte at a place; `nil` past the end of its line or of the text.
    static func byte(
        line: Int, column: Int, in bytes: UnsafeBufferPointer<UInt8>
    ) -> UInt8? {
        var atLine = 1
        var atColumn = 1
        for byte in bytes {
            if atLine == line, atColumn == column, byte & 0xC0 != 0x80 { return byte }
            if byte == UInt8(ascii: "\n") {
                if atLine == line { return nil }
                atLine += 1
                atColumn = 1
            } else if atLine == line, byte & 0xC0 != 0x80 {
                atColumn += 1
            }
        }
        return nil
    }
}
