import RunwatchCore
import Testing

@Suite struct BudgetMachineTests {
    @Test func `no more requests are in flight than the limit`() {
        var budget = BudgetMachine(ServiceLimits(concurrency: 2))
        func take() -> BudgetMachine.Verdict { budget.take(at: Instant(nanoseconds: 0)) }
        #expect(take() == .granted)
        #expect(take() == .granted)
        #expect(take() == .busy)
        budget.release()
        #expect(take() == .granted)
    }

    @Test(arguments: [0.5, 10, 20, 100, 1000])
    func `a rate is kept in every second and used up`(rate: Double) {
        var budget = BudgetMachine(ServiceLimits(concurrency: 1_000_000, rate: rate))
        var now = Instant(nanoseconds: 0)
        let end = now.advanced(by: .seconds(20))
        var granted: [Instant] = []
        while now < end {
            switch budget.take(at: now) {
            case .granted: granted.append(now)
            case .notBefore(let next):
                #expect(next > now)
                now = next
            case .busy: Issue.record("never busy")
            }
        }
        #expect(abs(Double(granted.count) - rate * 20) <= rate * 0.05 + 1)
        let most = max(1, Int(rate * 1.05)) + 1
        for (index, moment) in granted.enumerated() {
            let second = moment.advanced(by: .seconds(1))
            #expect(granted[index...].prefix { $0 < second }.count <= most)
        }
    }

    @Test func `new limits keep what is in flight`() {
        var budget = BudgetMachine(ServiceLimits(concurrency: 8))
        let now = Instant(nanoseconds: 0)
        for _ in 0..<4 { _ = budget.take(at: now) }
        var narrower = budget.with(ServiceLimits(concurrency: 2))
        #expect(narrower.inFlight == 4)
        let verdict = narrower.take(at: now)
        #expect(verdict == .busy)
    }
}
