import RunwatchCore
import Testing

@Suite struct WatchMachineTests {
    static let settings = WatchSettings(
        poll: PollSettings(initial: .seconds(2), factor: 2, maximum: .seconds(60), jitter: 0))

    /// A machine and a clock that moves with each answer.
    final class Story {
        var machine = WatchMachine()
        var now = Instant(nanoseconds: 0)
        var settings = WatchMachineTests.settings

        init() {}

        init(_ other: Story) {
            machine = other.machine
            now = other.now
            settings = other.settings
        }

        func timedOut(at moment: Instant) -> WatchMachine.Outcome? {
            machine.timedOut(at: moment, settings: settings)
        }

        func stalls(after wait: Duration = .milliseconds(10)) -> Bool {
            machine.stalls(at: now.advanced(by: wait), settings: settings)
        }

        /// One poll, answered after 10 ms, `wait` after the last one.
        func poll(
            _ finding: Observation.Finding, after wait: Duration = .seconds(2),
            progress: Progress? = nil
        ) -> WatchMachine.Outcome {
            now = now.advanced(by: wait)
            machine.polled(at: now)
            return machine.observed(
                Observation(finding, progress: progress), startedAt: now,
                at: now.advanced(by: .milliseconds(10)), wasDue: true, settings: settings)
        }

        func wait() -> Duration {
            now.duration(to: machine.nextPoll(after: now, settings: settings, unit: 0.5))
        }
    }

    @Test func `a run goes forward through its states, each told once`() {
        let story = Story()
        #expect(story.poll(.state(.pending)) == .transition(from: .unknown, to: .pending))
        #expect(story.poll(.state(.pending)) == .unchanged)
        #expect(story.poll(.state(.running)) == .transition(from: .pending, to: .running))
        #expect(story.poll(.state(.running)) == .unchanged)
        #expect(story.poll(.state(.complete)) == .transition(from: .running, to: .complete))
        #expect(story.machine.sequence == 3)
        #expect(story.machine.polls == 5)
    }

    @Test(arguments: RunState.finalStates)
    func `an answer after the end is ignored`(end: RunState) {
        var memory = WatchMachine.Memory()
        memory.state = end
        memory.sequence = 4
        let story = Story()
        story.machine = WatchMachine(memory: memory)
        for finding: Observation.Finding in [
            .state(.running), .state(.complete), .notFound, .nothing,
        ] {
            #expect(story.poll(finding, after: .seconds(10)) == .unchanged)
        }
        #expect(story.machine.state == end)
        #expect(story.machine.sequence == 4)
    }

    @Test func `a state never goes back`() {
        let story = Story()
        _ = story.poll(.state(.running))
        #expect(story.poll(.state(.pending)) == .unchanged)
        #expect(story.machine.state == .running)
    }

    @Test func `not_before is the start of the last poll that saw the earlier state`() {
        let story = Story()
        _ = story.poll(.state(.running), after: .seconds(1))
        _ = story.poll(.state(.running), after: .seconds(3))
        let lastSeen = story.now
        story.machine.failed(wasDue: true)
        _ = story.poll(.state(.complete), after: .seconds(5))
        #expect(story.machine.notBefore == lastSeen)
        #expect(story.machine.observedAt == story.now.advanced(by: .milliseconds(10)))
    }

    @Test func `a first sighting has no earlier poll`() {
        let story = Story()
        _ = story.poll(.state(.complete))
        #expect(story.machine.notBefore == nil)
        #expect(story.machine.previousState == .unknown)
    }

    // MARK: Not found

