package import RunwatchCore
import RunwatchStore

/// A service at a glance.
package struct ServiceStatus: Sendable, Equatable {
    /// Polls that are due and that its limits hold up.
    package struct Late: Sendable, Equatable {
        /// How long ago the one that has waited longest was due.
        package var by: Duration
        /// The limit that holds them up: `rate 20/s`, `concurrency 8`.
        package var limit: String
    }

    /// A `discover:` entry that finds nothing new at present.
    package struct Discovery: Sendable, Equatable {
        package var runTag: String
        /// Why not; no secrets.
        package var error: String
    }

    package var name: String
    package var kind: String
    package var health: ServiceHealth
    package var since: Timestamp
    /// Failures since the last good answer.
    package var failures: Int
    /// Why the last poll failed; `nil` while the service is up.
    package var reason: PollFailureReason?
    /// The last failure; `nil` while the service is up.
    package var lastError: String?
    package var nextProbeAt: Timestamp?
    /// Watches that are being polled.
    package var active: Int
    /// Watches that are due and wait for the budget.
    package var ready: Int
    /// `nil` when nothing waits for the limits.
    package var late: Late?
    package var inFlight: Int
    package var limits: ServiceLimits
    /// How long it is left alone from now on, by its own wish or for its failures.
    package var pause: Duration
    package var discoveries: [Discovery]
    package var polls: PollCounts
    package var lateness: LatenessMeter
    /// How long requests take, in seconds, whatever comes of them.
    package var durations: HistogramMeter
}

extension Poller {
    /// Every service, by name.
    package func serviceStatuses() -> [ServiceStatus] {
        let clock = Clockwork(time)
        return services.values.sorted { $0.name < $1.name }.map { service in
            let health = service.health
            let isFailing = health.failuresInARow > 0
            return ServiceStatus(
                name: service.name, kind: service.settings.kind.name, health: health.health,
                since: service.healthSince, failures: health.failuresInARow,
                reason: isFailing ? health.lastReason : nil,
                lastError: isFailing ? health.lastMessage : nil,
                nextProbeAt: nextProbe(of: health, clock),
                active: service.watches.count, ready: service.ready.count,
                late: late(service, clock), inFlight: service.budget.inFlight,
                limits: service.settings.limits,
                pause: health.nextProbe(after: clock.now).map { clock.now.duration(to: $0) }
                    ?? .zero,
                discoveries: service.discoveries.filter { $0.isRefused || $0.isUnrecorded }
                    .map { .init(runTag: $0.spec.runTag, error: $0.lastError) },
                polls: service.polls, lateness: service.lateness, durations: service.durations)
        }
    }

    private func nextProbe(of health: ServiceHealthMachine, _ clock: Clockwork) -> Timestamp? {
        let probe = health.nextProbe(after: clock.now)
        // Up and resting all the same: it asked for that.
        guard health.failuresInARow > 0 else { return clock.timestamp(probe) }
        return clock.timestamp(probe) ?? clock.wallClock
    }

    /// While it is not up, its own pauses make polls late, not the limits; and an answer about all that is
    /// under way serves whatever is due.
    private func late(_ service: ServiceSlot, _ clock: Clockwork) -> ServiceStatus.Late? {
        guard service.health.permission(at: clock.now) == .granted, !service.isAllInFlight,
            store.backlog < Poller.longestBacklog,
            let first = service.ready.first(where: { isReady($0, at: service) }),
            let slot = watches[Int(first)]
        else { return nil }
        return ServiceStatus.Late(
            by: max(.zero, slot.dueAt.duration(to: clock.now)), limit: service.limitInForce)
    }

    /// Whether an entry of a service's queue still holds.
    func isReady(_ index: Int32, at service: ServiceSlot) -> Bool {
        guard let slot = watches[Int(index)] else { return false }
        return slot.isReady && slot.service === service
    }
}

extension ServiceSlot {
    /// The limit that holds up what is due, in words: `rate 20/s`, `concurrency 8`.
    var limitInForce: String {
        let limits = settings.limits
        if budget.inFlight < limits.concurrency, let rate = limits.rate {
            return "rate \(ServiceSlot.text(rate: rate))"
        }
        return "concurrency \(limits.concurrency)"
    }

    /// As it is configured: `20/s`, or `30/m` below one a second.
    static func text(rate: Double) -> String {
        func number(_ value: Double) -> String {
            value == value.rounded() && value < 1e15 ? "\(Int64(value))" : "\(value)"
        }
        return rate >= 1 ? "\(number(rate))/s" : "\(number((rate * 60_000).rounded() / 1000))/m"
    }
}
