package import RunwatchCore

/// Decides when `wait` is over, from what the API says of the watches and from events.
package struct WaitMachine: Sendable {
    /// In the order given, each once.
    package let names: [WatchName]
    /// The first final run ends the wait.
    package let isAny: Bool
    /// What was last said of each watch.
    package private(set) var seen: [WatchName: WatchView] = [:]
    private var waiting: Set<WatchName>

    package init(names: [WatchName], isAny: Bool) {
        var known: Set<WatchName> = []
        self.names = names.filter { known.insert($0).inserted }
        waiting = known
        self.isAny = isAny
    }

    /// Takes a watch as the API shows it.
    /// - Returns: The watch when it is final, and was not before.
    package mutating func asked(_ watch: WatchView) -> WatchView? {
        guard waiting.contains(watch.name) else { return nil }
        seen[watch.name] = watch
        guard watch.isFinal else { return nil }
        waiting.remove(watch.name)
        return watch
    }

    /// Takes an event; only those of final states matter.
    /// - Returns: The watch when it is final, and was not before.
    package mutating func told(_ event: JSONValue) -> WatchView? {
        guard let type = event["type"]?.stringValue.flatMap({ EventType(name: $0) }),
            case .run(let state) = type, state.isFinal, let data = event["data"],
            let object = try? WireObject(data, path: "data"),
            // An event that cannot be read ends no wait; the watch is asked for at the next connection.
            let run = try? RunEventData(object), run.state == state, waiting.remove(run.name) != nil
        else { return nil }
        var watch = seen[run.name] ?? WatchView(data: run)
        watch.data = run
        watch.nextPollAt = nil
        watch.nextPollReason = nil
        watch.nextPoll = nil
        watch.prospects = nil
        seen[run.name] = watch
        return watch
    }

    /// Those that are not final, as far as is known.
    package var pending: [WatchName] { names.filter(waiting.contains) }

    /// Those that ended in another final state than `complete`.
    package var unsuccessful: [WatchView] {
        names.compactMap { seen[$0] }.filter { $0.isFinal && $0.data.state != .complete }
    }

    /// How the wait ends; `nil` while it goes on.
    package var outcome: ExitStatus? {
        if isAny {
            let final = seen.values.filter(\.isFinal)
            if final.contains(where: { $0.data.state == .complete }) { return .done }
            return final.isEmpty ? nil : .failed
        }
        guard waiting.isEmpty else { return nil }
        return unsuccessful.isEmpty ? .done : .failed
    }
}
