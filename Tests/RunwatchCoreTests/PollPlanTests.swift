import RunwatchCore
import Testing

/// Which rule plans the next poll.
@Suite struct PollPlanTests {
    private func plan(
        _ machine: WatchMachine, at now: Instant, _ settings: WatchSettings
    ) -> PollPlan {
        let plan = machine.plan(after: now, settings: settings, unit: 0.5)
        #expect(plan.at == machine.nextPoll(after: now, settings: settings, unit: 0.5))
        return plan.reason
    }

    private func answered(
        _ findings: [Observation.Finding], _ settings: WatchSettings
    ) -> WatchMachine {
        var machine = WatchMachine()
        for (offset, finding) in findings.enumerated() {
            let now = Instant(nanoseconds: Int64(offset) * 1_000_000_000)
            machine.polled(at: now)
            _ = machine.observed(
                Observation(finding), startedAt: now, at: now, wasDue: true, settings: settings)
        }
        return machine
    }

    @Test(arguments: [
        (WatchSettings(deadline: .seconds(100)), PollPlan.backoff),
        (WatchSettings(deadline: .seconds(2)), .deadline),
        (WatchSettings(pendingAfter: .seconds(2)), .pendingAlarm),
        (WatchSettings(stallAfter: .seconds(2)), .stallAlarm),
        // The earliest of several decides.
        (WatchSettings(deadline: .seconds(2), stallAfter: .milliseconds(1500)), .stallAlarm),
    ])
    func `the rule that is due first decides`(settings: WatchSettings, reason: PollPlan) {
        let machine = answered([.state(.pending), .state(.pending)], settings)
        #expect(plan(machine, at: Instant(nanoseconds: 1_000_000_000), settings) == reason)
    }

    @Test func `a run that is not found is looked for again before its backoff is over`() {
        let slow = WatchSettings(
            poll: PollSettings(
                initial: .seconds(60), factor: 1, maximum: .seconds(60), jitter: 0),
            notFoundGrace: .seconds(30))
        let seen = answered([.state(.running), .notFound], slow)
        let now = Instant(nanoseconds: 1_000_000_000)
        #expect(plan(seen, at: now, slow) == .secondLook)
        #expect(seen.secondLook == now.advanced(by: WatchMachine.notFoundSpacing))
        let never = answered([.notFound], slow)
        #expect(plan(never, at: now, slow) == .grace)
        #expect(never.secondLook == nil)
        #expect(never.graceEnd(slow) == Instant(nanoseconds: 30_000_000_000))
    }
}
