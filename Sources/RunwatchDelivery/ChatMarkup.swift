/// The markup of a chat service, and how plain text is written in it.
///
/// Escapes are placed scalar by scalar, for a mark with an accent after it is a mark to the service, and
/// no `Character` of its own; texts are cut between characters, and never within an escape.
enum ChatMarkup: Sendable {
    /// No markup: text is shown as it is.
    case none
    /// Slack's mrkdwn: `&`, `<` and `>` begin entities, links and mentions. Asterisks and the like cannot
    /// be escaped; they only make text bold.
    /// https://docs.slack.dev/messaging/formatting-message-text
    case mrkdwn
    /// The Markdown of Discord.
    case discord
    /// The part of CommonMark that Adaptive Cards know.
    /// https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features
    case card

    /// The text with escapes, so that it is shown as it is.
    func escaped(_ text: String) -> String { pieces(text).joined() }

    /// The text with escapes, in at most `limit` units; an ellipsis stands for what is cut off.
    /// - Parameter limit: At least 3, the ellipsis.
    func fitted(_ text: String, to limit: Int, in unit: TextUnit) -> String {
        let room = limit - unit.size(of: "…")
        var output = ""
        var size = 0
        // In bytes: so much of the output leaves room for the ellipsis.
        var kept = 0
        for piece in pieces(ChatMarkup.start(of: text, beyond: limit, unit)) {
            size += unit.size(of: piece)
            guard size <= limit else {
                return String(decoding: output.utf8.prefix(kept), as: UTF8.self) + "…"
            }
            output += piece
            if size <= room { kept = output.utf8.count }
        }
        return output
    }

    /// Lines, in at most `limit` units with one more for each line; when not all fit, a last line says
    /// how many are left out.
    /// - Parameters:
    ///   - line: Units of one line at most; far fewer than `limit`.
    ///   - things: What the lines stand for: `events`.
    func fitted(
        _ lines: [String], to limit: Int, line: Int, in unit: TextUnit, things: String
    ) -> [String] {
        func rest(_ count: Int) -> String { "… and \(count) more \(things)" }
        let reserve = unit.size(of: rest(lines.count)) + 1
        var output: [String] = []
        var size = 0
        var kept = 0
        for text in lines {
            let fitted = fitted(text, to: line, in: unit)
            size += unit.size(of: fitted) + 1
            guard size <= limit else {
                return output.prefix(kept) + [rest(lines.count - kept)]
            }
            output.append(fitted)
            if size + reserve <= limit { kept = output.count }
        }
        return output
    }

    /// The text, or of a long one just more than fits: a message of a megabyte is not worth its escapes.
    private static func start(of text: String, beyond limit: Int, _ unit: TextUnit) -> String {
        guard unit.size(of: text) > limit else { return text }
        var size = 0
        var end = text.startIndex
        while end < text.endIndex, size <= limit {
            size += unit.size(of: String(text[end]))
            end = text.index(after: end)
        }
        return String(text[..<end])
    }

    // MARK: Escapes

    /// The text's characters with their escapes.
    private func pieces(_ text: String) -> [String] {
        switch self {
        case .none: text.map { String($0) }
        case .mrkdwn:
            text.map { character in
                character.unicodeScalars.reduce(into: "") { $0 += ChatMarkup.entity(for: $1) }
            }
        case .discord: MarkdownEscape(anywhere: "\\*`~|[]<").pieces(text)
        case .card: MarkdownEscape(anywhere: "\\*`[]").pieces(text)
        }
    }

    private static func entity(for scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "&": "&amp;"
        case "<": "&lt;"
        case ">": "&gt;"
        default: String(scalar)
        }
    }
}

/// Writes plain text as Markdown, with a backslash before what would be markup (CommonMark, sections 2.4,
/// 4.2, 5.1, 5.2).
struct MarkdownEscape {
    /// Where in a line the text is.
    private enum Place {
        /// Only spaces so far.
        case start
        /// Only digits so far: with a dot after them they number a list.
        case number
        case middle
    }

    /// Marks that are escaped wherever they stand.
    private let anywhere: Set<Unicode.Scalar>

    init(anywhere: String) {
        self.anywhere = Set(anywhere.unicodeScalars)
    }

    /// The text's characters with their escapes.
    func pieces(_ text: String) -> [String] {
        var pieces: [String] = []
        var place = Place.start
        let characters = Array(text)
        for (index, character) in characters.enumerated() {
            // Within a word it is no markup, and names are full of it.
            let isInWord =
                index > 0 && isOfWord(characters[index - 1]) && index + 1 < characters.count
                && isOfWord(characters[index + 1])
            var piece = ""
            for scalar in character.unicodeScalars {
                let isMark = isMark(scalar, at: place) || (scalar == "_" && !isInWord)
                if isMark { piece += "\\" }
                piece.unicodeScalars.append(scalar)
                place = next(place, scalar)
            }
            pieces.append(piece)
        }
        return pieces
    }

    private func isMark(_ scalar: Unicode.Scalar, at place: Place) -> Bool {
        switch place {
        case .start where scalar == "#" || scalar == "-" || scalar == "+" || scalar == ">": true
        case .number where scalar == "." || scalar == ")": true
        default: anywhere.contains(scalar)
        }
    }

    private func next(_ place: Place, _ scalar: Unicode.Scalar) -> Place {
        switch scalar {
        case "\n", "\r": .start
        case " ", "\t": place == .start ? .start : .middle
        case "0"..."9": place == .middle ? .middle : .number
        default: .middle
        }
    }

    private func isOfWord(_ character: Character) -> Bool {
        character.isLetter || character.isNumber
    }
}
