package import RunwatchCore

/// What the control server asks of the daemon.
///
/// Every call may come from any task, many at once. A call that fails says what the caller is told.
package protocol ControlBackend: Sendable {
    func status() async -> StatusView

    /// Watches in the order of their names, from the first one after `after`; at most `limit`.
    func watches(
        _ query: WatchQuery, after: WatchName?, limit: Int
    ) async throws(Problem) -> [WatchView]

    /// How many watches meet the conditions, by state; states with none are left out.
    func watchCounts(_ query: WatchQuery) async throws(Problem) -> [RunState: Int]

    /// One watch with its transitions and deliveries.
    func watch(_ name: WatchName) async throws(Problem) -> WatchView

    /// A watch's transitions, oldest first.
    func transitions(_ name: WatchName) async throws(Problem) -> [TransitionView]

    /// Recorded events in the order of their numbers: those above `after`, and not earlier than `since`.
    func events(
        _ query: EventQuery, after: Int64, since: Timestamp?, limit: Int
    ) async throws(Problem) -> EventPage

    /// Where each event is published once it is on disk; the same one for as long as the daemon runs.
    var eventHub: EventHub { get }

    /// The number of the last recorded event; 0 when there is none.
    func lastEventNumber() async throws(Problem) -> Int64

    /// Adds transient watches, all of them or none.
    func add(_ asked: AskedWatches) async throws(Problem) -> AddedWatches

    /// Ends a transient watch.
    /// - Returns: The watch with its history, which stays.
    func remove(_ name: WatchName) async throws(Problem) -> WatchView

    /// Polls a watch now, as far as its service's budget allows.
    func poll(_ name: WatchName) async throws(Problem)

    /// Starts a watch afresh.
    func rewatch(_ name: WatchName) async throws(Problem)

    /// A page of deliveries in the order of their events, from the first one after `after`.
    func deliveries(
        _ query: DeliveryQuery, after: DeliveryCursor?, limit: Int
    ) async throws(Problem) -> DeliveryPage

    /// One delivery with its attempts.
    func delivery(_ id: String) async throws(Problem) -> DeliveryView

    /// Makes a delivery pending again, and has it attempted now.
    /// - Parameter id: Of a delivery, or of a digest, which comes back as a whole.
    /// - Returns: The delivery; of a digest the oldest one.
    func redeliver(_ id: String) async throws(Problem) -> DeliveryView

    /// Makes failed deliveries pending again, and has their receivers tried now.
    /// - Parameter receiver: Only this one's; `nil` for those of all configured receivers.
    /// - Returns: How many.
    func redeliverFailed(receiver: String?) async throws(Problem) -> Int

    /// Sends a receiver a `receiver.test` event, once; nothing of it is recorded.
    /// - Returns: The delivery as it went: `delivered` or `failed`, with its one attempt.
    func testReceiver(_ name: String) async throws(Problem) -> DeliveryView

    func reload() async -> ReloadView

    func health() async -> HealthView

    /// Whether the daemon has started and is not stopping.
    func readiness() async -> HealthView

    /// The daemon's figures.
    func metrics() async -> [MetricFamily]
}

/// Which watches a list shows: those that meet every condition given.
package struct WatchQuery: Hashable, Sendable {
    /// Only these; empty for any.
    package var names: Set<WatchName> = []
    package var service: String?
    /// Empty for any state.
    package var states: Set<RunState>
    package var group: String?
    /// Only watches that are not final.
    package var isActiveOnly: Bool

    package init(
        service: String? = nil, states: Set<RunState> = [], group: String? = nil,
        isActiveOnly: Bool = false
    ) {
        self.service = service
        self.states = states
        self.group = group
        self.isActiveOnly = isActiveOnly
    }
}

/// Which deliveries a list shows: those that meet every condition given.
package struct DeliveryQuery: Hashable, Sendable {
    /// Empty for any state.
    package var states: Set<DeliveryView.State>
    package var receiver: String?
    /// What the event is about: `SERVICE/ID`, or a service, a group, a receiver.
    package var name: String?
    package var isNewestFirst: Bool

    package init(
        states: Set<DeliveryView.State> = [], receiver: String? = nil, name: String? = nil,
        isNewestFirst: Bool = false
    ) {
        self.states = states
        self.receiver = receiver
        self.name = name
        self.isNewestFirst = isNewestFirst
    }
}

/// A page of a list of deliveries.
package struct DeliveryPage: Sendable {
    package var deliveries: [DeliveryView]
    /// Where the next page begins; `nil` on the last one.
    package var next: DeliveryCursor?

    package init(_ deliveries: [DeliveryView], next: DeliveryCursor?) {
        self.deliveries = deliveries
        self.next = next
    }
}
