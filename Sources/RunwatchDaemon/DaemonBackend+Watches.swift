import RunwatchConfig
import RunwatchControl
import RunwatchCore
import RunwatchPolling
import RunwatchStore

// Transient watches.
extension DaemonBackend {
    func add(_ asked: AskedWatches) async throws(Problem) -> AddedWatches {
        guard let configuration = await daemon.configuration() else {
            throw Problem(.unavailable, "The daemon is starting; ask again in a moment.")
        }
        let request: WatchRequest
        switch WatchRequestSchema.check(asked, by: configuration) {
        case .request(let checked): request = checked
        case .faults(let faults): throw DaemonBackend.problem(faults)
        }
        let areNew: [Bool]
        do {
            areNew = try await poller.add(asked.ids, as: request)
        } catch {
            throw await problem(error, WatchName(service: asked.service, run: asked.ids[0]))
        }
        let names = asked.ids.map { WatchName(service: asked.service, run: $0) }
        return AddedWatches(try await views(of: names), isAnyNew: areNew.contains(true))
    }

    func remove(_ name: WatchName) async throws(Problem) -> WatchView {
        do {
            try await poller.remove(name)
        } catch {
            throw await problem(error, name, verb: .remove)
        }
        return try await watch(name)
    }

    /// The watches of those names, as a list shows them.
    private func views(of names: [WatchName]) async throws(Problem) -> [WatchView] {
        let rows = try await read { (reader) throws(StoreError) in
            try await reader.watches(named: names)
        }
        let live = await poller.live(names)
        let services = await poller.serviceNames()
        // Removed, and deleted by retention, since it was added: there is nothing to show of it.
        return zip(rows, live).compactMap { row, live in row.map { view($0, live, services) } }
    }

    /// The first fault, and how many more there are; all of them as `errors`.
    private static func problem(_ faults: [WatchRequestSchema.Fault]) -> Problem {
        let texts = faults.map(\.description)
        let more = texts.count > 1 ? " (and \(texts.count - 1) more)" : ""
        return Problem(
            .badBody, texts[0] + more,
            members: [.init("errors", .array(texts.map { .string($0) }))])
    }

    static func problem(_ conflict: WatchConflict) -> Problem {
        if let place = conflict.place {
            return Problem(
                .conflict,
                "'\(conflict.name)' comes from \(place); its settings are changed there. Nothing was "
                    + "added.")
        }
        return Problem(
            .conflict,
            "'\(conflict.name)' is watched with other settings already: "
                + conflict.keys.joined(separator: ", ")
                + (conflict.keys.count == 1 ? " differs" : " differ")
                + ". `remove` it first. Nothing was added.")
    }
}

extension StoreReader {
    /// Watches, listed or not, in the order of their names; `nil` for one that is not there.
    func watches(named names: [WatchName]) throws(StoreError) -> [WatchRow?] {
        try names.map { (name) throws(StoreError) in try watch(name) }
    }
}
