import RunwatchCore
import Synchronization

@testable import RunwatchStore

/// What a store's listeners were told.
final class Told: Sendable {
    private let all = Mutex(Committed())

    func add(_ committed: Committed) {
        all.withLock {
            $0.events += committed.events
            $0.receivers.formUnion(committed.receivers)
        }
    }

    var events: [RecordedEvent] { all.withLock { $0.events } }
    var receivers: Set<String> { all.withLock { $0.receivers } }
}

/// The moment at which the samples happen, and what is a number of milliseconds later.
func moment(_ milliseconds: Int64 = 0) -> Timestamp {
    Timestamp(milliseconds: 1_700_000_000_000 + milliseconds)
}

let kinds = ["warehouse": "kinetica", "krixik": "krixik"]
let settings = WatchSettings(notify: ["log"])

func spec(_ run: String, service: String = "warehouse", line: Int = 1) -> WatchSpec {
    WatchSpec(
        name: WatchName(service: service, run: run), settings: settings,
        origin: .file("watches.yaml", line: line))
}

extension SavedWatch {
    /// The transition that would come next.
    func next(
        _ state: RunState, at: Timestamp = moment(), to receivers: [String] = [],
        events: Int = 1, message: String = ""
    ) -> TransitionChange {
        TransitionChange(
            id: id, state: state, previousState: self.state, sequence: sequence + 1,
            observedAt: at, notBefore: nil, progress: nil, message: message, detail: [],
            polls: polls + 1, phase: SavedPhase(firstPollAt: at, lastPollAt: at),
            events: (0..<events).map { _ in
                NewEvent(
                    type: .run(state), timestamp: at, subject: name.description,
                    json: Array("{\"run\":\"\(name.run)\",\"state\":\"\(state.name)\"}".utf8),
                    receivers: receivers)
            })
    }

    /// The watch as it is after that transition.
    func after(_ change: TransitionChange) -> SavedWatch {
        var watch = self
        watch.previousState = state
        watch.state = change.state
        watch.sequence = change.sequence
        watch.polls = change.polls
        watch.phase = change.phase
        watch.observedAt = change.observedAt
        watch.notBefore = change.notBefore
        watch.changedAt = change.observedAt
        watch.progress = change.progress
        watch.message = change.message
        watch.detail = change.detail
        watch.isStalled = false
        return watch
    }
}

extension Store {
    /// Adopts a list of these runs alone; gives them in the same order.
    func list(_ runs: [String]) async throws -> [SavedWatch] {
        try await adopt(runs.map { spec($0) }, discoveries: [], kinds: kinds).watches
    }

    func list(_ run: String) async throws -> SavedWatch {
        guard let watch = try await list([run]).first else { throw StoreError(.bug, "no watch") }
        return watch
    }

    func due(
        _ receiver: String, at: Timestamp = moment(3_600_000), limit: Int = 100,
        excluding: Set<String> = []
    ) async throws -> DueDeliveries {
        try await dueDeliveries(for: receiver, now: at, limit: limit, excluding: excluding)
    }
}

extension Store {
    /// Hands in changes as one: nothing is committed in between, since this is the store's own queue.
    func submitTogether(_ changes: [Change]) {
        for change in changes { submit(change) }
    }

    /// Allows the database this many pages; `nil` for as many as it likes.
    func limitPages(to count: Int64?) throws(StoreError) {
        _ = try connection.number("PRAGMA max_page_count = \(count ?? 1 << 30)")
    }

    func pages() throws(StoreError) -> Int64 { try connection.number("PRAGMA page_count") ?? 0 }

    func number(_ sql: String) throws(StoreError) -> Int64? { try connection.number(sql) }
    func execute(_ sql: String) throws(StoreError) { try connection.execute(sql) }
}

/// Waits until the condition holds; `false` when it does not within half a minute.
func eventually(_ condition: () async throws -> Bool) async rethrows -> Bool {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(30)
    while clock.now < end, !Task.isCancelled {
        if try await condition() { return true }
        // A pause between two looks; what is waited for is the condition.
        do { try await Task.sleep(for: .milliseconds(5)) } catch { return false }
    }
    return false
}

func attempt(
    _ delivery: PendingDelivery, _ outcome: AttemptChange.Outcome, at: Timestamp = moment(),
    status: Int? = 200, message: String = ""
) -> Change {
    .attempt(
        AttemptChange(
            deliveries: delivery.parts.map(\.delivery), at: at, outcome: outcome, status: status,
            duration: .milliseconds(12), message: message, schedule: delivery.schedule))
}

func event(_ subject: String, to receivers: [String], at: Timestamp = moment()) -> NewEvent {
    NewEvent(
        type: .serviceDown, timestamp: at, subject: subject,
        json: Array("{\"about\":\"\(subject)\"}".utf8), receivers: receivers)
}

extension StoreReader {
    /// Events under no condition; of fewer than ten thousand numbers, which one look takes in.
    func events(
        after number: Int64, since: Timestamp?, limit: Int
    ) throws(StoreError) -> [RecordedEvent] {
        try events(EventFilter(), after: number, since: since, limit: min(limit, 100_000)).events
    }
}
