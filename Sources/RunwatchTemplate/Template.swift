package import RunwatchCore

/// A Mustache template, parsed.
///
/// The syntax is mustache(5): variables, sections, inverted sections, comments, delimiters, dotted
/// names, standalone lines; no partials and no lambdas. The library finds the tags. What they write is
/// decided here, since the library's own renderer writes nothing for numbers, objects and lists, takes
/// an empty text for true, leaves blank lines where comments and false sections stood, and gathers a
/// line of any length before it can be stopped.
package struct Template: Sendable {
    /// How `{{name}}` is written; `{{{name}}}` and `{{&name}}` are never escaped.
    package enum Escape: Sendable {
        /// As it is.
        case none
        /// Inside a JSON string (RFC 8259, section 7).
        case json
        /// As the text of an HTML element, or inside a quoted attribute.
        case html
        /// As one part of a URL (RFC 3986, section 2.3): all but the unreserved characters as `%XX`.
        case uri
    }

    /// What is wrong with a template, and where in its text.
    package struct Fault: Error, Equatable, Sendable, CustomStringConvertible {
        /// From 1.
        package var line: Int
        /// From 1, in Unicode scalars, as YAML's places are counted.
        package var column: Int
        package var message: String

        package init(line: Int, column: Int, message: String) {
            self.line = line
            self.column = column
            self.message = message
        }

        package var description: String { "\(line):\(column): \(message)" }
    }

    /// Why a value could not be rendered; the same value will fail again.
    package enum RenderError: Error, Equatable, Sendable, CustomStringConvertible {
        /// The output is longer than `limit` bytes.
        case tooLong(limit: Int)
        /// Sections over lists within each other multiply beyond every use.
        case tooMuchWork

        package var description: String {
            switch self {
            case .tooLong(let limit): "the rendered template is longer than \(limit) bytes"
            case .tooMuchWork: "the template repeats too much: its sections over lists multiply"
            }
        }
    }

    /// Bytes that a template has at most; no message is written longer.
    package static let maximumLength = 64 << 10
    /// Sections open at once at most.
    package static let maximumDepth = 64
    /// Bytes of a name at most, dots and all.
    package static let maximumNameLength = 256
    /// More faults than this are not told: one slip in a loop of editing repeats itself.
    package static let maximumFaults = 100

    let nodes: [TemplateNode]

    /// - Throws: The first fault of the syntax.
    package init(_ text: String) throws(Fault) {
        nodes = try TemplateParser.parse(text)
    }

    /// Every name that is no known key, with its place and the nearest known; the first 100.
    ///
    /// - Returns: In the order of the text; empty when all is well.
    package func check(_ keys: TemplateKeys) -> [Fault] {
        var checker = TemplateChecker(keys)
        checker.check(nodes)
        return checker.faults
    }

    /// Writes the template with a value's members for its names.
    ///
    /// A missing name and `null` write nothing; numbers, bools, objects and lists write their JSON, so
    /// that `{{{data.detail}}}` is a value in a JSON body. A section is left out for a missing name,
    /// `null`, `false`, an empty text and an empty list, and for nothing else: `0` and `{}` count.
    /// - Parameter limit: Bytes of the output at most.
    package func render(
        _ value: JSONValue, escape: Escape, limit: Int
    ) throws(RenderError) -> String {
        var renderer = TemplateRenderer(value, escape: escape, limit: limit)
        try renderer.render(nodes)
        return String(decoding: renderer.output, as: UTF8.self)
    }
}
