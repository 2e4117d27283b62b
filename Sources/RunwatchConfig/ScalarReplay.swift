/// Finds where each character of a scalar stands in the file.
///
/// It reads the scalar once more, with the folding and the escapes of YAML 1.1 as libyaml knows them. What
/// comes out is compared with what libyaml made of it: where the two differ nothing is said, so no
/// place is ever wrong.
struct ScalarReplay {
    /// A place in the file, from 1; columns in characters.
    struct Place: Equatable {
        var line: Int
        var column: Int
    }

    private let source: SourceText
    /// What libyaml made of the scalar.
    private let wanted: [Unicode.Scalar]
    private var scalars: [Unicode.Scalar] = []
    private var places: [Place] = []
    /// The line under the cursor, from 1, and the index in it.
    private var line: Int
    private var index: Int
    private var current: [Unicode.Scalar]

    /// The places of all characters of a scalar; `nil` when they cannot be told.
    static func places(of node: YAMLNode, in source: SourceText) -> [Place]? {
        guard node.kind == .scalar, var replay = ScalarReplay(node, source) else { return nil }
        switch node.source.style {
        case .plain: replay.flow(closedBy: nil)
        case .singleQuoted: replay.quoted("'")
        case .doubleQuoted: replay.quoted("\"")
        case .literal: replay.block("|")
        case .folded: replay.block(">")
        }
        guard replay.scalars.starts(with: replay.wanted) else { return nil }
        return Array(replay.places.prefix(replay.wanted.count))
    }

    /// The index of the character at a place in a text, its lines ended by LF, CR or both.
    ///
    /// - Parameters:
    ///   - line: From 1.
    ///   - column: From 1, in Unicode scalars.
    static func index(line: Int, column: Int, of text: String.UnicodeScalarView) -> Int? {
        var (atLine, atColumn) = (1, 1)
        var before: Unicode.Scalar = " "
        for (index, scalar) in text.enumerated() {
            // A line feed after a carriage return belongs to the line that this one ended.
            if before == "\n" || before == "\r" && scalar != "\n" {
                atLine += 1
                atColumn = 1
            }
            if atLine == line, atColumn == column { return index }
            atColumn += 1
            before = scalar
        }
        return nil
    }

    private init?(_ node: YAMLNode, _ source: SourceText) {
        guard let current = source.line(node.source.line), node.source.column <= current.count
        else { return nil }
        self.source = source
        self.current = current
        wanted = Array(node.text.unicodeScalars)
        line = node.source.line
        index = node.source.column - 1
        guard skipProperties() else { return nil }
    }

    private var isDone: Bool { scalars.count >= wanted.count }

    /// Goes on to the next line; `false` at the end of the text.
    private mutating func advance() -> Bool {
        guard let next = source.line(line + 1) else { return false }
        line += 1
        current = next
        index = 0
        return true
    }

    /// Anchors and tags belong to the scalar for libyaml.
    private mutating func skipProperties() -> Bool {
        while index < current.count, current[index] == "&" || current[index] == "!" {
            while index < current.count, !ScalarReplay.isBlank(current[index]) { index += 1 }
            skipBlanks()
            while index == current.count {
                guard advance() else { return false }
                skipBlanks()
            }
        }
        return true
    }

    private mutating func skipBlanks() {
        while index < current.count, ScalarReplay.isBlank(current[index]) { index += 1 }
    }

