import RunwatchCore

extension ControlSession {
    /// Shows the watches, and what becomes of them, until it is interrupted.
    ///
    /// On a terminal a table that is drawn over itself, through any absence of the daemon; elsewhere lines,
    /// which end when the daemon is away for longer than `patience`.
    package func followList(_ query: WatchQuery) throws(ControlFailure) -> ExitStatus {
        if !isJSON, let screen {
            return try LiveListView(self, query, screen).run()
        }
        var isListed = false
        _ = try followThroughRestarts(
            query.streamPath, deadline: nil,
            onOpen: { () throws(ControlFailure) in
                guard !isListed else { return true }
                isListed = true
                return try listOnce(query)
            },
            onMessage: { (message) throws(ControlFailure) in
                // What is no JSON is no event of ours.
                guard let event = try? JSONValue(parsing: message.data),
                    let change = WatchChange(event), change.concerns(query)
                else { return true }
                let line = isJSON ? try self.watch(after: change) : Array(change.line(style).utf8)
                return output.write(line + [0x0A])
            })
        return .done
    }

    /// The watches as they are now; as JSON one a line.
    /// - Returns: `false` when the reader has gone away.
    private func listOnce(_ query: WatchQuery) throws(ControlFailure) -> Bool {
        guard isJSON else {
            return try listed(query)
        }
        return try pages("/v1/watches", "watches", query.parameters) { element in
            output.write(element + [0x0A])
        }
    }

    /// The watch as the API has it now; as the event tells it when it has left its list.
    private func watch(after change: WatchChange) throws(ControlFailure) -> [UInt8] {
        var found: [UInt8]?
        _ = try pages(
            "/v1/watches", "watches", [("name", change.data.name.description)], upTo: 1
        ) { element in
            found = Array(element)
            return false
        }
        return found ?? WatchView(data: change.data).json
    }

    static func emptyText(_ query: WatchQuery) -> String {
        query == WatchQuery() ? "there are no watches" : "no watch matches"
    }
}
