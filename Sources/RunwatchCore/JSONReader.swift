/// What is wrong with a JSON text, and where.
package struct JSONError: Error, Equatable, CustomStringConvertible {
    /// Bytes from the start of the text.
    package var offset: Int
    package var problem: String

    package init(offset: Int, problem: String) {
        self.offset = offset
        self.problem = problem
    }

    package var description: String { "\(problem) at byte \(offset)" }
}

/// Reads JSON (RFC 8259) from front to back, value by value, and keeps nothing.
///
/// The caller asks for what it needs and skips the rest, so an answer of megabytes costs one pass and
/// no tree. The text must be UTF-8; nesting beyond `maximumDepth` is an error, whether read or skipped.
///
/// ```swift
/// var reader = try JSONReader(bytes)
/// try reader.beginObject()
/// while let key = try reader.nextKey() {
///     if key == "message" { message = try reader.string() } else { try reader.skip() }
/// }
/// try reader.finish()
/// ```
package struct JSONReader {
    package enum Kind: Sendable {
        case object, array, string, number, bool, null
    }

    package static let maximumDepth = 512

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0
    /// Right after `{` or `[`, where no comma may stand.
    private var isAtStart = false

    /// - Throws: `JSONError` when the bytes are not UTF-8.
    package init(_ bytes: [UInt8]) throws(JSONError) {
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            throw JSONError(offset: 0, problem: "the text is not UTF-8")
        }
        self.bytes = bytes
    }

    // MARK: Structure

    /// The kind of the next value, without reading it.
    package mutating func peek() throws(JSONError) -> Kind {
        skipSpace()
        switch try currentByte() {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        default: throw failure("a value was expected")
        }
    }

    package mutating func beginObject() throws(JSONError) {
        try begin(UInt8(ascii: "{"), "an object was expected")
    }

    /// The name of the next member; `nil` after the last one, when the object is closed.
    package mutating func nextKey() throws(JSONError) -> String? {
        guard try advance(closing: UInt8(ascii: "}")) else { return nil }
        let key = try string()
        try colon()
        return key
    }

    package mutating func beginArray() throws(JSONError) {
        try begin(UInt8(ascii: "["), "an array was expected")
    }

    /// Whether another element follows; `false` after the last one, when the array is closed.
    package mutating func nextElement() throws(JSONError) -> Bool {
        try advance(closing: UInt8(ascii: "]"))
    }

    /// Checks that nothing but white space follows.
    package mutating func finish() throws(JSONError) {
        skipSpace()
        guard position == bytes.count else { throw failure("text after the end of the value") }
    }

    // MARK: Values

    package mutating func string() throws(JSONError) -> String {
        skipSpace()
        let start = position
        if start < bytes.count, bytes[start] == UInt8(ascii: "\"") {
            let end = endOfRun(from: start + 1)
            if end < bytes.count, bytes[end] == UInt8(ascii: "\"") {
                // Without an escape, the text is the string.
                position = end + 1
                return String(decoding: bytes[start + 1..<end], as: UTF8.self)
            }
        }
        return String(decoding: try stringBytes(), as: UTF8.self)
    }

    /// The content of a string with its escapes resolved, as UTF-8.
    ///
    /// A lone surrogate becomes U+FFFD.
    package mutating func stringBytes() throws(JSONError) -> [UInt8] {
        skipSpace()
        guard try currentByte() == UInt8(ascii: "\"") else {
            throw failure("a string was expected")
        }
        position += 1
        var output: [UInt8] = []
        while true {
            let start = position
            position = endOfRun(from: start)
            output.append(contentsOf: bytes[start..<position])
            let byte = try currentByte()
            if byte == UInt8(ascii: "\"") {
                position += 1
                return output
            }
            guard byte == UInt8(ascii: "\\") else {
                throw failure("a control character in a string")
            }
            position += 1
            try appendEscape(to: &output)
        }
    }

    package mutating func bool() throws(JSONError) -> Bool {
        skipSpace()
        if try currentByte() == UInt8(ascii: "t") {
            try literal("true")
            return true
        }
        try literal("false")
        return false
    }

    package mutating func null() throws(JSONError) {
        skipSpace()
        try literal("null")
    }

    /// A number as it stands in the text, so that no digit is lost.
    package mutating func numberText() throws(JSONError) -> String {
        skipSpace()
        let start = position
        try scanNumber()
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// A whole number; `nil` when the number has a fraction, an exponent or more than 64 bits.
    package mutating func integer() throws(JSONError) -> Int64? {
        Int64(try numberText())
    }

    /// Reads past the next value, whatever it is.
    package mutating func skip() throws(JSONError) {
        let outer = depth
        repeat {
            try skipToken(outer: outer)
        } while depth > outer
    }

    /// Reads past the next value and gives its text, without the white space around it.
    package mutating func rawValue() throws(JSONError) -> ArraySlice<UInt8> {
        skipSpace()
        let start = position
        try skip()
        return bytes[start..<position]
    }

    // MARK: Inside

    private mutating func skipToken(outer: Int) throws(JSONError) {
        if depth > outer {
            skipSpace()
            let closing =
                openers[openers.count - 1] == UInt8(ascii: "{")
                ? UInt8(ascii: "}") : UInt8(ascii: "]")
            guard try advance(closing: closing) else {
                openers.removeLast()
                return
            }
            if closing == UInt8(ascii: "}") {
                try skipString()
                try colon()
            }
        }
        switch try peek() {
        case .object:
            try beginObject()
            openers.append(UInt8(ascii: "{"))
        case .array:
            try beginArray()
            openers.append(UInt8(ascii: "["))
        case .string: try skipString()
        case .number: try scanNumber()
        case .bool: _ = try bool()
        case .null: try null()
        }
    }

    /// What `skip` has opened and not yet closed.
    private var openers: [UInt8] = []

    private mutating func begin(_ byte: UInt8, _ problem: String) throws(JSONError) {
        skipSpace()
        guard try currentByte() == byte else { throw failure(problem) }
        guard depth < JSONReader.maximumDepth else {
            throw failure("nested deeper than \(JSONReader.maximumDepth)")
        }
        position += 1
        depth += 1
        isAtStart = true
    }

    /// Moves to the next member or element; `false` when `closing` was read instead.
    private mutating func advance(closing: UInt8) throws(JSONError) -> Bool {
        skipSpace()
        let byte = try currentByte()
        if byte == closing {
            position += 1
            depth -= 1
            isAtStart = false
            return false
        }
        if !isAtStart {
            guard byte == UInt8(ascii: ",") else { throw failure("a comma was expected") }
            position += 1
            skipSpace()
            guard try currentByte() != closing else { throw failure("a comma before the end") }
        }
        isAtStart = false
        return true
    }

    private mutating func colon() throws(JSONError) {
        skipSpace()
        guard try currentByte() == UInt8(ascii: ":") else { throw failure("a colon was expected") }
        position += 1
    }

    private mutating func skipString() throws(JSONError) {
        skipSpace()
        guard try currentByte() == UInt8(ascii: "\"") else {
            throw failure("a string was expected")
        }
        position += 1
        while true {
            position = endOfRun(from: position)
            let byte = try currentByte()
            if byte == UInt8(ascii: "\"") {
                position += 1
                return
            }
            guard byte == UInt8(ascii: "\\") else {
                throw failure("a control character in a string")
            }
            position += 1
            try skipEscape()
        }
    }

    private mutating func appendEscape(to output: inout [UInt8]) throws(JSONError) {
        let byte = try currentByte()
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(byte)
        case UInt8(ascii: "n"): output.append(0x0A)
        case UInt8(ascii: "r"): output.append(0x0D)
        case UInt8(ascii: "t"): output.append(0x09)
        case UInt8(ascii: "b"): output.append(0x08)
        case UInt8(ascii: "f"): output.append(0x0C)
        case UInt8(ascii: "u"):
            let scalar = try escapedScalar()
            UTF8.encode(scalar)?.forEach { output.append($0) }
        default:
            position -= 1
            throw failure("an unknown escape")
        }
    }

    /// Reads past an escape; what `appendEscape` refuses is refused here too.
    private mutating func skipEscape() throws(JSONError) {
        switch try currentByte() {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"), UInt8(ascii: "b"), UInt8(ascii: "f"):
            position += 1
        case UInt8(ascii: "u"):
            position += 1
            _ = try codeUnit()
        default: throw failure("an unknown escape")
        }
    }

    private mutating func escapedScalar() throws(JSONError) -> Unicode.Scalar {
        let replacement = Unicode.Scalar(0xFFFD as UInt16) ?? " "
        let first = try codeUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, position + 6 <= bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        else { return replacement }
        let before = position
        position += 2
        let second = try codeUnit()
        guard (0xDC00...0xDFFF).contains(second) else {
            position = before
            return replacement
        }
        let value = 0x10000 + (UInt32(first - 0xD800) << 10) + UInt32(second - 0xDC00)
        return Unicode.Scalar(value) ?? replacement
    }

    private mutating func codeUnit() throws(JSONError) -> UInt16 {
        guard position + 4 <= bytes.count else { throw failure("the text ends in an escape") }
        var value: UInt16 = 0
        for byte in bytes[position..<position + 4] {
            let digit: UInt8
            switch byte {
            case 48...57: digit = byte - 48
            case 65...70: digit = byte - 55
            case 97...102: digit = byte - 87
            default: throw failure("four hexadecimal digits were expected")
            }
            value = value << 4 | UInt16(digit)
        }
        position += 4
        return value
    }

    private mutating func scanNumber() throws(JSONError) {
        if position < bytes.count, bytes[position] == UInt8(ascii: "-") { position += 1 }
        let first = position
        try digits()
        if bytes[first] == UInt8(ascii: "0"), position > first + 1 {
            throw failure("a number with a leading zero")
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < bytes.count,
                bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-")
            {
                position += 1
            }
            try digits()
        }
    }

    private mutating func digits() throws(JSONError) {
        let start = position
        while position < bytes.count, bytes[position] >= 48, bytes[position] <= 57 { position += 1 }
        guard position > start else { throw failure("a digit was expected") }
    }

    private mutating func literal(_ text: StaticString) throws(JSONError) {
        let matches = text.withUTF8Buffer { wanted in
            position + wanted.count <= bytes.count
                && bytes[position..<position + wanted.count].elementsEqual(wanted)
        }
        guard matches else { throw failure("'\(text)' was expected") }
        position += text.utf8CodeUnitCount
    }

    /// The place of the next byte that cannot stand for itself in a string, or the text's end.
    private func endOfRun(from start: Int) -> Int {
        var index = start
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { break }
            index += 1
        }
        return index
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private func currentByte() throws(JSONError) -> UInt8 {
        guard position < bytes.count else {
            throw JSONError(offset: position, problem: "the text ends too early")
        }
        return bytes[position]
    }

    private func failure(_ problem: String) -> JSONError {
        JSONError(offset: position, problem: problem)
    }
}
