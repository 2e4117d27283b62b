/// The keys that a template's value can have, as a tree.
package indirect enum TemplateKeys: Equatable, Sendable {
    case object([String: TemplateKeys])
    /// A section over it sees the keys of one element.
    case list(of: TemplateKeys)
    /// A text, number or bool: no keys below.
    case text
    /// Free form: every name below is accepted.
    case anything

    /// The keys by name, in the order of the alphabet.
    var names: [String] {
        if case .object(let members) = self { members.keys.sorted() } else { [] }
    }

    /// What stands under a name; `nil` when there is none.
    package subscript(name: String) -> TemplateKeys? {
        switch self {
        case .object(let members): members[name]
        case .list, .text: nil
        case .anything: .anything
        }
    }

    /// What stands under a path from here; `nil` when one of its parts is no key.
    package subscript(path path: some Sequence<String>) -> TemplateKeys? {
        var keys = self
        for name in path {
            guard let next = keys[name] else { return nil }
            keys = next
        }
        return keys
    }
}
