package import RunwatchCore

/// Decides when `wait` is over, from what the API says of the watches and from events.
package struct WaitMachine: Sendable {
    /// Names of one request; a URL has room for so many.
    static let mostNamed = 100
    /// Bytes of a path with names, far below what the daemon takes (32 KiB).
    private static let longestPath = 8 << 10

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

    /// Takes an event.
    /// - Returns: The watch when it is final, and was not before.
    package mutating func told(_ event: JSONValue) -> WatchView? {
        // An event that cannot be read ends no wait; the watch is asked for at the next connection.
        guard let run = WatchChange(event)?.data, waiting.contains(run.name) else { return nil }
        let known = seen[run.name]
        let watch = known?.changed(to: run) ?? WatchView(data: run)
        guard watch.isFinal else {
            // It may be older than what the API has shown.
            if run.sequence > known?.data.sequence ?? 0 { seen[run.name] = watch }
            return nil
        }
        waiting.remove(run.name)
        seen[run.name] = watch
        return watch
    }

    /// Takes a newer look at a watch, for what no event tells; that it ended is an event's to say.
    package mutating func read(_ watch: WatchView) {
        guard waiting.contains(watch.name), !watch.isFinal,
            watch.data.sequence >= seen[watch.name]?.data.sequence ?? 0
        else { return }
        seen[watch.name] = watch
    }

    /// The stream of what happens to the watches; of all that happens when their names are too long.
    package var streamPath: String {
        let path = "/v1/events/stream"
        guard names.count <= WaitMachine.mostNamed else { return path }
        let named = ControlPath.query(path, names.map { ("name", $0.description) })
        return named.utf8.count <= WaitMachine.longestPath ? named : path
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
