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
        let (content, isEscaped) = try scanString()
        guard isEscaped else {
            return bytes.withUnsafeBufferPointer {
                String(decoding: UnsafeBufferPointer(rebasing: $0[content]), as: UTF8.self)
            }
        }
        return String(decoding: JSONEscape.resolve(bytes.span.extracting(content)), as: UTF8.self)
    }

    /// The content of a string with its escapes resolved, as UTF-8.
    ///
    /// A lone surrogate becomes U+FFFD.
    package mutating func stringBytes() throws(JSONError) -> [UInt8] {
        let (content, isEscaped) = try scanString()
        return isEscaped
            ? JSONEscape.resolve(bytes.span.extracting(content)) : Array(bytes[content])
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
        skipSpace()
        let start = position
        try scanNumber()
        let isNegative = bytes[start] == UInt8(ascii: "-")
        var value: Int64 = 0
        for byte in bytes[(isNegative ? start + 1 : start)..<position] {
            guard byte >= 48, byte <= 57 else { return nil }
            // Counted downwards, since the least number has no positive twin.
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow2) = product.subtractingReportingOverflow(Int64(byte - 48))
            guard !overflow, !overflow2 else { return nil }
            value = sum
        }
        if isNegative { return value }
        return value == .min ? nil : -value
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
                try scanString()
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
        case .string: try scanString()
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

    /// Reads past a string and checks all of it, escapes too.
    ///
    /// - Returns: Where its content stands, and whether that holds escapes.
    @discardableResult
    private mutating func scanString() throws(JSONError) -> (Range<Int>, isEscaped: Bool) {
        skipSpace()
        guard try currentByte() == UInt8(ascii: "\"") else {
            throw failure("a string was expected")
        }
        position += 1
        let start = position
        var isEscaped = false
        while true {
            position = endOfRun(from: position)
            let byte = try currentByte()
            if byte == UInt8(ascii: "\"") {
                position += 1
                return (start..<position - 1, isEscaped)
            }
            guard byte == UInt8(ascii: "\\") else {
                throw failure("a control character in a string")
            }
            isEscaped = true
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
                // By far the most frequent: JSON within a string is full of it.
                position += 1
            } else {
                try skipEscape()
            }
        }
    }

    /// The place of the next byte that cannot stand for itself in a string, or the text's end.
    private func endOfRun(from start: Int) -> Int {
        let text = bytes.span
        var index = start
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { break }
            index += 1
        }
        return index
    }

    private mutating func skipEscape() throws(JSONError) {
        switch try currentByte() {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"), UInt8(ascii: "b"), UInt8(ascii: "f"):
            position += 1
        case UInt8(ascii: "u"):
            position += 1
            guard JSONEscape.codeUnit(bytes.span, at: position) != nil else {
                throw failure("four hexadecimal digits were expected")
            }
            position += 4
        default: throw failure("an unknown escape")
        }
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

    @inline(__always)
    private mutating func skipSpace() {
        while position < bytes.count, bytes[position] <= 0x20 {
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
