import RunwatchCore
import RunwatchStore

/// The few deliveries of one receiver that are in memory: fetched and waiting, or under way.
///
/// Never two of one subject, so that the events of a run cannot overtake each other.
struct DeliveryWindow {
    struct Waiting {
        var delivery: PendingDelivery
        /// Not attempted before this moment.
        var from: Instant
        /// Asked for by a person: attempted whatever the receiver's health.
        var isUrgent = false
    }

    struct Flight {
        var delivery: PendingDelivery
        var startedAt: Instant
        /// When it has lasted longer than it can.
        var overdueAt: Instant
        /// When it began, on the wall clock.
        var timestamp: Timestamp
        /// It began under other settings: how it ends says nothing of the receiver as it is now.
        var isOutdated = false
    }

    private(set) var waiting: [Waiting] = []
    private(set) var flights: [String: Flight] = [:]
    private var subjects: Set<String> = []

    /// What the outbox must not give again.
    var ids: Set<String> { Set(flights.keys).union(waiting.map(\.delivery.id)) }

    var isIdle: Bool { flights.isEmpty }

    /// Takes a fetched delivery, unless one of its subject is here already: then it comes again later.
    /// - Returns: Whether it was taken.
    mutating func add(_ delivery: PendingDelivery, from moment: Instant) -> Bool {
        guard mayAdd(delivery) else { return false }
        subjects.formUnion(delivery.subjects)
        waiting.append(Waiting(delivery: delivery, from: moment))
        return true
    }

    /// Takes a delivery that a person asked for, before all others; one that waits here moves up.
    mutating func addUrgent(_ delivery: PendingDelivery, at now: Instant) {
        if let place = waiting.firstIndex(where: { $0.delivery.id == delivery.id }) {
            waiting.remove(at: place)
        } else {
            guard mayAdd(delivery) else { return }
            subjects.formUnion(delivery.subjects)
        }
        waiting.insert(Waiting(delivery: delivery, from: now, isUrgent: true), at: 0)
    }

    private func mayAdd(_ delivery: PendingDelivery) -> Bool {
        delivery.parts.allSatisfy { !subjects.contains($0.event.subject) }
    }

    /// Forgets what waits; the outbox gives it again.
    mutating func release() {
        for entry in waiting { subjects.subtract(entry.delivery.subjects) }
        waiting = []
    }

    /// Forgets what waits and is ripe at `now`, but for what is urgent.
    mutating func release(ripeAt now: Instant) {
        for entry in waiting where entry.from <= now && !entry.isUrgent {
            subjects.subtract(entry.delivery.subjects)
        }
        waiting.removeAll { $0.from <= now && !$0.isUrgent }
    }

    /// How many of those waiting may be attempted at `now`.
    func ripe(at now: Instant) -> Int { waiting.count { $0.from <= now } }

    /// The events of all that wait: a digest may hold a thousand.
    var waitingEvents: Int { waiting.reduce(0) { $0 + $1.delivery.parts.count } }

    /// The events of those waiting that may be attempted at `now`.
    func ripeEvents(at now: Instant) -> Int {
        waiting.reduce(0) { $0 + ($1.from <= now ? $1.delivery.parts.count : 0) }
    }

    /// When the next of those waiting may be attempted, of those that may not yet.
    func nextRipe(after now: Instant) -> Instant? {
        waiting.lazy.filter { $0.from > now }.map(\.from).min()
    }

    /// Takes out the first of those waiting that is ripe at `now` and is urgent or passes `test`.
    mutating func take(at now: Instant, where test: (PendingDelivery) -> Bool) -> Waiting? {
        let index = waiting.firstIndex { $0.from <= now && ($0.isUrgent || test($0.delivery)) }
        return index.map { waiting.remove(at: $0) }
    }

    /// The receiver is configured anew: forgets what waits, and lets end what is under way.
    mutating func outdate() {
        release()
        for id in flights.keys { flights[id]?.isOutdated = true }
    }

    mutating func start(_ flight: Flight) {
        flights[flight.delivery.id] = flight
    }

    mutating func end(_ id: String) -> Flight? {
        guard let flight = flights.removeValue(forKey: id) else { return nil }
        subjects.subtract(flight.delivery.subjects)
        return flight
    }
}

extension PendingDelivery {
    /// What its events are about.
    fileprivate var subjects: Set<String> { Set(parts.map(\.event.subject)) }
}