    private mutating func emit(_ scalar: Unicode.Scalar, at index: Int) {
        scalars.append(scalar)
        places.append(Place(line: line, column: index + 1))
    }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar == " " || scalar == "\t"
    }

    // MARK: Within lines: plain and quoted

    private mutating func quoted(_ quote: Unicode.Scalar) {
        guard current[index] == quote else { return }
        index += 1
        flow(closedBy: quote)
    }

    private mutating func flow(closedBy quote: Unicode.Scalar?) {
        while !isDone {
            let blanks = index
            skipBlanks()
            if index == current.count {
                guard fold(isEscaped: false) else { return }
                continue
            }
            for blank in blanks..<index { emit(current[blank], at: blank) }
            let scalar = current[index]
            if scalar == "\\", quote == "\"" {
                guard index + 1 < current.count ? escape() : fold(isEscaped: true) else { return }
                continue
            }
            if scalar == quote {
                // Single quotes are written twice inside of themselves.
                guard quote == "'", index + 1 < current.count, current[index + 1] == "'" else {
                    return
                }
                index += 1
            }
            emit(scalar, at: index)
            index += 1
        }
    }

    /// At the end of a line: the break is a space, and each empty line after it a line feed.
    private mutating func fold(isEscaped: Bool) -> Bool {
        let place = Place(line: line, column: index + 1)
        var empty = -1
        repeat {
            guard advance() else { return false }
            skipBlanks()
            empty += 1
        } while index == current.count
        let joint = empty > 0 ? String(repeating: "\n", count: empty) : isEscaped ? "" : " "
        for scalar in joint.unicodeScalars {
            scalars.append(scalar)
            places.append(place)
        }
        return true
    }

    private static let escapes: [Unicode.Scalar: Unicode.Scalar] = [
        "0": "\0", "a": "\u{07}", "b": "\u{08}", "t": "\t", "\t": "\t", "n": "\n", "v": "\u{0B}",
        "f": "\u{0C}", "r": "\r", "e": "\u{1B}", " ": " ", "\"": "\"", "/": "/", "\\": "\\",
        "N": "\u{85}", "_": "\u{A0}", "L": "\u{2028}", "P": "\u{2029}",
    ]

    private mutating func escape() -> Bool {
        let letter = current[index + 1]
        let start = index
        index += 2
        if let scalar = ScalarReplay.escapes[letter] {
            emit(scalar, at: start)
            return true
        }
        guard let length = ["x": 2, "u": 4, "U": 8][letter], index + length <= current.count else {
            return false
        }
        var digits = ""
        digits.unicodeScalars.append(contentsOf: current[index..<index + length])
        guard let scalar = UInt32(digits, radix: 16).flatMap(Unicode.Scalar.init) else {
            return false
        }
        emit(scalar, at: start)
        index += length
        return true
    }

    // MARK: Line by line: literal and folded

    private mutating func block(_ mark: Unicode.Scalar) {
        guard current[index] == mark, let indent = indentation(), advance() else { return }
        var breaks = 0
        var isFirst = true
        var wasSpaced = false
        repeat {
            let spaces = leadingSpaces
            index = min(indent, spaces)
            guard spaces < current.count || spaces > indent else {
                // The break of the text before an empty line counts too, as in libyaml.
                emit("\n", at: index)
                breaks += 1
                continue
            }
            guard spaces >= indent else { return }
            let isSpaced = ScalarReplay.isBlank(current[index])
            if mark == ">", !isFirst, !wasSpaced, !isSpaced { joinParagraph(breaks) }
            for place in index..<current.count { emit(current[place], at: place) }
            emit("\n", at: current.count)
            (breaks, isFirst, wasSpaced) = (0, false, isSpaced)
            // The breaks at the end may still change.
        } while scalars.count - breaks - 1 < wanted.count && advance()
    }

    /// Between two lines of a paragraph the break is a space; before empty lines it goes.
    private mutating func joinParagraph(_ empty: Int) {
        let end = scalars.count - empty - 1
        if empty == 0 {
            scalars[end] = " "
        } else {
            scalars.remove(at: end)
            places.remove(at: end)
        }
    }

    private var leadingSpaces: Int { current.prefix { $0 == " " }.count }

    /// The indentation of the block, which the first line with a text tells.
    private func indentation() -> Int? {
        let text = wanted.split(separator: "\n").first { $0.contains { $0 != " " } }
        guard let text else { return nil }
        var number = line + 1
        while let candidate = source.line(number) {
            if candidate.contains(where: { $0 != " " }) {
                let spaces = candidate.prefix { $0 == " " }.count
                let indent = spaces - text.prefix { $0 == " " }.count
                return indent >= 0 ? indent : nil
            }
            number += 1
        }
        return nil
    }
}