    @Test func `a run that was seen is lost after two not-found answers five seconds apart`() {
        let story = Story()
        _ = story.poll(.state(.running))
        let lastSeen = story.now
        #expect(story.poll(.notFound) == .unchanged)
        #expect(story.poll(.notFound, after: .seconds(2)) == .unchanged)
        #expect(story.poll(.notFound, after: .seconds(2)) == .unchanged)
        #expect(
            story.poll(.notFound, after: .seconds(2)) == .transition(from: .running, to: .lost))
        #expect(story.machine.notBefore == lastSeen)
    }

    @Test func `not-found answers must be in a row`() {
        let story = Story()
        _ = story.poll(.state(.running))
        _ = story.poll(.notFound)
        _ = story.poll(.state(.running), after: .seconds(6))
        #expect(story.poll(.notFound, after: .seconds(6)) == .unchanged)
        _ = story.poll(.nothing, after: .seconds(6))
        #expect(story.poll(.notFound, after: .seconds(6)) == .unchanged)
        #expect(story.machine.state == .running)
    }

    @Test func `the second look comes five seconds after the first not-found answer`() {
        let story = Story()
        _ = story.poll(.state(.running))
        for _ in 0..<6 { _ = story.poll(.state(.running), after: .seconds(60)) }
        #expect(story.wait() == .seconds(60))
        _ = story.poll(.notFound, after: .seconds(60))
        #expect(story.wait() > .seconds(5) && story.wait() < .milliseconds(5100))
    }

    @Test func `a run that was never seen is lost only after the grace`() {
        let story = Story()
        #expect(story.poll(.notFound) == .unchanged)
        #expect(story.poll(.notFound, after: .seconds(30)) == .unchanged)
        #expect(story.poll(.notFound, after: .seconds(29)) == .unchanged)
        #expect(
            story.poll(.notFound, after: .seconds(1)) == .transition(from: .unknown, to: .lost))
    }

    @Test func `the grace counts from the first answer, not from failed polls`() {
        let story = Story()
        story.machine.polled(at: story.now)
        story.machine.failed(wasDue: true)
        #expect(story.poll(.notFound, after: .seconds(300)) == .unchanged)
        #expect(
            story.poll(.notFound, after: .seconds(61)) == .transition(from: .unknown, to: .lost))
    }

    @Test func `a run that appears within the grace is followed`() {
        let story = Story()
        _ = story.poll(.notFound)
        let missed = story.now
        #expect(
            story.poll(.state(.running), after: .seconds(50))
                == .transition(from: .unknown, to: .running))
        #expect(story.machine.notBefore == missed)
    }

    // MARK: Deadline and stalls

    @Test func `the deadline counts from the first poll and the answer at it still decides`() {
        let story = Story()
        story.settings = WatchSettings(
            poll: WatchMachineTests.settings.poll, deadline: .seconds(10))
        _ = story.poll(.state(.running))
        #expect(story.poll(.state(.running), after: .seconds(7)) == .unchanged)
        #expect(story.wait() > .seconds(3) && story.wait() < .milliseconds(3100))
        let late = Story(story)
        #expect(
            late.poll(.state(.running), after: .milliseconds(3030))
                == .transition(from: .running, to: .timeout))
        #expect(
            story.poll(.state(.complete), after: .milliseconds(3030))
                == .transition(from: .running, to: .complete))
    }

    @Test func `the deadline passes without answers too`() {
        let story = Story()
        story.settings = WatchSettings(deadline: .seconds(10))
        story.machine.polled(at: Instant(nanoseconds: 0))
        story.machine.failed(wasDue: true)
        #expect(story.timedOut(at: Instant(nanoseconds: 9_999_000_000)) == nil)
        let after = Instant(nanoseconds: 10_000_000_000)
        #expect(story.timedOut(at: after) == .transition(from: .unknown, to: .timeout))
        #expect(story.timedOut(at: after) == nil)
    }

    @Test func `after the deadline one more poll is owed, once`() {
        let story = Story()
        let settings = WatchSettings(deadline: .seconds(10))
        #expect(!story.machine.isUnaskedSinceDeadline(settings))
        story.machine.polled(at: Instant(nanoseconds: 0))
        #expect(story.machine.isUnaskedSinceDeadline(settings))
        #expect(!story.machine.isUnaskedSinceDeadline(WatchSettings()))
        story.machine.polled(at: Instant(nanoseconds: 10_000_000_000))
        #expect(!story.machine.isUnaskedSinceDeadline(settings))
    }

    @Test func `a stall is told once, and again only after something moved`() {
        let story = Story()
        story.settings = WatchSettings(stallAfter: .seconds(10))
        _ = story.poll(.state(.running), progress: Progress(done: 0, total: 3))
        #expect(!story.stalls())
        _ = story.poll(.state(.running), after: .seconds(11))
        #expect(story.stalls())
        _ = story.poll(.state(.running), after: .seconds(11))
        #expect(!story.stalls())
        #expect(
            story.poll(.state(.running), progress: Progress(done: 1, total: 3)) == .progressed)
        #expect(!story.stalls())
        _ = story.poll(.state(.running), after: .seconds(11))
        #expect(story.stalls())
    }

    @Test func `a run that is pending too long stalls, a running one does not`() {
        let story = Story()
        story.settings = WatchSettings(pendingAfter: .seconds(10))
        _ = story.poll(.state(.pending))
        let other = Story(story)
        _ = story.poll(.state(.pending), after: .seconds(11))
        #expect(story.stalls())
        _ = other.poll(.state(.running), after: .seconds(11))
        #expect(!other.stalls(after: .seconds(99)))
    }

    // MARK: Backoff

    @Test func `the backoff grows with polls and falls back on a transition and on progress`() {
        let story = Story()
        _ = story.poll(.state(.running))
        #expect(story.wait() == .seconds(2))
        _ = story.poll(.state(.running))
        #expect(story.wait() == .seconds(4))
        story.machine.failed(wasDue: true)
        #expect(story.wait() == .seconds(8))
        #expect(story.poll(.state(.running), progress: Progress(done: 1, total: 2)) == .progressed)
        #expect(story.wait() == .seconds(2))
        #expect(story.poll(.state(.running), progress: Progress(done: 1, total: 2)) == .unchanged)
        #expect(story.wait() == .seconds(4))
    }

    @Test func `a poll made for another watch does not grow the backoff`() {
        let story = Story()
        _ = story.poll(.state(.running))
        for _ in 0..<10 {
            story.now = story.now.advanced(by: .seconds(1))
            story.machine.polled(at: story.now)
            _ = story.machine.observed(
                Observation(.state(.running)), startedAt: story.now, at: story.now, wasDue: false,
                settings: story.settings)
        }
        #expect(story.wait() == .seconds(2))
    }

    @Test func `an answer to an older request than the last one changes nothing`() {
        let story = Story()
        _ = story.poll(.state(.running), after: .seconds(10))
        let outcome = story.machine.observed(
            Observation(.notFound), startedAt: Instant(nanoseconds: 5), at: story.now,
            wasDue: true, settings: story.settings)
        #expect(outcome == .unchanged)
        #expect(story.poll(.notFound, after: .seconds(10)) == .unchanged)
    }

    @Test func `an error keeps the last progress that was seen`() {
        let story = Story()
        _ = story.poll(.state(.running), progress: Progress(done: 2, total: 3))
        _ = story.poll(.state(.error))
        #expect(story.machine.progress == Progress(done: 2, total: 3))
    }
}
