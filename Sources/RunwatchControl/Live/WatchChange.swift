package import RunwatchCore

/// A watch's change of state, as an event tells it.
package struct WatchChange: Sendable, Equatable {
    package var data: RunEventData

    /// Reads an event; `nil` when it tells no change of state, or cannot be read.
    package init?(_ event: JSONValue) {
        guard let type = event["type"]?.stringValue.flatMap({ EventType(name: $0) }),
            case .run(let state) = type, let data = event["data"],
            let object = try? WireObject(data, path: "data"),
            // What another version writes is no change that this one can show.
            let run = try? RunEventData(object), run.state == state
        else { return nil }
        self.data = run
    }

    /// Whether the watch is in a list before the change or after it.
    package func concerns(_ query: WatchQuery) -> Bool {
        guard query.names.isEmpty || query.names.contains(data.name) else { return false }
        if let service = query.service, service != data.name.service { return false }
        if let group = query.group, group != data.group { return false }
        return query.admits(data.state) || (data.previousState.map(query.admits) ?? false)
    }

    /// `2026-11-22T08:30:00.101Z  warehouse/12  running → complete  (its message)`.
    package func line(_ style: TextStyle) -> String {
        let time = data.observedAt.map { "\($0)  " } ?? ""
        let previous = data.previousState.map { "\($0.name) → " } ?? ""
        var line =
            time + TerminalText.escape(data.name.description) + "  " + previous
            + style.paint(data.state.name, data.state.paint)
        if !data.message.isEmpty {
            line += "  (\(TerminalText.escape(TerminalText.shortened(data.message, to: 200))))"
        }
        return line
    }
}

extension WatchQuery {
    /// Whether a watch in that state is in the list, as far as its state decides.
    func admits(_ state: RunState) -> Bool {
        (states.isEmpty || states.contains(state)) && !(isActiveOnly && state.isFinal)
    }

    /// The conditions as a list's parameters.
    var parameters: [(String, String?)] {
        let words = RunState.allCases.filter(states.contains).map(\.name)
        return [
            ("service", service), ("state", words.isEmpty ? nil : words.joined(separator: ",")),
            ("group", group), ("active", isActiveOnly ? "true" : nil),
        ]
    }

    /// The stream of the changes that may concern the list.
    var streamPath: String {
        let types = RunState.allCases.filter { $0 != .unknown }.map { EventType.run($0).name }
        return ControlPath.query(
            "/v1/events/stream",
            [("service", service), ("group", group), ("type", types.joined(separator: ","))])
    }
}
