/// The life of one watch: what each observation makes of its state, and when to look again.
///
/// - `unknown`: never seen; not-found answers are patient until `not_found_grace` is over.
/// - `pending`, `running`: seen; two not-found answers in a row, at least five seconds apart, end it as `lost`.
/// - a final state: left by `rewatch` alone, which begins a new machine.
///
/// A value of about 100 bytes without clock, disk or network: a hundred thousand of them are kept.
package struct WatchMachine: Sendable, Equatable {
    /// What an answer, or the time, has changed.
    package enum Outcome: Sendable, Equatable {
        case unchanged
        /// A new state; `sequence` has counted it.
        case transition(from: RunState, to: RunState)
        /// The same state with other progress.
        case progressed
    }

    /// Two not-found answers must be this far apart to mean anything.
    package static let notFoundSpacing = Duration.seconds(5)
    /// Timers fire up to this early, so what must not happen early is planned this much later.
    package static let timerSlack = Duration.milliseconds(30)

    package private(set) var state: RunState
    package private(set) var previousState: RunState?
    /// Transitions so far.
    package private(set) var sequence: Int32
    /// Polls made, failed ones included.
    package private(set) var polls: Int32
    /// Polls since the last transition or progress: the exponent of the backoff.
    package private(set) var step: Int32
    package private(set) var isStalled: Bool
    /// The service has known the run at least once.
    package private(set) var wasSeen: Bool
    package private(set) var progress: Progress?
    @PackedInstant package private(set) var firstPollAt: Instant?
    @PackedInstant package private(set) var firstAnswerAt: Instant?
    @PackedInstant package private(set) var lastPollAt: Instant?
    /// The start of the last poll that still saw the present state.
    @PackedInstant package private(set) var lastSeenAt: Instant?
    /// When the present state was observed.
    @PackedInstant package private(set) var observedAt: Instant?
    /// The start of the last poll that saw the state before.
    @PackedInstant package private(set) var notBefore: Instant?
    /// The last transition or progress; the first poll before any.
    @PackedInstant package private(set) var changedAt: Instant?
    /// The first not-found answer of the present row of them.
    @PackedInstant package private(set) var notFoundSince: Instant?

    package init() {
        state = .unknown
        sequence = 0
        polls = 0
        step = 0
        isStalled = false
        wasSeen = false
    }

    /// What a restart goes on with; the moments are on this process's clock already.
    package struct Memory: Sendable {
        package var state = RunState.unknown
        package var previousState: RunState?
        package var sequence = 0
        package var polls = 0
        package var step = 0
        package var isStalled = false
        package var progress: Progress?
        package var firstPollAt: Instant?
        package var firstAnswerAt: Instant?
        package var lastPollAt: Instant?
        package var lastSeenAt: Instant?
        package var observedAt: Instant?
        package var notBefore: Instant?
        package var changedAt: Instant?

        package init() {}
    }

    package init(memory: Memory) {
        state = memory.state
        previousState = memory.previousState
        sequence = Int32(clamping: memory.sequence)
        polls = Int32(clamping: memory.polls)
        step = Int32(clamping: memory.step)
        isStalled = memory.isStalled
        wasSeen = memory.state != .unknown
        progress = memory.progress
        firstPollAt = memory.firstPollAt
        firstAnswerAt = memory.firstAnswerAt
        lastPollAt = memory.lastPollAt
        lastSeenAt = memory.lastSeenAt
        observedAt = memory.observedAt
        notBefore = memory.notBefore
        changedAt = memory.changedAt ?? memory.firstPollAt
    }

    // MARK: Events

    /// A request that covers this watch was sent.
    package mutating func polled(at now: Instant) {
        if firstPollAt == nil { firstPollAt = now }
        if changedAt == nil { changedAt = now }
        lastPollAt = now
        polls = polls &+ 1
    }

    /// An answer says something about the run.
    ///
    /// - Parameters:
    ///   - startedAt: When the request was sent. An answer to a request older than the last one that was
    ///     read is stale and changes nothing.
    ///   - wasDue: The poll was made for this watch, not only on the occasion of another: its backoff grows.
    package mutating func observed(
        _ observation: Observation, startedAt: Instant, at now: Instant, wasDue: Bool,
        settings: WatchSettings
    ) -> Outcome {
        guard !state.isFinal else { return .unchanged }
        if let lastSeenAt, startedAt < lastSeenAt { return .unchanged }
        if firstAnswerAt == nil { firstAnswerAt = now }
        if wasDue { step = step &+ 1 }
        switch observation.finding {
        case .nothing:
            notFoundSince = nil
            wasSeen = true
        case .notFound:
            if let outcome = missed(startedAt: startedAt, at: now, settings: settings) {
                return outcome
            }
        case .state(let seen):
            notFoundSince = nil
            wasSeen = true
            if state.mayBecome(seen) {
                note(observation)
                return enter(seen, at: now, lastSeenAt: startedAt)
            }
            if seen == state { lastSeenAt = startedAt }
            if note(observation) {
                step = 0
                changedAt = now
                isStalled = false
                return timedOut(at: now, settings: settings) ?? .progressed
            }
        }
        return timedOut(at: now, settings: settings) ?? .unchanged
    }

    /// A poll failed, or its answer was about this watch's request alone: nothing is known of the run.
    package mutating func failed(wasDue: Bool) {
        if wasDue { step = step &+ 1 }
    }

    /// Looks whether the deadline has passed; the transition to `timeout`, if so.
    package mutating func timedOut(at now: Instant, settings: WatchSettings) -> Outcome? {
        guard !state.isFinal, let deadline = settings.deadline, let firstPollAt,
            now >= firstPollAt.advanced(by: deadline)
        else { return nil }
        return enter(.timeout, at: now, lastSeenAt: now)
    }

    /// Looks whether the run has stalled; `true` once, until the next transition or progress.
    ///
    /// Asked after an answer, never without one: while the service is down nobody knows.
    package mutating func stalls(at now: Instant, settings: WatchSettings) -> Bool {
        guard !state.isFinal, !isStalled else { return false }
        let waitsTooLong = pendingLimit(settings).map { now >= $0 } ?? false
        let standsStill = stallLimit(settings).map { now >= $0 } ?? false
        isStalled = waitsTooLong || standsStill
        return isStalled
    }

    // MARK: When to look again

    /// The moment of the next poll.
    ///
    /// The backoff's wait, cut short where a rule has to be decided earlier: a second not-found answer, the
    /// end of `not_found_grace`, the deadline, an alarm.
    package func nextPoll(after now: Instant, settings: WatchSettings, unit: Double) -> Instant {
        plan(after: now, settings: settings, unit: unit).at
    }

    /// The moment of the next poll, and which rule made it that one.
    package func plan(
        after now: Instant, settings: WatchSettings, unit: Double
    ) -> (at: Instant, reason: PollPlan) {
        var next = now.advanced(by: Backoff.wait(settings.poll, step: Int(step), unit: unit))
        var reason = PollPlan.backoff
        func cut(_ limit: Instant?, _ rule: PollPlan) {
            guard let limit, limit > now else { return }
            let moment = limit.advanced(by: WatchMachine.timerSlack)
            guard moment < next else { return }
            next = moment
            reason = rule
        }
        cut(secondLook, .secondLook)
        if !wasSeen { cut(graceEnd(settings), .grace) }
        cut(deadline(settings), .deadline)
        if !isStalled {
            cut(pendingLimit(settings), .pendingAlarm)
            cut(stallLimit(settings), .stallAlarm)
        }
        return (next, reason)
    }

    /// From when on a second not-found answer ends the watch; `nil` unless there was a first one.
    package var secondLook: Instant? {
        guard wasSeen else { return nil }
        return notFoundSince?.advanced(by: WatchMachine.notFoundSpacing)
    }

    /// From when on a not-found answer ends a watch that was never seen; `nil` before the first answer.
    package func graceEnd(_ settings: WatchSettings) -> Instant? {
        firstAnswerAt?.advanced(by: settings.notFoundGrace)
    }

    /// When the watch's own deadline passes; `nil` before the first poll or without one.
    package func deadline(_ settings: WatchSettings) -> Instant? {
        guard let deadline = settings.deadline else { return nil }
        return firstPollAt?.advanced(by: deadline)
    }

    /// Whether nobody has asked since the deadline passed: then the run may have ended in time, and what
    /// the service says comes before what the clock says.
    package func isUnaskedSinceDeadline(_ settings: WatchSettings) -> Bool {
        guard let deadline = deadline(settings) else { return false }
        return lastPollAt.map { $0 < deadline } ?? true
    }

    // MARK: Rules

    private mutating func missed(
        startedAt: Instant, at now: Instant, settings: WatchSettings
    ) -> Outcome? {
        guard wasSeen else {
            let patience = (firstAnswerAt ?? now).advanced(by: settings.notFoundGrace)
            guard now >= patience else {
                lastSeenAt = startedAt
                return nil
            }
            return enter(.lost, at: now, lastSeenAt: startedAt)
        }
        guard let since = notFoundSince else {
            notFoundSince = now
            return nil
        }
        guard since.duration(to: now) >= WatchMachine.notFoundSpacing else { return nil }
        return enter(.lost, at: now, lastSeenAt: startedAt)
    }

    private mutating func enter(_ next: RunState, at now: Instant, lastSeenAt seen: Instant)
        -> Outcome
    {
        let before = state
        previousState = before
        state = next
        sequence = sequence &+ 1
        step = 0
        isStalled = false
        notBefore = lastSeenAt
        observedAt = now
        changedAt = now
        lastSeenAt = seen
        notFoundSince = nil
        return .transition(from: before, to: next)
    }

    /// Takes over progress that an answer gives; whether it is new.
    ///
    /// Messages and details alone are no progress: some services change them at every look.
    @discardableResult
    private mutating func note(_ observation: Observation) -> Bool {
        guard let seen = observation.progress, seen != progress else { return false }
        progress = seen
        return true
    }

    /// When the run has been pending for too long; `nil` when that is no matter.
    package func pendingLimit(_ settings: WatchSettings) -> Instant? {
        guard state == .pending, let limit = settings.pendingAfter else { return nil }
        return observedAt?.advanced(by: limit)
    }

    /// When nothing has changed for too long; `nil` when that is no matter.
    package func stallLimit(_ settings: WatchSettings) -> Instant? {
        guard let limit = settings.stallAfter else { return nil }
        return changedAt?.advanced(by: limit)
    }
}
