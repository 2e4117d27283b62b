import RunwatchCore
import RunwatchStore

/// One watch that is being polled, in the poller's table.
struct WatchSlot {
    let id: WatchID
    var spec: WatchSpec
    var service: ServiceSlot
    /// The discovery that found it, if any.
    var discovery: DiscoverySlot?
    var machine: WatchMachine
    let watchedSince: Timestamp
    /// The plan that holds; an entry of the deadline queue with another moment is stale.
    var dueAt: Instant
    /// When its deadline is looked at for certain; an entry with another moment is stale.
    var expiresAt = Instant.distantFuture
    /// An answer to a request sent before this moment says nothing of this watch.
    var servedFrom: Instant
    /// Polls it asks for, in millionths a millisecond: its share of the service's load.
    var rate: Int32 = 0
    /// The number of the last common answer that spoke of it.
    var lastAnswer: UInt32 = 0
    /// The number of the configuration that asked for it.
    var epoch: UInt32
    var isReady = false
    var isInFlight = false
    /// Polled since its counters were last written.
    var isDirty = false
    /// Why its next poll is planned for `dueAt`.
    var plan = PollPlan.first
    var lastPoll = LastPoll()
}

/// A watch whose run has ended: not polled, and not forgotten while its list names it.
struct EndedWatch {
    var id: WatchID
    var spec: WatchSpec
    var state: RunState
    /// Transitions so far.
    var sequence: Int32
}

/// A `discover:` entry at work.
final class DiscoverySlot {
    let number: Int32
    var spec: DiscoverySpec
    /// Every run it has met; `nil` before its first look.
    var met: Set<ExactText>?
    var dueAt: Instant
    var step = 0
    var isReady = false
    var epoch: UInt32
    /// Its last request was refused, and the log says so.
    var isRefused = false
    /// Why, while it is refused or its runs are not recorded.
    var lastError = ""
    /// Runs that it is not to meet again and that the store could not note yet.
    var passedOver: [String] = []
    /// The store could not take up what it found, and the log says so.
    var isUnrecorded = false

    init(number: Int32, spec: DiscoverySpec, met: Set<ExactText>?, dueAt: Instant, epoch: UInt32) {
        self.number = number
        self.spec = spec
        self.met = met
        self.dueAt = dueAt
        self.epoch = epoch
    }
}

/// A first-in, first-out queue of slots that are due.
struct ReadyQueue {
    private var items: [Int32] = []
    private var head = 0

    var isEmpty: Bool { head == items.count }
    var count: Int { items.count - head }
    var first: Int32? { isEmpty ? nil : items[head] }
    /// In their order.
    var all: ArraySlice<Int32> { items[head...] }

    func first(where holds: (Int32) -> Bool) -> Int32? { all.first(where: holds) }

    mutating func append(_ item: Int32) {
        items.append(item)
    }

    mutating func popFirst() -> Int32? {
        guard head < items.count else { return nil }
        let item = items[head]
        head += 1
        if head == items.count {
            items.removeAll(keepingCapacity: items.count < 4096)
            head = 0
        } else if head > 1024, head * 2 > items.count {
            items.removeFirst(head)
            head = 0
        }
        return item
    }
}
