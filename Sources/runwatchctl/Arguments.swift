import ArgumentParser
import RunwatchControl
import RunwatchCore

/// The watches that a verb is for.
struct WatchNames: ParsableArguments {
    @Argument(
        help: ArgumentHelp("The watches.", valueName: "service/id"),
        transform: WatchName.argument)
    var names: [WatchName]
}

extension WatchName {
    static func argument(_ text: String) throws -> WatchName {
        guard let name = WatchName(text) else {
            throw ValidationError(
                "'\(TerminalText.escape(text))' names no watch; write SERVICE/ID, as "
                    + "`runwatchctl list` shows them.")
        }
        return name
    }
}

extension Duration {
    static func argument(_ text: String) throws -> Duration {
        guard let duration = DurationText.parse(text) else {
            throw ValidationError(
                "'\(TerminalText.escape(text))' is no duration; write 500ms, 30s, 1m30s, 24h or 30d."
            )
        }
        return duration
    }
}

extension RunState {
    /// Names of states, with commas between.
    static func list(_ text: String) throws -> Set<RunState> {
        var states: Set<RunState> = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let state = RunState(name: name) else {
                let names = RunState.allCases.map(\.name).joined(separator: ", ")
                throw ValidationError(
                    "'\(TerminalText.escape(String(name)))' is no state; there are: \(names).")
            }
            states.insert(state)
        }
        return states
    }
}
