/// Where the keys of a mapping stand, by the whole way to each: `services.warehouse.poll.max`.
struct KeyPlaces: Sendable {
    struct Place: Hashable {
        /// From 1; the key's own line, behind an alias the anchored one's.
        var line: Int
        /// How a secret or a template is given: `{env: NAME}`; `nil` when it stands here, or is neither.
        var reference: String?
    }

    /// The longest way is `receivers.NAME.webhook.tls.ca_file`, and one more does no harm.
    private static let longestWay = 6
    /// Keys of a receiver's kind with names of the user's own, whose values may be secrets.
    private static let free: Set = ["headers", "environment"]
    private static let depthOfFree = 4

    private var places: [String: Place] = [:]

    subscript(way: String) -> Place? { places[way] }

    var isEmpty: Bool { places.isEmpty }

    /// Notes the keys of a mapping, and of the mappings within it.
    ///
    /// No value is kept but names of files, variables and credentials. Only for what the schema has found
    /// free of errors: then a secret's name is a name, and no text can make this long.
    mutating func note(_ node: YAMLNode, under parent: String = "", depth: Int = 1) {
        guard node.kind == .mapping, depth <= KeyPlaces.longestWay else { return }
        var children = node.children
        while let key = children.next(), let value = children.next() {
            let way = parent.isEmpty ? key.text : "\(parent).\(key.text)"
            if depth == KeyPlaces.depthOfFree, KeyPlaces.free.contains(key.text) {
                places[way] = Place(line: key.line)
                continue
            }
            let reference = KeyPlaces.reference(value)
            places[way] = Place(line: key.line, reference: reference)
            if reference == nil { note(value, under: way, depth: depth + 1) }
        }
    }

    private static func reference(_ node: YAMLNode) -> String? {
        switch node.kind {
        case .scalar: return nil
        case .sequence:
            // Two secrets at once, the one as good as the other.
            let references = node.children.compactMap { $0.kind == .mapping ? reference($0) : nil }
            return references.isEmpty ? nil : references.joined(separator: ", ")
        case .mapping:
            var children = node.children
            guard let key = children.next(), let value = children.next(), children.next() == nil,
                ["credential", "file", "env"].contains(key.text), value.kind == .scalar
            else { return nil }
            return "{\(key.text): \(value.text)}"
        }
    }
}

/// Where everything of a configuration stands that its values do not tell.
package struct ConfigurationPlaces: Sendable {
    /// An entry of a watch list.
    struct Entry: Sendable {
        let file: String
        let line: Int
        /// Its own keys.
        let keys: KeyPlaces
        /// The watches that no earlier entry asks for, as indexes in the configuration's.
        let watches: Range<Int>
        /// Its index in the configuration's discoveries.
        let discovery: Int?
    }

    /// The main file's keys.
    var main = KeyPlaces()
    /// In the order in which they were read.
    var entries: [Entry] = []
}
