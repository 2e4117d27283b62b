import RunwatchControl
import RunwatchCore

/// What can be wrong with a command line before its verb is known.
enum CommandLineCheck {
    /// Why the arguments as the kernel passed them are no text; `nil` when they are.
    ///
    /// Swift would put U+FFFD for what is no UTF-8, and another run would be watched than was named.
    static func fault(
        count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    ) -> String? {
        for index in 1..<max(1, Int(count)) {
            guard let argument = arguments[index], String(validatingCString: argument) == nil
            else { continue }
            let shown = TerminalText.escape(String(cString: argument))
            return "argument \(index) is not UTF-8: '\(TerminalText.shortened(shown, to: 60))'"
        }
        return nil
    }

    /// Why the first word is no verb; `nil` when it is one, or the parser's to judge.
    /// - Parameter verbs: Those that are shown.
    static func fault(_ arguments: [String], verbs: [String]) -> String? {
        guard let first = arguments.first else { return nil }
        if first == "--json" || first == "--socket" || first.hasPrefix("--socket=") {
            let shown = TerminalText.escape(first)
            return "no verb follows '\(shown)'; `runwatchctl help` has them all"
        }
        guard !first.hasPrefix("-"), first != "help", !verbs.contains(first) else { return nil }
        let shown = TerminalText.escape(TerminalText.shortened(first, to: 60))
        let hint =
            NearestName.find(first, among: verbs).map { "did you mean '\($0)'?" }
            ?? "`runwatchctl help` has them all"
        return "there is no verb '\(shown)'; \(hint)"
    }
}
