import RunwatchCore

/// The verb that the shells' completion scripts call, and that people do not: `__complete`.
///
/// `__complete words -- WORD…` takes the words behind the program's name up to the cursor, unquoted;
/// `__complete bash LINE BREAKS` the line itself. Both print what `Completion` says.
package enum CompletionCommand {
    package static let name = "__complete"

    /// - Parameters:
    ///   - arguments: What follows the program's name, `__complete` first.
    ///   - outline: Asked for only when it is needed.
    /// - Returns: What to print; empty for a call that no script of ours makes.
    package static func answer(
        _ arguments: [String], outline: () -> CommandOutline?, environment: [String: String],
        exists: (String) -> Bool
    ) -> String {
        guard arguments.first == name, arguments.count > 1, let outline = outline()
        else { return "" }
        func completion(_ words: [String]) -> Completion {
            let goal = CompletionGoal(words, in: outline)
            return Completer(goal, outline: outline, environment: environment, exists: exists)
                .completion(for: goal)
        }
        switch arguments[1] {
        case "words" where arguments.count > 2 && arguments[2] == "--":
            return completion(Array(arguments.dropFirst(3))).text
        case "bash" where arguments.count == 4:
            let line = BashLine(arguments[2], breaks: arguments[3])
            guard !line.isRedirection else { return Completion(.files, []).text }
            return completion(line.words).text(for: line)
        default: return ""
        }
    }
}
