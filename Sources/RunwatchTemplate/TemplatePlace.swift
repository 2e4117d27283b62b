/// Counts lines and columns along a text, forwards only.
struct TemplatePlace {
    private(set) var line = 1
    /// In Unicode scalars.
    private(set) var column = 1
    private let bytes: [UInt8]
    private var offset = 0

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    /// Goes on to the byte at `target`, which lies not before the last one.
    mutating func advance(to target: Int) {
        while offset < min(target, bytes.count) {
            let byte = bytes[offset]
            offset += 1
            let isReturn = byte == UInt8(ascii: "\r")
            let endsLine =
                byte == UInt8(ascii: "\n")
                || isReturn && (offset == bytes.count || bytes[offset] != UInt8(ascii: "\n"))
            if endsLine {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
    }

    func fault(_ message: String) -> Template.Fault {
        Template.Fault(line: line, column: column, message: message)
    }
}
