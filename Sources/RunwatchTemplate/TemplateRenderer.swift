import RunwatchCore
import RunwatchHTTP

/// Writes a template's nodes for one value.
struct TemplateRenderer {
    /// Members compared and nodes visited, at most.
    ///
    /// A list section in a list section in a list section takes its length cubed, and may write nothing
    /// meanwhile. A thousand events in a long template take three millions; this many take some tenths of a
    /// second.
    private static let maximumSteps = 10_000_000

    private(set) var output: [UInt8] = []
    private let escape: Template.Escape
    private let limit: Int
    /// The value, and what the open sections stand for; the innermost last.
    private var contexts: [JSONValue]
    private var steps = 0

    init(_ value: JSONValue, escape: Template.Escape, limit: Int) {
        self.escape = escape
        self.limit = limit
        contexts = [value]
    }

    mutating func render(_ nodes: [TemplateNode]) throws(Template.RenderError) {
        for node in nodes {
            try spend(1)
            switch node {
            case .text(let bytes): try write(bytes)
            case .variable(let tag, let isEscaped):
                guard let text = try find(tag.path).flatMap(TemplateRenderer.text) else { continue }
                try write(isEscaped ? escape.bytes(text) : Array(text.utf8))
            case .section(let tag, let isInverted, let children):
                let value = try find(tag.path)
                if isInverted {
                    if TemplateRenderer.isFalse(value) { try render(children) }
                } else if let value, !TemplateRenderer.isFalse(value) {
                    try render(children, for: value)
                }
            }
        }
    }

    private mutating func render(
        _ nodes: [TemplateNode], for value: JSONValue
    ) throws(Template.RenderError) {
        for element in value.arrayValue ?? [value] {
            try spend(1)
            contexts.append(element)
            try render(nodes)
            contexts.removeLast()
        }
    }

    // MARK: Values

    /// The value of a name: its first part in the innermost context that has it, the others below that.
    private mutating func find(_ path: [String]) throws(Template.RenderError) -> JSONValue? {
        guard let first = path.first else { return contexts.last }
        for context in contexts.reversed() {
            guard var value = try member(first, of: context) else { continue }
            for name in path.dropFirst() {
                guard let next = try member(name, of: value) else { return nil }
                value = next
            }
            return value
        }
        return nil
    }

    private mutating func member(
        _ name: String, of value: JSONValue
    ) throws(Template.RenderError) -> JSONValue? {
        try spend(1 + (value.members?.count ?? 0))
        return value[name]
    }

    private static func isFalse(_ value: JSONValue?) -> Bool {
        switch value {
        case nil, .null, .bool(false), .string(""), .array([]): true
        default: false
        }
    }

    private static func text(_ value: JSONValue) -> String? {
        switch value {
        case .null: nil
        case .string(let text): text
        case .bool, .integer, .number, .array, .object: value.text
        }
    }

    // MARK: Bounds

    private mutating func write(_ bytes: [UInt8]) throws(Template.RenderError) {
        guard bytes.count <= limit - output.count else { throw .tooLong(limit: limit) }
        output += bytes
    }

    private mutating func spend(_ count: Int) throws(Template.RenderError) {
        steps += count
        guard steps <= TemplateRenderer.maximumSteps else { throw .tooMuchWork }
    }
}

extension Template.Escape {
    func bytes(_ text: String) -> [UInt8] {
        switch self {
        case .none: return Array(text.utf8)
        case .json:
            var writer = JSONWriter()
            writer.string(text)
            return Array(writer.bytes.dropFirst().dropLast())
        case .html: return Template.Escape.html(text)
        case .uri: return Array(PercentEncoding.encode(text).utf8)
        }
    }

    private static func html(_ text: String) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "&"): output += "&amp;".utf8
            case UInt8(ascii: "<"): output += "&lt;".utf8
            case UInt8(ascii: ">"): output += "&gt;".utf8
            case UInt8(ascii: "\""): output += "&quot;".utf8
            case UInt8(ascii: "'"): output += "&#39;".utf8
            default: output.append(byte)
            }
        }
        return output
    }
}
