import CMustache

/// Builds a template's tree from the pieces that the library finds.
struct TemplateParser {
    private struct OpenSection {
        var tag: TemplateTag
        var isInverted: Bool
        /// What stands before the section, one level up.
        var before: [TemplateNode]
    }

    private var nodes: [TemplateNode] = []
    private var open: [OpenSection] = []
    private var text: [UInt8] = []
    private var place: TemplatePlace

    static func parse(_ text: String) throws(Template.Fault) -> [TemplateNode] {
        let length = text.utf8.count
        guard length <= Template.maximumLength else {
            throw Template.Fault(
                line: 1, column: 1,
                message: "a template of \(length) bytes is too long; "
                    + "\(Template.maximumLength) are allowed")
        }
        var parser = TemplateParser(place: TemplatePlace(text))
        for piece in withoutSilentLines(try TemplatePiece.split(text)) { try parser.add(piece) }
        return try parser.finish()
    }

    private init(place: TemplatePlace) {
        self.place = place
    }

    // MARK: Lines

    /// Leaves out the space of lines that hold only tags which write nothing themselves.
    private static func withoutSilentLines(_ pieces: [TemplatePiece]) -> [TemplatePiece] {
        var output: [TemplatePiece] = []
        output.reserveCapacity(pieces.count)
        var start = 0
        for piece in pieces {
            output.append(piece)
            guard piece.kind == .newline else { continue }
            dropSpaceOfSilentLine(&output, from: start)
            start = output.count
        }
        dropSpaceOfSilentLine(&output, from: start)
        return output
    }

    private static func dropSpaceOfSilentLine(_ pieces: inout [TemplatePiece], from start: Int) {
        let line = pieces[start...]
        let isSilent =
            line.contains(where: \.isSilentTag)
            && line.allSatisfy { $0.isSilentTag || $0.kind == .blank || $0.kind == .newline }
        guard isSilent else { return }
        pieces.replaceSubrange(start..., with: line.filter(\.isSilentTag))
    }

    // MARK: Pieces

    private mutating func add(_ piece: TemplatePiece) throws(Template.Fault) {
        switch piece.kind {
        case .text, .blank, .newline: text += piece.text.utf8
        case .variable: append(.variable(try tag(piece), isEscaped: true))
        case .unescaped: append(.variable(try tag(piece), isEscaped: false))
        case .section: try begin(try tag(piece), isInverted: false)
        case .inverted: try begin(try tag(piece), isInverted: true)
        case .end: try end(try tag(piece))
        case .partial:
            place.advance(to: piece.offset)
            throw place.fault("partials ({{>name}}) are not supported; write the text here")
        case .comment, .delimiters: break
        }
    }

    private mutating func append(_ node: TemplateNode) {
        flushText()
        nodes.append(node)
    }

    private mutating func flushText() {
        guard !text.isEmpty else { return }
        nodes.append(.text(text))
        text = []
    }

    private mutating func begin(_ tag: TemplateTag, isInverted: Bool) throws(Template.Fault) {
        guard open.count < Template.maximumDepth else {
            throw tag.fault("sections are nested deeper than \(Template.maximumDepth)")
        }
        flushText()
        open.append(OpenSection(tag: tag, isInverted: isInverted, before: nodes))
        nodes = []
    }

    private mutating func end(_ tag: TemplateTag) throws(Template.Fault) {
        flushText()
        guard var section = open.popLast() else {
            throw tag.fault("'{{/\(tag.name)}}' ends a section that was never begun")
        }
        guard section.tag.path == tag.path else {
            throw tag.fault(
                "'{{/\(tag.name)}}' stands where section '\(section.tag.name)' of line "
                    + "\(section.tag.line) ends; write '{{/\(section.tag.name)}}' before it")
        }
        // Swapped and not copied: a template may be thousands of sections side by side.
        swap(&nodes, &section.before)
        nodes.append(.section(section.tag, isInverted: section.isInverted, section.before))
    }

    private mutating func finish() throws(Template.Fault) -> [TemplateNode] {
        flushText()
        if let section = open.last {
            throw section.tag.fault(
                "section '\(section.tag.name)' is never ended; "
                    + "'{{/\(section.tag.name)}}' is missing")
        }
        return nodes
    }

    // MARK: Names

    private mutating func tag(_ piece: TemplatePiece) throws(Template.Fault) -> TemplateTag {
        place.advance(to: piece.offset)
        let name = piece.text
        guard !name.isEmpty else { throw place.fault("a tag without a name") }
        guard name.utf8.count <= Template.maximumNameLength else {
            throw place.fault(
                "a name of \(name.utf8.count) bytes is too long; "
                    + "\(Template.maximumNameLength) are allowed")
        }
        guard !name.unicodeScalars.contains(where: TemplateParser.isForbidden) else {
            throw place.fault("a name holds a brace or a control character")
        }
        let path = name == "." ? [] : name.split(separator: ".", omittingEmptySubsequences: false)
        guard !path.contains(where: \.isEmpty) else {
            throw place.fault("the name '\(name)' has an empty part; write it like data.run")
        }
        return TemplateTag(
            name: name, path: path.map { String($0) }, line: place.line, column: place.column)
    }

    /// Braces, where a tag was closed by mistake, and what would break a line of a message.
    private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F, 0x2028, 0x2029: true
        default: scalar == "{" || scalar == "}"
        }
    }
}
