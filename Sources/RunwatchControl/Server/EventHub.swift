import RunwatchCore
import Synchronization

/// Hands each committed event to those who follow: the latest ones are kept once, for all of them.
///
/// A follower has no buffer: only the number of the first event that it has not taken and that meets its
/// conditions. Others do not wake it. Who falls behind what is kept goes on in the database.
package final class EventHub: Sendable {
    /// What is there for a follower.
    package enum Taken: Sendable {
        /// In the order of their numbers; `through` is how far the follower has looked then.
        case events([StreamEvent], through: Int64)
        case nothing(through: Int64)
        /// Events are missing here: the database has them.
        case behind
        /// The daemon stops.
        case ended
    }

    /// Enough for the burst of one large commit.
    static let capacity = 4096
    /// Bytes of their texts.
    ///
    /// Events are below a kilobyte each, if their `detail` is not long.
    package static let byteCapacity = 4 << 20

    private let state = Mutex(State())

    package init() {}

    /// How many follow.
    package var followerCount: Int { state.withLock { $0.followers.count } }

    /// Bytes of the texts that are kept; at most `byteCapacity`.
    package var keptBytes: Int { state.withLock { $0.keptBytes } }

    // MARK: Who publishes

    /// Takes events that are on disk, in the order of their numbers; one caller at a time.
    /// - Parameter make: Called only when somebody follows.
    package func publish<Source>(_ sources: [Source], _ make: (Source) -> StreamEvent) {
        guard !sources.isEmpty else { return }
        guard followerCount > 0 else {
            // Who comes later begins in the database, above all of these.
            state.withLock { $0.forget() }
            return
        }
        let events = sources.map(make)
        let sleepers = state.withLock { state in
            for event in events { state.add(event) }
            return state.takeWoken()
        }
        for sleeper in sleepers { sleeper.resume() }
    }

    /// Ends every stream, at the daemon's end.
    package func finish() {
        let sleepers = state.withLock { state in
            state.isFinished = true
            return state.takeAll()
        }
        for sleeper in sleepers { sleeper.resume() }
    }

    // MARK: Who follows

    /// Begins to follow; what is published from here on is not missed.
    package func follow(_ query: EventQuery) -> Int { state.withLock { $0.insert(query) } }

    package func unfollow(_ id: Int) {
        state.withLock { $0.remove(id) }?.resume()
    }

    /// The follower's events above `number`.
    ///
    /// - Parameters:
    ///   - limit: How many at most; 1 or more.
    ///   - bytes: With so many bytes no more are added.
    package func take(_ id: Int, after number: Int64, limit: Int, bytes: Int) -> Taken {
        state.withLock { $0.take(id, after: number, limit: limit, bytes: bytes) }
    }

    /// Waits until there is something to take, or somebody wakes the follower; for its one reader.
    package func wait(_ id: Int) async {
        await withCheckedContinuation { sleeper in
            if !state.withLock({ $0.park(id, sleeper) }) { sleeper.resume() }
        }
    }

    /// Ends the follower's wait, the next one if it does not wait now.
    package func wake(_ id: Int) {
        state.withLock { $0.wake(id) }?.resume()
    }
}

private struct Follower {
    var query: EventQuery
    /// The first event that may be for this follower, and is not taken yet.
    var from: Int64?
    var isWoken = false
    var sleeper: CheckedContinuation<Void, Never>?

    mutating func takeSleeper() -> CheckedContinuation<Void, Never>? {
        defer { sleeper = nil }
        return sleeper
    }
}

private struct State {
    var isFinished = false
    var followers: [Int: Follower] = [:]
    private var nextID = 0
    /// Followers by each name that they ask for, and those that ask for none.
    private var byName: [ExactText: Set<Int>] = [:]
    private var unnamed: Set<Int> = []

    /// The latest events from `head` on, without a gap in their numbers; before it there is none.
    private var events: [StreamEvent?] = []
    private var head = 0
    private var bytes = 0
    /// The last number that was published to somebody; 0 for none.
    private var last: Int64 = 0
    /// The number from which on none is missing, though the first of them may be kept no more.
    private var unbrokenFrom: Int64 = 0
    private var woken: Set<Int> = []

    // MARK: Followers

