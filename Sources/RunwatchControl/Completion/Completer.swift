package import RunwatchCore
import RunwatchLinux

/// Finds the candidates for a goal, from the program's outline and from the daemon.
///
/// Completes in silence: when no daemon answers, or not in time, there are no candidates.
package struct Completer {
    /// More than that nobody looks through; a letter more narrows them.
    static let maximumCandidates = 200

    /// How long the daemon is asked.
    package struct Limits: Sendable {
        /// For one answer, before it is given up: a terminal that hangs is worse than no help.
        package var patience = Duration.seconds(2)
        /// After that no further page is asked for, so that all is there while the key still moves.
        package var budget = Duration.milliseconds(120)

        package init() {}
    }

    let outline: CommandOutline
    let client: ControlClient
    let limits: Limits
    let time: any TimeSource

    /// - Parameter socket: The daemon's, when the goal names none.
    package init(
        _ goal: CompletionGoal, outline: CommandOutline, environment: [String: String],
        exists: (String) -> Bool, limits: Limits = Limits(), time: any TimeSource = SystemTime()
    ) {
        var option = goal.socket
        // The shell has not expanded it, since the line has not been run.
        if let socket = option, socket.hasPrefix("~/"), let home = environment["HOME"] {
            option = home + socket.dropFirst()
        }
        self.outline = outline
        self.limits = limits
        self.time = time
        client = ControlClient(
            socket: SocketPath.resolve(option: option, environment: environment, exists: exists),
            time: time)
    }

    package func completion(for goal: CompletionGoal) -> Completion {
        var completion: Completion
        do throws(ControlFailure) {
            completion = try find(goal)
        } catch {
            // No text of ours between the user and the line.
            return .nothing
        }
        guard completion.kind != .files else { return completion }
        // What begins with a hyphen would be read as an option, unless it is one.
        if case .option = goal.kind {
        } else {
            completion = Completion(
                completion.kind, completion.candidates.filter { !$0.value.hasPrefix("-") })
        }
        guard !goal.lead.isEmpty else { return completion }
        return Completion(
            completion.kind,
            completion.candidates.map { Completion.Candidate(goal.lead + $0.value, $0.help) })
    }

    private func find(_ goal: CompletionGoal) throws(ControlFailure) -> Completion {
        switch goal.kind {
        case .nothing: return .nothing
        case .file: return Completion(.files, [])
        case .verb: return words(goal, outline.verbs.map { ($0.name, $0.help) })
        case .option(let options):
            return words(goal, options.flatMap { option in option.names.map { ($0, option.help) } })
        case .states: return list(goal, RunState.allCases.map { ($0.name, "") })
        case .service: return words(goal, try status().services.map { ($0.name, $0.kind) })
        case .receiver: return words(goal, try receivers())
        case .receivers: return list(goal, try receivers())
        case .group: return Completion(.words, try groups(goal.prefix))
        case .failedDelivery: return Completion(.words, try failedDeliveries(goal))
        case .watch(let choice): return try watches(choice, goal)
        }
    }

    private func words(_ goal: CompletionGoal, _ all: [(String, String)]) -> Completion {
        Completion(
            .words,
            all.filter { Completer.begins($0.0, with: goal.prefix) && !goal.given.contains($0.0) }
                .map { Completion.Candidate($0.0, $0.1) })
    }

    /// The last of several names with commas between; none twice.
    private func list(_ goal: CompletionGoal, _ all: [(String, String)]) -> Completion {
        let parts = goal.prefix.split(separator: ",", omittingEmptySubsequences: false)
        let before = parts.dropLast()
        let lead = before.map { $0 + "," }.joined()
        let fitting = all.filter { entry in
            entry.0.hasPrefix(parts.last ?? "") && !before.contains { $0 == entry.0 }
        }
        return Completion(.words, fitting.map { Completion.Candidate(lead + $0.0, $0.1) })
    }

    private func receivers() throws(ControlFailure) -> [(String, String)] {
        try status().receivers.map { ($0.name, $0.kind ?? "not configured") }
    }

    private func watches(
        _ choice: CompletionGoal.Choice, _ goal: CompletionGoal
    ) throws(ControlFailure) -> Completion {
        var prefix = goal.prefix
        if !prefix.utf8.contains(UInt8(ascii: "/")) {
            let services = try status().services.filter { Completer.begins($0.name, with: prefix) }
            guard services.count == 1 else {
                return Completion(
                    .partial, services.map { Completion.Candidate($0.name + "/", $0.kind) })
            }
            prefix = services[0].name + "/"
        }
        guard let slash = prefix.utf8.firstIndex(of: UInt8(ascii: "/")) else { return .nothing }
        let search = WatchSearch(
            service: String(prefix[..<slash]),
            run: String(decoding: prefix.utf8[slash...].dropFirst(), as: UTF8.self),
            given: goal.given)
        return Completion(.words, try find(search, choice))
    }

    func status() throws(ControlFailure) -> StatusView {
        try client.view(try client.document("/v1/status", within: limits.patience))
    }

    /// Byte by byte, as IDs are told apart.
    static func begins(_ text: String, with prefix: String) -> Bool {
        text.utf8.starts(with: prefix.utf8)
    }
}
