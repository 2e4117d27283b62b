/// A pattern for names of files: `*` any text, `?` one character, `[a-z]` one of a set, `[!a-z]` none of it.
///
/// As in a shell, a leading dot is matched by a dot only, and `\` takes the next character as it is.
/// Matching takes at most pattern times name steps, whatever the pattern.
package struct Glob {
    private enum Part {
        case anything
        case anyCharacter
        case literal(Unicode.Scalar)
        case set([ClosedRange<Unicode.Scalar>], isNegated: Bool)

        func matches(_ scalar: Unicode.Scalar) -> Bool {
            switch self {
            case .anything, .anyCharacter: true
            case .literal(let own): own == scalar
            case .set(let ranges, let isNegated):
                ranges.contains { $0.contains(scalar) } != isNegated
            }
        }
    }

    private let parts: [Part]

    /// Whether a text is a pattern at all.
    package static func isPattern(_ text: String) -> Bool {
        text.utf8.contains {
            $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "[")
        }
    }

    package init(_ pattern: String) {
        let scalars = Array(pattern.unicodeScalars)
        var parts: [Part] = []
        var index = 0
        while index < scalars.count {
            switch scalars[index] {
            case "*":
                if case .anything? = parts.last { break }
                parts.append(.anything)
            case "?": parts.append(.anyCharacter)
            case "[":
                if let (set, end) = Glob.set(scalars, after: index) {
                    parts.append(set)
                    index = end
                } else {
                    parts.append(.literal("["))
                }
            case "\\" where index + 1 < scalars.count:
                index += 1
                parts.append(.literal(scalars[index]))
            default: parts.append(.literal(scalars[index]))
            }
            index += 1
        }
        self.parts = parts
    }

    /// Reads a set whose `[` stands at `start`; `nil` when it is never closed.
    private static func set(
        _ scalars: [Unicode.Scalar], after start: Int
    ) -> (part: Part, end: Int)? {
        var index = start + 1
        var isNegated = false
        if index < scalars.count, scalars[index] == "!" || scalars[index] == "^" {
            isNegated = true
            index += 1
        }
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        let first = index
        while index < scalars.count {
            // A bracket right at the start stands for itself.
            if scalars[index] == "]", index > first {
                return (.set(ranges, isNegated: isNegated), index)
            }
            let low = scalars[index]
            if index + 2 < scalars.count, scalars[index + 1] == "-", scalars[index + 2] != "]" {
                let high = scalars[index + 2]
                if low <= high { ranges.append(low...high) }
                index += 3
            } else {
                ranges.append(low...low)
                index += 1
            }
        }
        return nil
    }

    package func matches(_ name: String) -> Bool {
        let scalars = Array(name.unicodeScalars)
        if scalars.first == "." {
            guard case .literal(".")? = parts.first else { return false }
        }
        var part = 0
        var position = 0
        // Where to go on when a match fails: the last `*`, one character further.
        var lastStar: (part: Int, position: Int)?
        while position < scalars.count {
            if part < parts.count {
                if case .anything = parts[part] {
                    lastStar = (part, position)
                    part += 1
                    continue
                }
                if parts[part].matches(scalars[position]) {
                    part += 1
                    position += 1
                    continue
                }
            }
            guard let star = lastStar else { return false }
            part = star.part + 1
            position = star.position + 1
            lastStar = (star.part, star.position + 1)
        }
        while part < parts.count, case .anything = parts[part] { part += 1 }
        return part == parts.count
    }
}
