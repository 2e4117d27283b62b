import RunwatchControl
import RunwatchCore
import RunwatchDelivery
import RunwatchPolling
import RunwatchStore

/// What the control API asks, answered from the record and from the parts that run.
struct DaemonBackend: ControlBackend {
    let daemon: Daemon
    let poller: Poller
    let reader: StoreReader
    let deliverer: Deliverer
    let store: Store
    let hub: EventHub

    func status() async -> StatusView {
        let services = await poller.serviceStatuses()
        let receivers = await deliverer.status()
        var counts: [RunState: Int] = [:]
        var backlog: [String: ReceiverBacklog] = [:]
        // A status without some counts says more than none at all.
        if let rows = try? await reader.stateCounts() {
            for row in rows { counts[row.state, default: 0] += row.count }
        }
        if let rows = try? await reader.backlog() {
            backlog = Dictionary(rows.map { ($0.receiver, $0) }, uniquingKeysWith: { $1 })
        }
        return StatusView(
            startedAt: daemon.startedAt, watches: counts,
            services: services.map { service in
                ServiceView(
                    name: service.name, kind: service.kind, health: service.health,
                    since: service.since, lastError: service.lastError,
                    nextProbe: service.nextProbeAt,
                    // While it is not up, its own pauses make polls late, not the budget.
                    lateness: service.ready > 0 && service.health == .up
                        ? service.lateness.latest : nil)
            },
            receivers: DaemonBackend.views(receivers, backlog),
            configuration: await daemon.configurationView(),
            backlog: BacklogView(
                polls: services.reduce(0) { $0 + $1.ready }, changes: store.backlog,
                deliveries: backlog.values.reduce(0) { $0 + $1.pending }),
            databaseError: store.trouble?.message)
    }

    // MARK: Watches

    func watches(
        _ query: WatchQuery, after: WatchName?, limit: Int
    ) async throws(Problem) -> [WatchView] {
        let filter = DaemonBackend.filter(query)
        let rows = try await read { (reader) throws(StoreError) in
            try await reader.watches(filter, after: after, limit: limit)
        }
        let live = await poller.live(rows.map(\.watch.name))
        return zip(rows, live).map { view($0, $1) }
    }

    func watchCounts(_ query: WatchQuery) async throws(Problem) -> [RunState: Int] {
        let filter = DaemonBackend.filter(query)
        return try await read { (reader) throws(StoreError) in
            try await reader.counts(filter)
        }
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
        var view = view(row, await poller.live([name])[0])
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
            throw Problem(.noSuchWatch, "There is no watch '\(name)'.")
        }
        return row
    }

    private func view(_ row: WatchRow, _ live: LiveWatch?) -> WatchView {
        let saved = row.watch
        let data = RunEventData(
            name: saved.name, kind: row.kind, label: row.label, group: row.group,
            state: saved.state, previousState: saved.previousState, sequence: saved.sequence,
            observedAt: saved.observedAt, notBefore: saved.notBefore,
            watchedSince: saved.watchedSince, polls: max(saved.polls, live?.polls ?? 0),
            progress: saved.progress, message: saved.message, detail: saved.detail)
        return WatchView(
            data: data, lastPollAt: live?.lastPollAt ?? saved.phase.lastPollAt,
            nextPollAt: saved.state.isFinal ? nil : live?.nextPollAt,
            nextPollReason: saved.state.isFinal
                ? nil : live?.nextPollReason ?? "not watched any more",
            lastError: live?.lastError, origin: row.isListed ? row.origin : nil)
    }

    // MARK: Events

    func events(
        _ query: EventQuery, after: Int64, since: Timestamp?, limit: Int
    ) async throws(Problem) -> EventPage {
        let filter = EventFilter(
            subjects: Set(query.names.map(\.text)), service: query.service, group: query.group,
            types: query.types)
        let page = try await read { (reader) throws(StoreError) in
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

    private func problem(_ refusal: WatchRefusal, _ name: WatchName) async -> Problem {
        switch refusal {
        case .ended(let state):
            return Problem(
                .conflict,
                "'\(name)' has ended as \(state.name); `rewatch` starts it afresh.")
        case .store(let message):
            return Problem(.unavailable, message)
        case .noSuchWatch:
            let row = try? await reader.watch(name)
            guard row != nil else { return Problem(.noSuchWatch, "There is no watch '\(name)'.") }
            return Problem(
                .conflict,
                "'\(name)' is not watched any more; put it into the watch list again.")
        }
    }

    func reload() async -> ReloadView { await daemon.reload("runwatchctl reload") }

    // MARK: Health

    func health() async -> HealthView {
        let troubles = await daemon.troubles()
        return HealthView(isOK: troubles.isEmpty, reasons: troubles)
    }

    func metrics() async -> [UInt8] {
        let services = await poller.serviceStatuses()
        var counts: [(service: String, state: RunState, count: Int)] = []
        var backlog: [ReceiverBacklog] = []
        // What the database cannot say now is left out; the rest still helps.
        if let rows = try? await reader.stateCounts() { counts = rows }
        if let rows = try? await reader.backlog() { backlog = rows }
        return MetricsText(
            startedAt: daemon.startedAt, now: daemon.time.wallClock(), services: services,
            states: counts, backlog: backlog, changes: store.backlog
        ).bytes
    }

    func read<Value: Sendable>(
        _ query: (StoreReader) async throws(StoreError) -> Value
    ) async throws(Problem) -> Value {
        do {
            return try await query(reader)
        } catch {
            throw Problem(.unavailable, error.message)
        }
    }
}