    mutating func insert(_ query: EventQuery) -> Int {
        nextID += 1
        followers[nextID] = Follower(query: query)
        if query.names.isEmpty { unnamed.insert(nextID) }
        for name in query.names { byName[name, default: []].insert(nextID) }
        return nextID
    }

    mutating func remove(_ id: Int) -> CheckedContinuation<Void, Never>? {
        guard var follower = followers.removeValue(forKey: id) else { return nil }
        unnamed.remove(id)
        for name in follower.query.names {
            byName[name]?.remove(id)
            if byName[name]?.isEmpty == true { byName[name] = nil }
        }
        if followers.isEmpty { forget() }
        return follower.takeSleeper()
    }

    /// - Returns: `false` when there is nothing to wait for.
    mutating func park(_ id: Int, _ sleeper: CheckedContinuation<Void, Never>) -> Bool {
        guard !isFinished, let follower = followers[id], follower.from == nil, !follower.isWoken
        else {
            followers[id]?.isWoken = false
            return false
        }
        followers[id]?.sleeper = sleeper
        return true
    }

    mutating func wake(_ id: Int) -> CheckedContinuation<Void, Never>? {
        guard let sleeper = followers[id]?.takeSleeper() else {
            followers[id]?.isWoken = true
            return nil
        }
        return sleeper
    }

    mutating func takeWoken() -> [CheckedContinuation<Void, Never>] {
        defer { woken.removeAll(keepingCapacity: true) }
        return woken.compactMap { followers[$0]?.takeSleeper() }
    }

    mutating func takeAll() -> [CheckedContinuation<Void, Never>] {
        followers.keys.compactMap { followers[$0]?.takeSleeper() }
    }

    // MARK: Events

    var keptBytes: Int { events.reduce(0) { $0 + ($1?.text.count ?? 0) } }

    /// Nobody needs what is kept.
    mutating func forget() {
        events = []
        head = 0
        bytes = 0
        last = 0
    }

    mutating func add(_ event: StreamEvent) {
        guard event.number > last else { return }
        if event.number != last + 1 { begin(at: event.number) }
        events.append(event)
        bytes += event.text.count
        last = event.number
        while events.count - head > EventHub.capacity || bytes > EventHub.byteCapacity {
            bytes -= events[head]?.text.count ?? 0
            // Let go at once: its place stays for a while, and thousands of long ones would be much.
            events[head] = nil
            head += 1
        }
        // Moved together now and then, so that each event is moved once.
        if head >= EventHub.capacity {
            events.removeFirst(head)
            head = 0
        }
        for id in unnamed { tell(id, event) }
        for id in byName[ExactText(event.subject)] ?? [] { tell(id, event) }
    }

    private mutating func tell(_ id: Int, _ event: StreamEvent) {
        guard let follower = followers[id], follower.from == nil, follower.query.matches(event)
        else { return }
        followers[id]?.from = event.number
        woken.insert(id)
    }

    /// Numbers before this one never came here: who does not know them has to look into the database.
    private mutating func begin(at number: Int64) {
        let isGap = last > 0
        forget()
        unbrokenFrom = number
        guard isGap else { return }
        for id in Array(followers.keys) {
            followers[id]?.from = number
            woken.insert(id)
        }
    }

    mutating func take(
        _ id: Int, after number: Int64, limit: Int, bytes: Int
    ) -> EventHub.Taken {
        guard !isFinished, let follower = followers[id] else { return .ended }
        if last > 0, number + 1 < unbrokenFrom { return .behind }
        guard let first = follower.from.map({ max($0, number + 1) }), first <= last else {
            followers[id]?.from = nil
            return .nothing(through: last)
        }
        guard head < events.count, let kept = events[head]?.number, first >= kept else {
            return .behind
        }
        var taken: [StreamEvent] = []
        var takenBytes = 0
        // Their numbers have no gap.
        for case let event? in events[(head + Int(first - kept))...] {
            guard follower.query.matches(event) else { continue }
            taken.append(event)
            takenBytes += event.text.count
            guard taken.count < limit, takenBytes < bytes else {
                followers[id]?.from = event.number + 1
                return .events(taken, through: event.number)
            }
        }
        followers[id]?.from = nil
        return taken.isEmpty ? .nothing(through: last) : .events(taken, through: last)
    }
}
