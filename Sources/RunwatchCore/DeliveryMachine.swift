/// Decides for one receiver which deliveries may be attempted, and what becomes of each attempt.
///
/// The rules, from the contract and from courtesy:
/// - Every delivery follows its own schedule: a wait before each attempt, the first one included,
///   lengthened by up to 10 % of jitter, never shorter than what the receiver asked for.
/// - A receiver that fails is not hit by everything that is owed to it. While it fails, up to
///   `Policy.familiars` deliveries go on by their own schedules, so with few pending nothing is late;
///   of all the others one at a time is tried as a probe, with a growing pause between two probes.
///   The first success ends it.
/// - A receiver that asked to wait is left alone for so long, but for an hour at most; the delivery that it
///   refused waits for as long as it was asked.
/// - A receiver that answered "gone" is left alone until the next reload.
package struct DeliveryMachine: Sendable {
    package struct Policy: Equatable, Sendable {
        /// The wait before each attempt; `nil` for a receiver whose deliveries are never given up.
        package var retry: [Duration]?
        /// How many deliveries keep their own schedule while the receiver fails.
        package var familiars: Int
        /// The pause between two probes grows from one second to this.
        package var longestPause: Duration

        package init(retry: [Duration]?, familiars: Int, longestPause: Duration) {
            self.retry = retry
            self.familiars = familiars
            self.longestPause = longestPause
        }
    }

    /// How an attempt ended.
    package enum Outcome: Equatable, Sendable {
        case delivered
        /// Not delivered; the receiver may have said how long to wait.
        case later(hint: Duration?)
        /// The receiver wants nothing more (HTTP 410).
        case refusedForGood
        /// Given up before it could end, by a stop: no attempt at all.
        case abandoned
    }

    /// What becomes of the delivery.
    package enum Verdict: Equatable, Sendable {
        case delivered
        /// Pending; due again after the wait.
        case retry(after: Duration)
        /// Pending, and due as it was: it keeps its place before what came after it.
        case stillDue
        /// Given up for good.
        case failed
        /// Pending as it was; nothing worth recording happened.
        case keep
    }

    package enum Health: Equatable, Sendable {
        /// Everything due may be attempted. The state at first, and after any success.
        case open
        /// The last attempt failed. Left by a success.
        case failing
        /// The receiver answered 410. Left by a reload.
        case disabled
    }

    /// The longest wait that a receiver can ask for.
    package static let longestHint = Duration.seconds(86_400)
    /// How long a receiver's wish to wait can hold up deliveries other than the refused one.
    static let longestRest = Duration.seconds(3600)
    private static let shortestPause = Duration.seconds(1)

    package let policy: Policy
    package private(set) var health = Health.open
    private var inFlight: Set<String> = []
    /// While failing: deliveries on their own schedule, by when each is due again.
    ///
    /// `.distantFuture` stands for one that is under way.
    private var familiars: [String: Instant] = [:]
    /// Places of familiars that were lost out of sight; free again when the receiver has recovered.
    private var lostPlaces = 0
    private var probe: String?
    private var probeAt = Instant(nanoseconds: 0)
    private var pause = DeliveryMachine.shortestPause
    /// Nothing is attempted before this, but for what a person asks for: the receiver wants a rest.
    package private(set) var restUntil = Instant(nanoseconds: 0)

    package init(policy: Policy) {
        self.policy = policy
    }

    // MARK: Before an attempt

    /// How long after its event a delivery is first attempted.
    package func firstWait(using generator: inout some RandomNumberGenerator) -> Duration {
        guard let wait = policy.retry?.first, wait > .zero else { return .zero }
        return DeliveryMachine.jittered(wait, using: &generator)
    }

    /// Whether there can be anything to attempt: then it is worth looking for what is due.
    package func mayAdmit(at now: Instant) -> Bool {
        guard restUntil <= now else { return false }
        return switch health {
        case .open: true
        case .disabled: false
        case .failing:
            hasPlace || probeIsDue(at: now)
                || familiars.values.contains { $0 <= now }
        }
    }

    /// Whether this delivery, which is due, may be attempted now.
    package func admits(_ id: String, at now: Instant) -> Bool {
        guard restUntil <= now else { return false }
        return switch health {
        case .open: true
        case .disabled: false
        case .failing:
            familiars[id] != nil || hasPlace || probeIsDue(at: now)
        }
    }

    /// When time alone next admits something that is not admitted now; `nil` when it never does.
    package var nextAdmission: Instant? {
        switch health {
        case .open: return restUntil
        case .disabled: return nil
        case .failing:
            var next = familiars.values.min() ?? .distantFuture
            if probe == nil { next = min(next, probeAt) }
            return next == .distantFuture ? nil : max(next, restUntil)
        }
    }

    /// A delivery is attempted from now on.
    ///
    /// - Parameter isUrgent: A person asked for it, so nobody asked whether it is admitted.
    package mutating func started(_ id: String, isUrgent: Bool = false) {
        inFlight.insert(id)
        guard health == .failing else { return }
        if familiars[id] != nil || hasPlace {
            familiars[id] = .distantFuture
        } else if !isUrgent || probeIsDue(at: .distantFuture) {
            probe = id
        }
    }

    /// A person says that it is worth trying now: the next probe need not wait.
    package mutating func encouraged(at now: Instant) {
        pause = DeliveryMachine.shortestPause
        probeAt = now
        restUntil = now
    }

    /// The outbox was searched, beginning at `now`, and gave these as due, oldest first.
    ///
    /// A familiar that should be among them and is not stands far behind others (or is gone): it
    /// becomes one of the crowd, so that nobody searches for it again and again. Its place is not given
    /// to another, or a crowd would pass through it.
    package mutating func looked(found: Set<String>, at now: Instant) {
        guard health == .failing else { return }
        let before = familiars.count
        familiars = familiars.filter { found.contains($0.key) || $0.value > now }
        lostPlaces += before - familiars.count
    }

    // MARK: After an attempt

    /// An attempt ended.
    /// - Parameter attempts: Attempts at this delivery before this one.
    package mutating func ended(
        _ id: String, attempts: Int, _ outcome: Outcome, at now: Instant,
        using generator: inout some RandomNumberGenerator
    ) -> Verdict {
        inFlight.remove(id)
        let wasProbe = probe == id
        if wasProbe { probe = nil }
        switch outcome {
        case .abandoned:
            familiars[id] = nil
            return .keep
        case .delivered:
            if health == .failing { recover() }
            return .delivered
        case .refusedForGood:
            recover()
            health = .disabled
            return .stillDue
        case .later(let hint):
            let hint = hint.map { min(max(.zero, $0), DeliveryMachine.longestHint) }
            let begins = health == .open
            noteFailure(wasProbe: wasProbe, hint: hint, at: now)
            let verdict = verdict(
                attempts: attempts, hint: hint, begins: begins, using: &generator)
            if case .retry(let wait) = verdict, health == .failing,
                familiars[id] != nil || hasPlace
            {
                // The record keeps whole milliseconds, so let one more pass before it is sought.
                familiars[id] = now.advanced(by: wait + .milliseconds(1))
            } else {
                familiars[id] = nil
            }
            return verdict
        }
    }

    /// The configuration was loaded anew: a receiver that was disabled gets another chance.
    package mutating func reloaded() {
        if health == .disabled { recover() }
    }

    // MARK: Inside

    private var hasPlace: Bool { familiars.count + lostPlaces < policy.familiars }

    private func probeIsDue(at now: Instant) -> Bool {
        probe == nil && probeAt <= now
    }

    private mutating func recover() {
        health = .open
        familiars = [:]
        lostPlaces = 0
        probe = nil
        pause = DeliveryMachine.shortestPause
    }

    private mutating func noteFailure(wasProbe: Bool, hint: Duration?, at now: Instant) {
        switch health {
        case .disabled: return
        case .open:
            health = .failing
            pause = DeliveryMachine.shortestPause
            probeAt = now.advanced(by: pause)
            // What is under way beside the one that failed began before anyone knew.
            for id in inFlight.prefix(policy.familiars) { familiars[id] = .distantFuture }
        case .failing:
            if wasProbe {
                pause = min(pause * 2, policy.longestPause)
                probeAt = now.advanced(by: pause)
            }
        }
        if let hint {
            restUntil = max(restUntil, now.advanced(by: min(hint, DeliveryMachine.longestRest)))
        }
    }

    private func verdict(
        attempts: Int, hint: Duration?, begins: Bool,
        using generator: inout some RandomNumberGenerator
    ) -> Verdict {
        guard let retry = policy.retry else {
            // Never given up, and in order, for the receiver as a whole pauses. Only the failure that
            // begins a row of them is recorded, or a closed pipe would fill the database.
            return begins ? .stillDue : .keep
        }
        guard attempts + 1 < retry.count else { return .failed }
        let wait = DeliveryMachine.jittered(retry[attempts + 1], using: &generator)
        return .retry(after: max(wait, hint ?? .zero))
    }

    private static func jittered(
        _ wait: Duration, using generator: inout some RandomNumberGenerator
    ) -> Duration {
        wait + wait * Double.random(in: 0..<0.1, using: &generator)
    }
}
