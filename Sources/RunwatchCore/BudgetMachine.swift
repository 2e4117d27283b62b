/// What a service may be asked at once and over time: `limits: {concurrency, rate}`.
///
/// The rate is kept by the generic cell rate algorithm (ITU-T I.371): one moment instead of a token
/// counter, so nothing drifts. A burst may hold what falls due in 50 ms, and at least one request.
package struct BudgetMachine: Sendable, Equatable {
    package enum Verdict: Sendable, Equatable {
        /// The request has been counted: send it.
        case granted
        /// As many as may be are in flight; ask again when one has ended.
        case busy
        case notBefore(Instant)
    }

    private static let burst = Duration.milliseconds(50)

    package private(set) var inFlight = 0
    private let concurrency: Int
    /// The time that one request costs; `nil` without a rate.
    private let cost: Duration?
    private let tolerance: Duration
    /// When the bucket would be empty again.
    private var arrival: Instant?

    package init(_ limits: ServiceLimits) {
        concurrency = max(1, limits.concurrency)
        cost = limits.rate.map { .nanoseconds(Int64(1e9 / max($0, 1e-6))) }
        tolerance = cost.map { max(.zero, BudgetMachine.burst - $0) } ?? .zero
    }

    /// Takes the budget of one request, if there is any.
    package mutating func take(at now: Instant) -> Verdict {
        guard inFlight < concurrency else { return .busy }
        if let cost {
            let earliest = (arrival ?? now).advanced(by: .zero - tolerance)
            guard now >= earliest else { return .notBefore(earliest) }
            arrival = max(arrival ?? now, now).advanced(by: cost)
        }
        inFlight += 1
        return .granted
    }

    /// A request has ended, however.
    package mutating func release() {
        inFlight = max(0, inFlight - 1)
    }

    /// Takes new limits and keeps what is in flight and what was spent.
    package func with(_ limits: ServiceLimits) -> BudgetMachine {
        var next = BudgetMachine(limits)
        next.inFlight = inFlight
        next.arrival = arrival
        return next
    }
}
