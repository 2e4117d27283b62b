import RunwatchCore
import RunwatchLinux
import TestSupport
import Testing

@testable import RunwatchStore

/// Random work against the store and against a model in memory, which have to agree all the time.
@Suite struct StoreModelTests {
    @Test func `twenty thousand random operations lose nothing`() async throws {
        let folder = TemporaryFolder()
        let path = folder.path("runwatch.db")
        var model = Model(seed: 2026)
        var store = try Store(at: .file(path), time: ManualTime())
        try await model.adopt(in: store)
        for round in 0..<50 {
            for change in model.changes(400) { store.submit(change) }
            try await model.deliver(from: store)
            if round % 10 == 9 {
                await store.close()
                store = try Store(at: .file(path), time: ManualTime())
                try await model.adopt(in: store)
                try await model.compare(with: path)
            }
        }
        await store.close()
    }
}

/// What the store ought to hold.
private struct Model {
    struct Delivery {
        var number: Int64
        var receiver: String
        var subject: String
        var dueAt: Timestamp
        var attempts = 0
        var state = DeliveryState.pending
    }

    private var generator: SeededGenerator
    private var now: Int64 = 0
    private var watches: [SavedWatch] = []
    private var histories: [[TransitionRow]] = []
    private var events: [NewEvent] = []
    private var deliveries: [Delivery] = []
    private let runs = (0..<40).map { "run-\($0)" }
    private let receivers = ["log", "ops"]

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    /// The list stays the same, so what comes back is what was saved.
    mutating func adopt(in store: Store) async throws {
        let saved = try await store.list(runs)
        if watches.isEmpty {
            watches = saved
            histories = Array(repeating: [], count: runs.count)
        }
        #expect(saved == watches)
    }

    // MARK: Changes

    mutating func changes(_ count: Int) -> [Change] {
        [again()] + (1..<count).map { _ in change() }
    }

    /// A transition that is in the history already, or a first one: it has to be left alone.
    private mutating func again() -> Change {
        let place = Int.random(in: 0..<watches.count, using: &generator)
        guard watches[place].sequence > 0 else { return transition(place) }
        var change = watches[place].next(.lost, at: moment(now), to: receivers)
        change.sequence = Int.random(in: 1...watches[place].sequence, using: &generator)
        return .transition(change)
    }

    private mutating func change() -> Change {
        now += 1
        let place = Int.random(in: 0..<watches.count, using: &generator)
        switch Int.random(in: 0..<10, using: &generator) {
        case 0..<4: return transition(place)
        case 4..<6: return progress(place)
        case 6: return stall(place)
        default: return phases()
        }
    }

    private mutating func transition(_ place: Int) -> Change {
        let watch = watches[place]
        let state = RunState.allCases.dropFirst().randomElement(using: &generator) ?? .running
        let receivers = receivers.filter { _ in Bool.random(using: &generator) }
        var change = watch.next(
            state, at: moment(now), to: receivers,
            events: Int.random(in: 0...2, using: &generator), message: "m\(now)")
        change.phase.step = Int(now % 7)
        watches[place] = watch.after(change)
        histories[place].append(
            TransitionRow(
                sequence: change.sequence, state: state, previousState: watch.state,
                observedAt: moment(now), notBefore: nil, message: change.message, detail: [],
                polls: change.polls))
        for event in change.events { record(event) }
        return .transition(change)
    }

    private mutating func progress(_ place: Int) -> Change {
        let change = ProgressChange(
            id: watches[place].id, changedAt: moment(now),
            progress: Progress(done: Int32(now % 9), total: 9), message: "p\(now)",
            detail: Array("{\"n\":\(now)}".utf8))
        watches[place].changedAt = change.changedAt
        watches[place].progress = change.progress
        watches[place].message = change.message
        watches[place].detail = change.detail
        watches[place].isStalled = false
        return .progress(change)
    }

    private mutating func stall(_ place: Int) -> Change {
        let new = event(watches[place].name.description, to: receivers, at: moment(now))
        watches[place].isStalled = true
        record(new)
        return .event(new, stalled: watches[place].id)
    }

