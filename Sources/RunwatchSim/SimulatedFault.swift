package import RunwatchCore
import RunwatchHTTP

/// What goes wrong with one request.
package struct SimulatedFault: Hashable, Sendable {
    package enum Kind: String, CaseIterable, Hashable, Sendable {
        /// Another status, with a body of the wanted form.
        case status
        /// Kinetica's "this cluster is going away", as an error with a text.
        case goingAway = "going_away"
        case reset
        case close
        case hang
        /// The first `bytes` of the answer, and the connection is closed.
        case cut
        /// The first `bytes` of the answer, and then nothing.
        case stall
        /// Bytes that are not HTTP.
        case garbage
        /// A body that is not JSON.
        case badJSON = "bad_json"
        /// A Kinetica wrapper whose `data_str` is not JSON.
        case badInnerJSON = "bad_inner_json"
        /// Good JSON, every member of a wrong type.
        case wrongTypes = "wrong_types"
        /// A Kinetica wrapper whose inner maps have wrong types.
        case wrongInnerTypes = "wrong_inner_types"
        /// A body of `bytes` bytes.
        case huge
        /// A body that never ends.
        case endless
        /// The answer as it was when the request came, after a while.
        case slow
        /// The answer byte by byte, with a pause before each.
        case drip
    }

    package enum Body: String, CaseIterable, Hashable, Sendable {
        /// The service's own form of an error.
        case own
        /// Only a `message`, as the gateway before Krixik answers.
        case gateway
        case html
        case empty
    }

    package enum RetryAfter: Hashable, Sendable {
        case seconds(Int64)
        /// As an HTTP date, so much from now.
        case date(Duration)
    }

    package var kind: Kind
    package var status = 503
    package var retryAfter: RetryAfter?
    package var body = Body.own
    /// For `going_away`.
    package var text = "Kinetica is exiting"
    /// For `cut`, `stall` and `huge`.
    package var bytes = 10
    /// For `slow` (the whole wait) and `drip` (each pause).
    package var wait = Duration.seconds(1)

    package init(_ kind: Kind) {
        self.kind = kind
    }
}

/// When a fault is given: the first rule that fits a request decides.
package struct SimulatedFaultRule: Hashable, Sendable {
    package var fault: SimulatedFault
    /// `nil` for both.
    package var service: SimulatedService?
    /// The beginning of the request's path; `nil` for any.
    ///
    /// Tells apart services that share the port.
    package var path: String?
    /// `nil` for any request; the calls besides status calls count as well.
    package var kinds: Set<SimulatedRequestKind>?
    /// Requests about one of these runs; `nil` for any.
    package var runs: Set<String>?
    /// From the moment that the rules were given.
    package var from = Duration.zero
    package var until: Duration?
    /// The share of the fitting requests that it is given to.
    package var fraction = 1.0
    /// How often it is given at the most.
    package var times = Int.max

    package init(_ fault: SimulatedFault) {
        self.fault = fault
    }

    func fits(
        _ answer: SimulatedAnswer, of service: SimulatedService, path: String,
        after elapsed: Duration
    ) -> Bool {
        guard self.service == nil || self.service == service else { return false }
        if let prefix = self.path, !path.hasPrefix(prefix) { return false }
        if let kinds, !kinds.contains(answer.kind) { return false }
        if let runs, !runs.contains(answer.run ?? "") { return false }
        return elapsed >= from && elapsed < (until ?? .seconds(Int64.max / 2))
    }
}

/// The rules in force, and the dice.
package struct SimulatedFaultBox: Sendable {
    package private(set) var rules: [SimulatedFaultRule] = []
    private var given: [Int] = []
    private var since: Instant
    private var generator: SeededGenerator

    package init(seed: UInt64, at now: Instant) {
        generator = SeededGenerator(seed: seed)
        since = now
    }

    /// Replaces the rules; their windows begin now.
    package mutating func replace(_ rules: [SimulatedFaultRule], at now: Instant) {
        self.rules = rules
        given = Array(repeating: 0, count: rules.count)
        since = now
    }

    package mutating func fault(
        for answer: SimulatedAnswer, of service: SimulatedService, path: String, at now: Instant
    ) -> SimulatedFault? {
        let elapsed = since.duration(to: now)
        for (index, rule) in rules.enumerated()
        where given[index] < rule.times
            && rule.fits(answer, of: service, path: path, after: elapsed)
        {
            // Only a real share draws, so that other rules do not shift the sequence.
            if rule.fraction < 1, generator.unit() >= rule.fraction { continue }
            given[index] += 1
            return rule.fault
        }
        return nil
    }
}
