import RunwatchCore
import RunwatchHTTP
import RunwatchServices

/// One service at work: its budget, its health and what is due at it.
///
/// Confined to the poller.
final class ServiceSlot {
    let number: Int32
    let name: String
    var settings: ServiceSettings
    var kind: any ServiceKind
    var transport: any HTTPTransport
    var health = ServiceHealthMachine()
    var healthSince: Timestamp
    /// The log says that it is not up, so it has to say when it is again.
    var isTold = false
    /// When the log last said that it is `degraded`.
    var toldAt: Instant?
    var budget: BudgetMachine
    var coalescing: CoalescingMachine
    /// The slots of the runs that are being polled.
    var watches = SlotsByRun()
    var discoveries: [DiscoverySlot] = []
    var ready = ReadyQueue()
    /// Counts its addresses and credentials: an answer of another one says nothing.
    var peer: Int32 = 0
    /// A request for all is under way; its answer serves whatever is due.
    var isAllInFlight = false
    var answers: UInt32 = 0
    /// When each request under way was sent, by its number.
    var sent: [UInt64: Instant] = [:]
    var requests: UInt64 = 0
    /// The sum of its watches' rates.
    var rate: Int64 = 0
    var wakeAt: Instant?
    var polls = PollCounts()
    var lateness = LatenessMeter()
    /// How long requests take, whatever comes of them.
    var durations = HistogramMeter()
    var unknownWords: Set<String> = []

    init(
        number: Int32, settings: ServiceSettings, transport: any HTTPTransport, since: Timestamp
    ) {
        self.number = number
        self.name = settings.name
        self.settings = settings
        self.transport = transport
        kind = makeServiceKind(settings)
        healthSince = since
        budget = BudgetMachine(settings.limits)
        coalescing = CoalescingMachine(settings.coalesce)
    }
}

/// The slots of a service's watches by the run's ID, byte by byte.
struct SlotsByRun {
    private var slots: [ExactText: Int32] = [:]

    var count: Int { slots.count }
    var values: Dictionary<ExactText, Int32>.Values { slots.values }

    subscript(run: String) -> Int32? {
        get { slots[ExactText(run)] }
        set { slots[ExactText(run)] = newValue }
    }
}