    private mutating func phases() -> Change {
        var batch: [(id: WatchID, polls: Int, phase: SavedPhase)] = []
        for place in watches.indices where Bool.random(using: &generator) {
            watches[place].polls += 1
            watches[place].phase.lastPollAt = moment(now)
            watches[place].phase.nextPollAt = moment(now + 5)
            batch.append((watches[place].id, watches[place].polls, watches[place].phase))
        }
        return .phases(batch)
    }

    private mutating func record(_ event: NewEvent) {
        events.append(event)
        for receiver in event.receivers {
            deliveries.append(
                Delivery(
                    number: Int64(events.count), receiver: receiver, subject: event.subject,
                    dueAt: event.timestamp))
        }
    }

    // MARK: Deliveries

    /// The places of the deliveries that ought to be given, the longest due first.
    private func heads(_ receiver: String) -> [Int] {
        var seen: Set<String> = []
        return deliveries.indices.filter {
            deliveries[$0].receiver == receiver && deliveries[$0].state == .pending
                && seen.insert(deliveries[$0].subject).inserted
        }.sorted {
            (deliveries[$0].dueAt, deliveries[$0].number) < (
                deliveries[$1].dueAt, deliveries[$1].number
            )
        }
    }

    /// Compares what is due, and attempts some of it.
    mutating func deliver(from store: Store) async throws {
        for receiver in receivers {
            let heads = heads(receiver)
            let expected = heads.filter { deliveries[$0].dueAt <= moment(now) }.prefix(30)
            let due = try await store.due(receiver, at: moment(now), limit: 30)
            #expect(due.deliveries.map(\.event.number) == expected.map { deliveries[$0].number })
            #expect(due.deliveries.map(\.attempts) == expected.map { deliveries[$0].attempts })
            #expect(
                due.nextDueAt
                    == heads.first { !expected.contains($0) }.map { deliveries[$0].dueAt })
            for (delivery, place) in zip(due.deliveries, expected) {
                attempt(delivery, place, store)
            }
        }
        try await store.flush()
    }

    private mutating func attempt(_ due: PendingDelivery, _ place: Int, _ store: Store) {
        deliveries[place].attempts += 1
        switch Int.random(in: 0..<10, using: &generator) {
        case 0..<6:
            deliveries[place].state = .delivered
            store.submit(RunwatchStoreTests.attempt(due, .delivered))
        case 6..<9:
            deliveries[place].dueAt = moment(now + Int64.random(in: 0..<300, using: &generator))
            store.submit(
                RunwatchStoreTests.attempt(due, .retry(at: deliveries[place].dueAt), status: 500))
        default:
            deliveries[place].state = .failed
            let failure = NewEvent(
                type: .deliveryFailed, timestamp: moment(now), subject: due.event.subject,
                json: Array("{}".utf8), receivers: ["log"])
            record(failure)
            store.submit(RunwatchStoreTests.attempt(due, .failed(failure), status: 410))
        }
    }

    // MARK: The whole

    func compare(with path: String) async throws {
        let reader = try StoreReader(path: path)
        for (watch, history) in zip(watches, histories) {
            #expect(try await reader.transitions(of: watch.id) == history)
        }
        let recorded = try await reader.events(after: 0, since: nil, limit: .max)
        #expect(recorded.map(\.number) == Array(1...Int64(events.count)))
        #expect(recorded.map(\.json) == events.map(\.json))
        #expect(recorded.map(\.subject) == events.map(\.subject))
        #expect(recorded.map(\.type) == events.map(\.type))
        for state in DeliveryState.allCases {
            let rows = try await reader.deliveries(
                DeliveryFilter(states: [state]), limit: .max)
            let found = rows.map { "\($0.eventNumber) \($0.receiver) \($0.attempts)" }
            let expected = deliveries.filter { $0.state == state }.map {
                "\($0.number) \($0.receiver) \($0.attempts)"
            }
            #expect(Set(found) == Set(expected))
            #expect(found.count == expected.count)
        }
        await reader.close()
    }
}
