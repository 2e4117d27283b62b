package import RunwatchCore

/// What a simulated run is doing.
package enum SimulatedState: String, CaseIterable, Hashable, Sendable {
    /// The service does not know it: before its first step, deleted, expired or forgotten.
    case gone
    /// Known, and not begun; Kinetica's `none`.
    case pending
    case running
    /// Krixik alone: an empty map of modules, which says nothing.
    case empty
    case complete
    case error
    case killed

    package var isFinal: Bool { self == .complete || self == .error || self == .killed }

    /// Reads the contract's word, or a service's own.
    package init?(word: String) {
        switch word {
        case "none": self = .pending
        case "ongoing": self = .running
        case "failed": self = .error
        default:
            guard let state = SimulatedState(rawValue: word) else { return nil }
            self = state
        }
    }

    /// Kinetica's word for it.
    var kineticaWord: String { self == .pending ? "none" : rawValue }
}

/// What a run does over time, from its start; a list of steps, and nothing that needs a clock.
package struct SimulatedLife: Hashable, Sendable {
    package struct Step: Hashable, Sendable {
        /// From the start.
        package var after: Duration
        package var state: SimulatedState
        /// Modules or segments finished by then; `complete` means all of them.
        package var done: Int32
        package var message: String

        package init(
            after: Duration, state: SimulatedState, done: Int32 = 0, message: String = ""
        ) {
            self.after = after
            self.state = state
            self.done = done
            self.message = message
        }
    }

    /// By `after`; before the first one the run is not there.
    package private(set) var steps: [Step]

    /// - Parameter steps: In any order; those of one moment stay in theirs.
    package init(_ steps: [Step]) {
        self.steps = steps.enumerated()
            .sorted { ($0.element.after, $0.offset) < ($1.element.after, $1.offset) }
            .map(\.element)
    }

    /// The step that holds at a moment.
    package func step(at elapsed: Duration) -> Step {
        steps.last { $0.after <= elapsed } ?? Step(after: .zero, state: .gone)
    }

    /// The changes of state up to a moment, oldest first; progress alone is no change.
    package func changes(until elapsed: Duration) -> [Step] {
        var changes: [Step] = []
        for step in steps.prefix(while: { $0.after <= elapsed })
        where step.state != (changes.last?.state ?? .gone) {
            changes.append(step)
        }
        return changes
    }

    /// Replaces everything after a moment by one last state.
    package mutating func end(at elapsed: Duration, as state: SimulatedState) {
        let done = step(at: elapsed).done
        steps.removeAll { $0.after > elapsed }
        steps.append(Step(after: elapsed, state: state, done: done))
    }

    /// Replaces everything after a moment by a life that begins then.
    package mutating func go(on life: SimulatedLife, at elapsed: Duration) {
        steps.removeAll { $0.after > elapsed }
        for var step in life.steps {
            step.after += elapsed
            steps.append(step)
        }
    }
}

/// How Kinetica sums its segments up; which of the two it does is not documented.
package enum SimulatedRollUp: String, CaseIterable, Hashable, Sendable {
    /// Running until all have ended.
    case wait
    /// `error` or `killed` as soon as one segment is.
    case atOnce = "at_once"

    func state(of segments: [SimulatedState]) -> SimulatedState {
        let isEnded = segments.allSatisfy(\.isFinal)
        if isEnded || self == .atOnce {
            if segments.contains(.error) { return .error }
            if segments.contains(.killed) { return .killed }
            if isEnded { return .complete }
        }
        if segments.allSatisfy({ $0 == .gone }) { return .gone }
        return segments.allSatisfy { $0 == .pending || $0 == .gone } ? .pending : .running
    }

    /// The life of the whole run that follows from those of its segments.
    func life(of segments: [SimulatedLife]) -> SimulatedLife {
        let moments = Set(segments.flatMap { $0.steps.map(\.after) }).sorted()
        return SimulatedLife(
            moments.map { moment in
                let states = segments.map { $0.step(at: moment).state }
                return SimulatedLife.Step(
                    after: moment, state: state(of: states),
                    done: Int32(states.count { $0 == .complete }))
            })
    }
}

/// What a run truly is at a moment, whatever the service was told to say about it.
package struct SimulatedTruth: Hashable, Sendable {
    package struct Change: Hashable, Sendable {
        package var state: SimulatedState
        package var at: Timestamp

        package init(state: SimulatedState, at: Timestamp) {
            self.state = state
            self.at = at
        }
    }

    package var service: SimulatedService
    package var id: String
    package var state: SimulatedState
    package var done: Int32
    package var total: Int32
    /// Every change of state so far, oldest first; the last one led to `state`.
    package var changes: [Change]
    /// Status requests about this run alone.
    package var polls: Int

    /// When the state began; `nil` for a run that is yet to appear.
    package var since: Timestamp? { changes.last?.at }
}

/// The services that are simulated.
package enum SimulatedService: String, CaseIterable, Hashable, Sendable {
    case krixik
    case kinetica
}

/// Turns instants into moments for people: two clocks that were read once, together.
package struct SimulatedClock: Hashable, Sendable {
    private var instant: Instant
    private var moment: Timestamp

    package init(_ time: some TimeSource) {
        instant = time.now()
        moment = time.wallClock()
    }

    package func moment(of other: Instant) -> Timestamp {
        moment.advanced(by: instant.duration(to: other))
    }
}
