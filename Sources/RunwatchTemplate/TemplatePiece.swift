import CMustache

/// What the library finds in a template: a bit of text, or a tag.
struct TemplatePiece {
    private typealias Visitor =
        @convention(c) (UnsafeMutableRawPointer?, CMustachePiece) -> Void

    let kind: CMustacheKind
    /// The text, or the tag's name.
    let text: String
    /// Bytes from the start of the template.
    let offset: Int

    /// Whether the piece writes nothing itself, so that a line of its own is no line of the output.
    var isSilentTag: Bool {
        switch kind {
        case .section, .inverted, .end, .partial, .comment, .delimiters: true
        case .text, .blank, .newline, .variable, .unescaped: false
        }
    }

    /// All pieces in their order; the begin and the end of a section are pieces of their own.
    static func split(_ text: String) throws(Template.Fault) -> [TemplatePiece] {
        var pieces: [TemplatePiece] = []
        var fault = CMustacheFault(problem: .other, offset: 0)
        let isSplit = withUnsafeMutablePointer(to: &pieces) { pieces in
            text.withCString {
                cmustache_split($0, text.utf8.count, pieces, TemplatePiece.visit, &fault)
            }
        }
        guard isSplit else { throw TemplatePiece.fault(fault, in: text) }
        return pieces
    }

    private static let visit: Visitor = { context, piece in
        let text = UnsafeRawBufferPointer(start: piece.text, count: piece.length)
        context?.assumingMemoryBound(to: [TemplatePiece].self).pointee.append(
            TemplatePiece(
                kind: piece.kind, text: String(decoding: text, as: UTF8.self),
                offset: piece.offset))
    }

    private static func fault(_ fault: CMustacheFault, in text: String) -> Template.Fault {
        var place = TemplatePlace(text)
        place.advance(to: fault.offset)
        switch fault.problem {
        case .unclosedTag: return place.fault("the tag that begins here is never closed")
        case .invalidDelimiters:
            return place.fault("these are no delimiters; write them like {{=<% %>=}}")
        case .outOfMemory: return place.fault("the memory did not suffice to read the template")
        case .other: return place.fault("the template cannot be read")
        }
    }
}
