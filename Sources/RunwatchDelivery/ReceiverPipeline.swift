import RunwatchCore
import RunwatchStore

/// What the deliverer keeps for one receiver; bound to the deliverer's queue.
final class ReceiverPipeline {
    /// When the outbox is searched next.
    struct Look {
        /// Something may be due that is not in memory.
        var isWanted = true
        var isUnderWay = false
        /// When the next delivery becomes due, as far as known; at the latest when to look anyhow.
        var nextAt: Instant?
        /// The outbox is left alone until then, for the last search failed.
        var notBefore = Instant(nanoseconds: 0)
        /// Searches in a row that failed.
        var failures = 0
        /// The next search takes what is due by this moment too.
        var horizon: Timestamp?
        /// Since when the present search has been under way.
        var since: Instant?
        /// Attempts that ended meanwhile: the search may not have seen what became of them.
        var ended: Set<String> = []
    }

    /// What people ask about.
    struct Report {
        var lastError: String?
        var lastErrorAt: Timestamp?
        var lastSuccessAt: Timestamp?
        /// The failing was told in the log, so its end has to be.
        var isTold = false
        var toldAt: Instant?
        /// Deliveries given up and not told one by one.
        var untold = 0
        var givenUpToldAt: Instant?
    }

    /// What people wait for and is being fetched.
    struct Hurry {
        private var underWay = 0
        /// Attempts that ended meanwhile: what is fetched may be as it was before.
        private var endings: Set<String> = []

        mutating func began() { underWay += 1 }

        mutating func ended(_ id: String) {
            if underWay > 0 { endings.insert(id) }
        }

        /// - Returns: Whether an attempt at what was fetched has ended since.
        mutating func fetched(_ id: String?) -> Bool {
            underWay -= 1
            defer { if underWay == 0 { endings = [] } }
            return id.map(endings.contains) ?? false
        }
    }

    private(set) var settings: ReceiverSettings
    private(set) var receiver: any Receiver
    var machine: DeliveryMachine
    var window = DeliveryWindow()
    var look = Look()
    var report = Report()
    var hurry = Hurry()
    var meter = DeliveryMeter()
    /// No longer configured; kept until what is under way has ended.
    var isRemoved = false

    init(_ settings: ReceiverSettings, receiver: any Receiver) {
        self.settings = settings
        self.receiver = receiver
        machine = DeliveryMachine(policy: ReceiverPipeline.policy(of: settings))
    }

    var name: String { settings.name }

    /// Attempts at once.
    var capacity: Int { settings.concurrency }

    /// When an attempt that began now has lasted longer than it can.
    func overdue(from now: Instant) -> Instant {
        switch settings.kind {
        case .webhook, .chat, .email, .exec: now.advanced(by: settings.timeout + .seconds(30))
        // A reader may stop reading for as long as it likes.
        case .stdout: .distantFuture
        }
    }

    /// Takes on other settings, and forgets what it knew of the receiver.
    func replace(_ settings: ReceiverSettings, receiver: any Receiver) {
        self.settings = settings
        self.receiver = receiver
        machine = DeliveryMachine(policy: ReceiverPipeline.policy(of: settings))
        window.outdate()
        report = Report()
    }

    /// The longest that a delivery of this receiver can have to wait.
    var longestWait: Duration {
        let longest = max(
            settings.retry.max() ?? .zero, settings.digest?.window ?? .zero,
            DeliveryMachine.longestHint)
        return longest * 1.1 + .seconds(60)
    }

    private static func policy(of settings: ReceiverSettings) -> DeliveryMachine.Policy {
        switch settings.kind {
        case .webhook, .chat, .email, .exec:
            // A few hundred failing attempts, sixteen at a time and then minutes and hours apart, are
            // no burden; a hundred thousand would be.
            DeliveryMachine.Policy(
                retry: settings.retry, familiars: 256, longestPause: .seconds(30))
        case .stdout:
            // Its lines keep their order among all runs, so while it fails only the first is tried.
            DeliveryMachine.Policy(retry: nil, familiars: 0, longestPause: .seconds(5))
        }
    }
}
