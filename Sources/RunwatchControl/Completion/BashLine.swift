/// A command line of bash up to the cursor, taken apart as bash itself would, and nothing of it run.
///
/// Bash hands its completions words that are split at more than white space (`COMP_WORDBREAKS`: colons, equals
/// signs) and still quoted, and puts what they answer into the line unquoted. So the line is read here, and
/// what is put in its place is quoted here (bash(1), QUOTING and Programmable Completion).
package struct BashLine: Sendable, Equatable {
    /// The quotes that are open at the cursor.
    package enum Quote: Sendable, Equatable {
        case none, single, double
    }

    /// The words behind the program's name, unquoted; the last one ends at the cursor and may be empty.
    package private(set) var words: [String] = []
    /// The beginning of the last word that bash leaves as it is: it replaces what follows the last break.
    package private(set) var kept = ""
    package private(set) var quote = Quote.none
    /// The last word is where output goes or input comes from.
    package private(set) var isRedirection = false
    /// The last word holds an expansion, whose value only bash could know.
    package private(set) var isUnknown = false

    /// - Parameters:
    ///   - line: From the command's name, or what is assigned before it, to the cursor.
    ///   - breaks: The value of `COMP_WORDBREAKS`.
    package init(_ line: String, breaks: String) {
        var reader = Reader(
            scalars: Array(line.unicodeScalars), breaks: Set(breaks.unicodeScalars))
        reader.readAll()
        reader.finishLine()
        words = reader.words
        kept = reader.kept
        quote = reader.quote
        isRedirection = reader.isRedirection
        isUnknown = reader.isUnknown
    }

    /// What bash is to put behind `kept` to make the last word `candidate`; `nil` when it cannot become that.
    package func reply(_ candidate: String) -> String? {
        guard !isUnknown, candidate.utf8.starts(with: kept.utf8) else { return nil }
        let rest = String(decoding: candidate.utf8.dropFirst(kept.utf8.count), as: UTF8.self)
        switch quote {
        case .none: return BashLine.escaped(rest)
        // Readline closes the quotes.
        case .single: return rest.replacing("'", with: "'\\''")
        case .double:
            var text = ""
            for scalar in rest.unicodeScalars {
                switch scalar {
                case "\"", "$", "`", "\\": text += "\\\(scalar)"
                // The history is looked up inside double quotes too, where no backslash helps.
                case "!": text += "\"\\!\""
                default: text.unicodeScalars.append(scalar)
                }
            }
            return text
        }
    }

    /// Every character that could mean something to bash, with a backslash before it.
    ///
    /// Character by character, so that what several candidates have in common stays the beginning of each.
    private static func escaped(_ text: String) -> String {
        var output = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".", "/", ",", ":", "=", "@", "%", "+":
                break
            case _ where !scalar.isASCII: break
            default: output += "\\"
            }
            output.unicodeScalars.append(scalar)
        }
        return output
    }
}

private struct Reader {
    let scalars: [Unicode.Scalar]
    let breaks: Set<Unicode.Scalar>
    var position = 0

    var words: [String] = []
    var kept = ""
    var quote = BashLine.Quote.none
    var isRedirection = false
    var isUnknown = false

    private var word = ""
    private var hasWord = false
    /// The program's name has been there.
    private var hasProgram = false
    /// The cursor is in another command.
    private var isForeign = false

    init(scalars: [Unicode.Scalar], breaks: Set<Unicode.Scalar>) {
        self.scalars = scalars
        self.breaks = breaks
    }

    mutating func readAll() {
        while position < scalars.count {
            let scalar = scalars[position]
            position += 1
            switch quote {
            case .none: readPlain(scalar)
            case .single: readSingle(scalar)
            case .double: readDouble(scalar)
            }
        }
    }

    private mutating func readPlain(_ scalar: Unicode.Scalar) {
        switch scalar {
        case " ", "\t", "\n": endWord()
        case "'", "\"":
            quote = scalar == "'" ? .single : .double
            hasWord = true
            quoteStart = word
        case "\\": takeNext()
        case ";", "|", "&", "(", ")":
            // Another command begins; it is not ours to complete.
            endWord()
            isForeign = true
        case "<", ">":
            if word.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
                (word, hasWord) = ("", false)
            }
            endWord()
            isRedirection = true
        case "$", "`":
            isUnknown = true
            append(scalar)
        default: append(scalar)
        }
        if quote == .none, hasWord, breaks.contains(scalar), scalar != "'", scalar != "\"" {
            kept = word
        }
    }

    /// What the word was when the quotes that are open began.
    private var quoteStart = ""

    private mutating func readSingle(_ scalar: Unicode.Scalar) {
        guard scalar == "'" else { return append(scalar) }
        quote = .none
    }

    private mutating func readDouble(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": quote = .none
        case "\\"
        where position < scalars.count && "$`\"\\\n".unicodeScalars.contains(scalars[position]):
            takeNext()
        case "$", "`":
            isUnknown = true
            append(scalar)
        default: append(scalar)
        }
    }

    /// The character behind a backslash; a newline there is none.
    private mutating func takeNext() {
        hasWord = true
        guard position < scalars.count else { return }
        if scalars[position] != "\n" { append(scalars[position]) }
        position += 1
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        word.unicodeScalars.append(scalar)
        hasWord = true
    }

    private mutating func endWord() {
        defer { (word, kept) = ("", "") }
        guard hasWord else { return }
        hasWord = false
        // Only the last word has to be known.
        isUnknown = false
        if isRedirection {
            isRedirection = false
        } else if hasProgram {
            words.append(word)
        } else {
            hasProgram = !Reader.isAssignment(word)
        }
    }

    mutating func finishLine() {
        if quote != .none { kept = quoteStart }
        words.append(word)
        isUnknown = isUnknown || isForeign
    }

    private static func isAssignment(_ word: String) -> Bool {
        guard let equals = word.firstIndex(of: "="), equals > word.startIndex else { return false }
        return word[..<equals].utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }
}
