import RunwatchControl
import RunwatchCore
import RunwatchDelivery
import RunwatchPolling
import RunwatchStore

/// What the control API asks, answered from the record and from the parts that run.
struct DaemonBackend: ControlBackend {
    let daemon: Daemon
    let poller: Poller
    /// For short questions.
    let reader: StoreReader
    /// For lists: a long one holds up no short question.
    let lists: StoreReader
    let deliverer: Deliverer
    let store: Store
    let hub: EventHub

    // MARK: Watches

    func watches(
        _ query: WatchQuery, after: WatchName?, limit: Int
    ) async throws(Problem) -> [WatchView] {
        let filter = DaemonBackend.filter(query)
        let rows = try await list { (reader) throws(StoreError) in
            try await reader.watches(filter, after: after, limit: limit)
        }
        let live = await poller.live(rows.map(\.watch.name))
        let services = await poller.serviceNames()
        return zip(rows, live).map { view($0, $1, services) }
    }

    func watchCounts(_ query: WatchQuery) async throws(Problem) -> [RunState: Int] {
        if query.names.isEmpty, query.group == nil, let rows = await stateCounts() {
            var counts: [RunState: Int] = [:]
            for row in rows where query.service == nil || query.service == row.service {
                guard query.states.isEmpty || query.states.contains(row.state),
                    !(query.isActiveOnly && row.state.isFinal)
                else { continue }
                counts[row.state, default: 0] += row.count
            }
            return counts
        }
        let filter = DaemonBackend.filter(query)
        return try await list { (reader) throws(StoreError) in try await reader.counts(filter) }
    }

    private static func filter(_ query: WatchQuery) -> WatchFilter {
        var filter = WatchFilter(
            service: query.service, states: query.states, group: query.group,
            activeOnly: query.isActiveOnly)
        filter.names = query.names
        return filter
    }

    func watch(_ name: WatchName) async throws(Problem) -> WatchView {
        let row = try await row(name)
        var view = view(row, nil, await poller.serviceNames())
        await explain(&view)
        view.transitions = try await transitions(of: row.watch.id)
        let deliveries = try await read { (reader) throws(StoreError) in
            try await reader.deliveries(
                DeliveryFilter(subject: name.description), isNewestFirst: true, limit: 100)
        }
        view.deliveries = await views(deliveries)
        return view
    }

    func transitions(_ name: WatchName) async throws(Problem) -> [TransitionView] {
        try await transitions(of: row(name).watch.id)
    }

    private func transitions(of id: WatchID) async throws(Problem) -> [TransitionView] {
        let rows = try await read { (reader) throws(StoreError) in
            try await reader.transitions(of: id)
        }
        return rows.map { row in
            TransitionView(
                sequence: row.sequence, state: row.state, previousState: row.previousState,
                observedAt: row.observedAt, notBefore: row.notBefore, message: row.message,
                detail: row.detail)
        }
    }

    private func row(_ name: WatchName) async throws(Problem) -> WatchRow {
        let row = try await read { (reader) throws(StoreError) in try await reader.watch(name) }
        guard let row else {
            throw Problem.noSuchWatch(name)
        }
        return row
    }

    func view(
        _ row: WatchRow, _ live: LiveWatch?, _ services: Set<String>
    ) -> WatchView {
        let saved = row.watch
        let data = RunEventData(
            name: saved.name, kind: row.kind, label: row.label, group: row.group,
            state: saved.state, previousState: saved.previousState, sequence: saved.sequence,
            observedAt: saved.observedAt, notBefore: saved.notBefore,
            watchedSince: saved.watchedSince, polls: max(saved.polls, live?.polls ?? 0),
            progress: saved.progress, message: saved.message, detail: saved.detail)
        var view = WatchView(
            data: data, lastPollAt: live?.lastPollAt ?? saved.phase.lastPollAt,
            lastError: live?.lastError, origin: row.isListed ? row.origin : nil)
        guard !saved.state.isFinal else { return view }
        if let live {
            DaemonBackend.add(live, to: &view)
        } else {
            DaemonBackend.addAbsence(to: &view, services: services)
        }
        return view
    }

    // MARK: Events

    func events(
        _ query: EventQuery, after: Int64, since: Timestamp?, limit: Int
    ) async throws(Problem) -> EventPage {
        let filter = EventFilter(
            subjects: Set(query.names.map(\.text)), service: query.service, group: query.group,
            types: query.types)
        let page = try await list { (reader) throws(StoreError) in
            try await reader.events(filter, after: after, since: since, limit: limit)
        }
        return EventPage(
            page.events.map { EventView(number: $0.number, json: $0.json) },
            through: page.through, isLast: page.isLast)
    }

    var eventHub: EventHub { hub }

    func lastEventNumber() async throws(Problem) -> Int64 {
        try await read { (reader) throws(StoreError) in try await reader.lastEventNumber() }
    }

    // MARK: Actions

    func poll(_ name: WatchName) async throws(Problem) {
        do {
            try await poller.pollNow(name)
        } catch {
            throw await problem(error, name)
        }
    }

    func rewatch(_ name: WatchName) async throws(Problem) {
        do {
            try await poller.rewatch(name)
        } catch {
            throw await problem(error, name)
        }
    }

    enum Verb { case remove, other }

    func problem(
        _ refusal: WatchRefusal, _ name: WatchName, verb: Verb = .other
    ) async -> Problem {
        switch refusal {
        case .conflict(let conflict): return DaemonBackend.problem(conflict)
        case .listed(let place):
            return Problem(
                .conflict, "'\(name)' comes from \(place); edit that file to end the watch.")
        case .noSuchService:
            return Problem(
                .conflict, "The service '\(name.service)' has left the configuration.")
        case .parked(let words): return Problem(.conflict, "'\(name)' is not polled: \(words).")
        case .ended(let state):
            return Problem(
                .conflict,
                "'\(name)' has ended as \(state.name); `rewatch` starts it afresh.")
        case .store(let message):
            return Problem(.unavailable, message)
        case .noSuchWatch:
            let row = try? await reader.watch(name)
            guard row != nil else { return Problem.noSuchWatch(name) }
            guard verb == .other else {
                return Problem(
                    .noSuchWatch,
                    "'\(name)' is not watched any more; `show` has its history.")
            }
            return Problem(
                .conflict,
                "'\(name)' is not watched any more; put it into the watch list again, or `add` it.")
        }
    }

    func reload() async -> ReloadView { await daemon.reload("runwatchctl reload") }

    // MARK: Reading

    func read<Value: Sendable>(
        _ query: (StoreReader) async throws(StoreError) -> Value
    ) async throws(Problem) -> Value {
        do {
            return try await query(reader)
        } catch {
            throw Problem(.unavailable, error.message)
        }
    }

    /// Asks the reader of lists.
    func list<Value: Sendable>(
        _ query: (StoreReader) async throws(StoreError) -> Value
    ) async throws(Problem) -> Value {
        do {
            return try await query(lists)
        } catch {
            throw Problem(.unavailable, error.message)
        }
    }
}
