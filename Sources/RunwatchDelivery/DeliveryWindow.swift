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
    }

    struct Flight {
        var delivery: PendingDelivery
        var startedAt: Instant
        /// When it has lasted longer than it can.
        var overdueAt: Instant
        /// When it began, on the wall clock.
        var timestamp: Timestamp
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
        guard subjects.insert(delivery.event.subject).inserted else { return false }
        waiting.append(Waiting(delivery: delivery, from: moment))
        return true
    }

    /// Forgets what waits; the outbox gives it again.
    mutating func release() {
        for entry in waiting { subjects.remove(entry.delivery.event.subject) }
        waiting = []
    }

    /// Forgets what waits and is ripe at `now`.
    mutating func release(ripeAt now: Instant) {
        for entry in waiting where entry.from <= now {
            subjects.remove(entry.delivery.event.subject)
        }
        waiting.removeAll { $0.from <= now }
    }

    /// How many of those waiting may be attempted at `now`.
    func ripe(at now: Instant) -> Int { waiting.count { $0.from <= now } }

    /// When the next of those waiting may be attempted, of those that may not yet.
    func nextRipe(after now: Instant) -> Instant? {
        waiting.lazy.filter { $0.from > now }.map(\.from).min()
    }

    /// Takes out the first of those waiting that is ripe at `now` and passes `test`.
    mutating func take(
        at now: Instant, where test: (PendingDelivery) -> Bool
    ) -> PendingDelivery? {
        let index = waiting.firstIndex { $0.from <= now && test($0.delivery) }
        return index.map { waiting.remove(at: $0).delivery }
    }

    mutating func start(_ flight: Flight) {
        flights[flight.delivery.id] = flight
    }

    mutating func end(_ id: String) -> Flight? {
        guard let flight = flights.removeValue(forKey: id) else { return nil }
        subjects.remove(flight.delivery.event.subject)
        return flight
    }
}
