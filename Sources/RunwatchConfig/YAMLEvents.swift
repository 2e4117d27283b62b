import CYAML

/// libyaml's parser over a text in memory, event by event.
struct YAMLEvents: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let bytes: UnsafeBufferPointer<UInt8>

    /// - Parameter bytes: UTF-8 without a byte order mark; must outlive the parser.
    init(_ bytes: UnsafeBufferPointer<UInt8>) throws(YAMLError) {
        self.bytes = bytes
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        guard yaml_parser_initialize(parser) == 1 else {
            parser.deallocate()
            throw YAMLError(line: 0, column: 0, message: "out of memory")
        }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    /// Reads the next event, which the caller deletes.
    mutating func next() throws(YAMLError) -> yaml_event_t {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw fault() }
        return event
    }

    /// What libyaml says is wrong, with a remedy where the usual mistake is known.
    private func fault() -> YAMLError {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "not YAML"
        if parser.pointee.error == YAML_READER_ERROR {
            let place = TextPlace(of: parser.pointee.problem_offset, in: bytes)
            return YAMLError(
                line: place.line, column: place.column,
                message: "\(problem) (\(codePoint(parser.pointee.problem_value)))")
        }
        let mark = parser.pointee.problem_mark
        var line = mark.line + 1
        var column = mark.column + 1
        // At the end of a text without a last newline libyaml counts one line too many.
        let end = TextPlace(of: bytes.count, in: bytes)
        if line > end.line { (line, column) = (end.line, end.column) }
        var message = problem
        if let context = parser.pointee.context {
            message += " " + String(cString: context)
            let start = parser.pointee.context_mark.line + 1
            if start != line { message += " that begins at line \(start)" }
        }
        if let remedy = remedy(for: problem, line: line, column: column) {
            message += "; \(remedy)"
        }
        return YAMLError(line: line, column: column, message: message)
    }

    private func codePoint(_ value: Int32) -> String {
        let digits = String(max(0, value), radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    private func remedy(for problem: String, line: Int, column: Int) -> String? {
        switch TextPlace.byte(line: line, column: column, in: bytes) {
        case UInt8(ascii: "\t"): return "indent with spaces, not with tabs"
        case UInt8(ascii: "@"), UInt8(ascii: "`"), UInt8(ascii: "%"):
            return "a text that begins so needs quotes"
        default: break
        }
        switch problem {
        case "mapping values are not allowed in this context":
            return "a text that holds ': ' needs quotes, or the indentation is wrong"
        case "did not find expected key", "did not find expected '-' indicator",
            "could not find expected ':'":
            return "look at the indentation and at quotes above this line"
        case "found unexpected end of stream", "did not find expected ',' or ']'",
            "did not find expected ',' or '}'":
            return "a quote or bracket is not closed"
        default: return nil
        }
    }
}
