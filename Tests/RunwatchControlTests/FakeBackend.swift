import RunwatchControl
import RunwatchCore
import Synchronization

/// A daemon made of values: what a test puts in is what the API shows.
final class FakeBackend: ControlBackend {
    struct State {
        var status = Samples.status
        var watches: [WatchView] = []
        var events: [EventView] = []
        var reload = ReloadView(isOK: true)
        var health = HealthView(isOK: true)
        var readiness = HealthView(isOK: true)
        var metrics: [MetricFamily] = []
        var failure: Problem?
        var polled: [WatchName] = []
        var rewatched: [WatchName] = []
        var added: [AskedWatches] = []
        var removed: [WatchName] = []
        var lastQuery: WatchQuery?
        /// In the order of their events, which are numbered from 1.
        var deliveries: [DeliveryView] = []
        var lastDeliveryQuery: DeliveryQuery?
        /// The limits of the pages of deliveries that were asked for.
        var deliveryLimits: [Int] = []
        var redelivered: [String] = []
        /// Of each call for failed ones, the receiver.
        var redeliveredFailed: [String?] = []
        /// What comes of a test of a receiver, by its name.
        var tests: [String: DeliveryView] = [:]
        /// What is committed is not published.
        var losesLive = false
        /// Called once, before the next page of events is read.
        var beforeRead: (@Sendable () -> Void)?
        var hub = EventHub()
        /// Of the watches that lists were asked for by name.
        var askedFor: [Set<WatchName>] = []
        var reads = 0
        var asked: [WatchName] = []
    }

    private let state = Mutex(State())

    init(watches: [WatchView] = [], events: Int = 0) {
        state.withLock { state in
            state.watches = watches.sorted { $0.name < $1.name }
            for number in 0..<events { state.events.append(Samples.event(Int64(number) + 1)) }
        }
    }

    func edit<Value: Sendable>(_ change: (inout sending State) -> sending Value) -> Value {
        state.withLock(change)
    }

    // MARK: What a test makes happen

    /// Records an event, and tells the live streams.
    func commit(_ json: [UInt8]? = nil, skipping skipped: Int64 = 0) {
        let (event, hub) = state.withLock { state -> (EventView, EventHub?) in
            let number = (state.events.last?.number ?? 0) + 1 + skipped
            let event = json.map { EventView(number: number, json: $0) } ?? Samples.event(number)
            state.events.append(event)
            return (event, state.losesLive ? nil : state.hub)
        }
        hub?.publish([event]) { $0.live }
    }

    /// Puts a watch into a state, and records and tells the event.
    func move(_ name: WatchName, to next: RunState) {
        let json = state.withLock { state -> [UInt8]? in
            guard let index = state.watches.firstIndex(where: { $0.name == name })
            else { return nil }
            state.watches[index].data.previousState = state.watches[index].data.state
            state.watches[index].data.state = next
            let data = state.watches[index].data
            return Event(type: .run(next), timestamp: Samples.noon, data: .run(data)).json
        }
        if let json { commit(json) }
    }

    /// Ends every live stream, as the daemon's end does.
    func endLive() {
        let hub = state.withLock { state in
            defer { state.hub = EventHub() }
            return state.hub
        }
        hub.finish()
    }

    var followers: Int { eventHub.followerCount }

    // MARK: ControlBackend

    func status() async -> StatusView { state.withLock { $0.status } }

    func watches(
        _ query: WatchQuery, after: WatchName?, limit: Int
    ) async throws(Problem) -> [WatchView] {
        try check()
        return state.withLock { state in
            state.lastQuery = query
            if !query.names.isEmpty { state.askedFor.append(query.names) }
            let found = FakeBackend.find(query, state).filter { watch in
                after.map { $0 < watch.name } ?? true
            }
            return found.prefix(limit).map(FakeBackend.listed)
        }
    }

    /// A watch as a list has it.
    private static func listed(_ watch: WatchView) -> WatchView {
        var watch = watch
        watch.settings = nil
        watch.prospects = nil
        watch.transitions = nil
        watch.deliveries = nil
        return watch
    }

    func watchCounts(_ query: WatchQuery) async throws(Problem) -> [RunState: Int] {
        try check()
        return state.withLock { state in
            FakeBackend.find(query, state).reduce(into: [:]) { $0[$1.data.state, default: 0] += 1 }
        }
    }

    private static func find(_ query: WatchQuery, _ state: State) -> [WatchView] {
        state.watches.filter { watch in
            (query.names.isEmpty || query.names.contains(watch.name))
                && (query.service.map { $0 == watch.name.service } ?? true)
                && (query.states.isEmpty || query.states.contains(watch.data.state))
                && (query.group.map { $0 == watch.data.group } ?? true)
                && !(query.isActiveOnly && watch.isFinal)
        }
    }

    func watch(_ name: WatchName) async throws(Problem) -> WatchView {
        try check()
        state.withLock { $0.asked.append(name) }
        guard let watch = state.withLock({ $0.watches.first { $0.name == name } }) else {
            throw .noSuchWatch(name)
        }
        return watch
    }

    func transitions(_ name: WatchName) async throws(Problem) -> [TransitionView] {
        try await watch(name).transitions ?? []
    }

