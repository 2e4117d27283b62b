/// What a shell may offer for the word under the cursor.
package struct Completion: Sendable, Equatable {
    package enum Kind: String, Sendable {
        /// Whole words.
        case words
        /// Beginnings of words: nothing goes behind them yet.
        case partial
        /// Files, which every shell knows best by itself.
        case files
    }

    package struct Candidate: Sendable, Equatable {
        package var value: String
        /// One line for people; may be empty.
        package var help: String

        package init(_ value: String, _ help: String = "") {
            self.value = value
            self.help = help
        }
    }

    package var kind: Kind
    package private(set) var candidates: [Candidate]

    package static let nothing = Completion(.words, [])

    /// Leaves out what no shell could show or quote in one line.
    ///
    /// That is control characters, line breaks and marks that turn the direction of writing. An ID that
    /// holds them has to be written by hand.
    package init(_ kind: Kind, _ candidates: [Candidate]) {
        self.kind = kind
        self.candidates = candidates.filter {
            !$0.value.isEmpty && TerminalText.escape($0.value) == $0.value
        }
    }

    /// For zsh and fish, which quote by themselves: the kind in a line, then a line for each candidate, its
    /// value and what is said of it with a tab between.
    package var text: String {
        candidates.reduce(into: kind.rawValue + "\n") { text, candidate in
            text += candidate.value
            if !candidate.help.isEmpty { text += "\t" + TerminalText.escape(candidate.help) }
            text += "\n"
        }
    }

    /// For bash: the kind in a line, then a line for each reply, quoted.
    package func text(for line: BashLine) -> String {
        candidates.reduce(into: kind.rawValue + "\n") { text, candidate in
            if let reply = line.reply(candidate.value) { text += reply + "\n" }
        }
    }
}
