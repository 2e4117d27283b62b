/// A part of a parsed template.
enum TemplateNode: Sendable {
    case text([UInt8])
    case variable(TemplateTag, isEscaped: Bool)
    case section(TemplateTag, isInverted: Bool, [TemplateNode])
}

/// A name in a template, and where its tag begins.
struct TemplateTag: Sendable {
    /// As written, without the space around it.
    let name: String
    /// The name's parts between dots; empty for `.`, the value itself.
    let path: [String]
    let line: Int
    let column: Int

    func fault(_ message: String) -> Template.Fault {
        Template.Fault(line: line, column: column, message: message)
    }
}