    func events(
        _ query: EventQuery, after: Int64, since: Timestamp?, limit: Int
    ) async throws(Problem) -> EventPage {
        try check()
        state.withLock { state in
            state.reads += 1
            defer { state.beforeRead = nil }
            return state.beforeRead
        }?()
        return state.withLock { state in
            let last = state.events.last?.number ?? 0
            var found = state.events.filter { event in
                event.number > after && (since.map { $0 <= Samples.time(of: event) } ?? true)
                    && (query == .all || query.matches(event.live))
            }
            guard found.count > limit else {
                return EventPage(found, through: max(last, after), isLast: true)
            }
            found.removeLast(found.count - limit)
            return EventPage(found, through: found.last?.number ?? after, isLast: false)
        }
    }

    var eventHub: EventHub { state.withLock { $0.hub } }

    func lastEventNumber() async throws(Problem) -> Int64 {
        try check()
        return state.withLock { $0.events.last?.number ?? 0 }
    }

    func poll(_ name: WatchName) async throws(Problem) {
        _ = try await watch(name)
        state.withLock { $0.polled.append(name) }
    }

    func rewatch(_ name: WatchName) async throws(Problem) {
        _ = try await watch(name)
        state.withLock { $0.rewatched.append(name) }
    }

    func add(_ asked: AskedWatches) async throws(Problem) -> AddedWatches {
        try check()
        return state.withLock { state in
            state.added.append(asked)
            var isAnyNew = false
            // Ten thousand are asked for at once: not each against all.
            var known = Dictionary(
                state.watches.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
            let views = asked.ids.map { run in
                let name = WatchName(service: asked.service, run: run)
                if let known = known[name] { return FakeBackend.listed(known) }
                isAnyNew = true
                var watch = Samples.watch(name.description, .unknown, group: asked.group)
                watch.origin = "transient"
                state.watches.append(watch)
                known[name] = watch
                return FakeBackend.listed(watch)
            }
            return AddedWatches(views, isAnyNew: isAnyNew)
        }
    }

    func remove(_ name: WatchName) async throws(Problem) -> WatchView {
        var watch = try await watch(name)
        guard watch.origin == "transient" else {
            throw Problem(.conflict, "'\(name)' comes from \(watch.origin ?? "nowhere")")
        }
        watch.origin = nil
        state.withLock { state in
            state.removed.append(name)
            state.watches.removeAll { $0.name == name }
        }
        return watch
    }

    func deliveries(
        _ query: DeliveryQuery, after: DeliveryCursor?, limit: Int
    ) async throws(Problem) -> DeliveryPage {
        try check()
        return state.withLock { state in
            state.lastDeliveryQuery = query
            state.deliveryLimits.append(limit)
            var found = state.deliveries.enumerated().map { (number: Int64($0) + 1, view: $1) }
            if query.isNewestFirst { found.reverse() }
            found = found.filter { number, view in
                (query.states.isEmpty || query.states.contains(view.state))
                    && (query.receiver ?? view.receiver) == view.receiver
                    && (query.name ?? view.name) == view.name
                    && (after.map {
                        query.isNewestFirst ? number < $0.eventNumber : number > $0.eventNumber
                    } ?? true)
            }
            let page = found.prefix(limit)
            let next = found.count > limit ? page.last : nil
            return DeliveryPage(
                page.map(\.view),
                next: next.map {
                    DeliveryCursor(eventNumber: $0.number, receiver: $0.view.receiver)
                })
        }
    }

    func delivery(_ id: String) async throws(Problem) -> DeliveryView {
        try check()
        guard let delivery = state.withLock({ $0.deliveries.first { $0.id == id } }) else {
            throw .noSuchDelivery(id)
        }
        return delivery
    }

    func redeliver(_ id: String) async throws(Problem) -> DeliveryView {
        _ = try await delivery(id)
        return state.withLock { state in
            state.redelivered.append(id)
            for index in state.deliveries.indices where state.deliveries[index].id == id {
                state.deliveries[index].state = .pending
                state.deliveries[index].nextAttemptAt = Samples.noon
            }
            return state.deliveries.first { $0.id == id } ?? Samples.delivery(id)
        }
    }

    func redeliverFailed(receiver: String?) async throws(Problem) -> Int {
        try check()
        return try state.withLock { state throws(Problem) in
            if let receiver, !state.status.receivers.contains(where: { $0.name == receiver }) {
                throw .noSuchReceiver(receiver, near: "ops")
            }
            state.redeliveredFailed.append(receiver)
            return state.deliveries.filter {
                $0.state == .failed && (receiver ?? $0.receiver) == $0.receiver
            }.count
        }
    }

    func testReceiver(_ name: String) async throws(Problem) -> DeliveryView {
        try check()
        guard let test = state.withLock({ $0.tests[name] }) else {
            throw .noSuchReceiver(name, near: nil)
        }
        return test
    }

    func reload() async -> ReloadView { state.withLock { $0.reload } }
    func health() async -> HealthView { state.withLock { $0.health } }
    func readiness() async -> HealthView { state.withLock { $0.readiness } }
    func metrics() async -> [MetricFamily] { state.withLock { $0.metrics } }

    private func check() throws(Problem) {
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }
}

extension EventView {
    /// As the store publishes it.
    var live: StreamEvent {
        let data = (try? JSONValue(parsing: json))?["data"]
        let service = data?["service"]?.stringValue
        let run = data?["run"]?.stringValue
        let subject = service.map { run.map { [service] in "\(service ?? "")/\($0)" } ?? $0 }
        return StreamEvent(
            number: number, type: type.flatMap { EventType(name: $0) },
            subject: subject ?? data?["group"]?.stringValue ?? "", json: json)
    }
}
