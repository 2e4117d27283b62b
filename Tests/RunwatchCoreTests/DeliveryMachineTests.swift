import RunwatchCore
import Testing

@Suite struct DeliveryMachineTests {
    static let webhook = DeliveryMachine.Policy(
        retry: ReceiverSettings.standardRetry, familiars: 16, longestPause: .seconds(30))

    /// A machine, a generator and a clock that the test moves.
    struct Bench {
        var machine: DeliveryMachine
        var generator = SeededGenerator(seed: 7)
        var now = Instant(nanoseconds: 1_000_000_000)

        init(_ policy: DeliveryMachine.Policy = DeliveryMachineTests.webhook) {
            machine = DeliveryMachine(policy: policy)
        }

        mutating func attempt(
            _ id: String, attempts: Int = 0, _ outcome: DeliveryMachine.Outcome
        ) -> DeliveryMachine.Verdict {
            machine.started(id)
            return end(id, attempts: attempts, outcome)
        }

        mutating func end(
            _ id: String, attempts: Int = 0, _ outcome: DeliveryMachine.Outcome
        ) -> DeliveryMachine.Verdict {
            machine.ended(id, attempts: attempts, outcome, at: now, using: &generator)
        }
    }

    // MARK: A delivery

    @Test func `what was delivered is delivered`() {
        var bench = Bench()
        #expect(bench.attempt("a", .delivered) == .delivered)
        #expect(bench.machine.health == .open)
    }

    @Test(arguments: 0..<9)
    func `each wait is the schedule's, lengthened by at most a tenth`(attempts: Int) throws {
        var bench = Bench()
        let wait = ReceiverSettings.standardRetry[attempts + 1]
        var waits: Set<Duration> = []
        for _ in 0..<200 {
            guard
                case .retry(let after) = bench.attempt(
                    "a", attempts: attempts, .later(hint: nil))
            else {
                Issue.record("not tried again")
                return
            }
            #expect(after >= wait && after < wait * 1.1)
            waits.insert(after)
        }
        #expect(waits.count > 100, "no jitter")
    }

    @Test(arguments: [9, 10, 500])
    func `after the last attempt the delivery has failed`(attempts: Int) {
        var bench = Bench()
        #expect(bench.attempt("a", attempts: attempts, .later(hint: nil)) == .failed)
    }

    @Test func `a schedule of its own has as many attempts as entries`() {
        var bench = Bench(
            .init(
                retry: [.zero, .seconds(5), .seconds(60)], familiars: 16,
                longestPause: .seconds(30)))
        #expect(bench.attempt("a", attempts: 0, .later(hint: nil)).isRetry)
        #expect(bench.attempt("a", attempts: 1, .later(hint: nil)).isRetry)
        #expect(bench.attempt("a", attempts: 2, .later(hint: nil)) == .failed)
    }

    @Test func `an empty schedule fails at the first attempt and does not crash`() {
        var bench = Bench(.init(retry: [], familiars: 16, longestPause: .seconds(30)))
        #expect(bench.attempt("a", .later(hint: nil)) == .failed)
        #expect(bench.machine.firstWait(using: &bench.generator) == .zero)
    }

    @Test func `the wait before the first attempt is the schedule's first`() {
        var bench = Bench(
            .init(retry: [.seconds(10)], familiars: 16, longestPause: .seconds(30)))
        let wait = bench.machine.firstWait(using: &bench.generator)
        #expect(wait >= .seconds(10) && wait < .seconds(11))
    }

    @Test(arguments: [
        (Duration.seconds(3), Duration.seconds(5)), (.seconds(40), .seconds(40)),
        (.seconds(1_000_000), .seconds(86_400)), (.seconds(-5), .seconds(5)),
    ])
    func `the receiver's wish is a lower bound, of a day at most`(
        hint: Duration, least: Duration
    ) {
        var bench = Bench()
        guard case .retry(let after) = bench.attempt("a", .later(hint: hint)) else {
            Issue.record("not tried again")
            return
        }
        #expect(after >= least && after <= least * 1.1)
    }

    @Test func `what a stop cut short is no attempt`() {
        var bench = Bench()
        #expect(bench.attempt("a", .abandoned) == .keep)
        #expect(bench.machine.health == .open)
    }

    @Test func `a delivery that is never given up is recorded once in a row of failures`() {
        var bench = Bench(.init(retry: nil, familiars: 0, longestPause: .seconds(5)))
        #expect(bench.attempt("a", .later(hint: nil)) == .stillDue)
        for attempts in 1..<1000 {
            #expect(bench.attempt("a", attempts: attempts, .later(hint: nil)) == .keep)
        }
        #expect(bench.attempt("a", attempts: 1000, .delivered) == .delivered)
        #expect(bench.attempt("b", .later(hint: nil)) == .stillDue)
    }

    // MARK: 410

    @Test func `410 disables the receiver until the reload, and the delivery stays`() {
        var bench = Bench()
        #expect(bench.attempt("a", attempts: 9, .refusedForGood) == .stillDue)
        #expect(bench.machine.health == .disabled)
        bench.now = bench.now.advanced(by: .seconds(1_000_000))
        #expect(!bench.machine.mayAdmit(at: bench.now))
        #expect(!bench.machine.admits("a", at: bench.now))
        #expect(bench.machine.nextAdmission == nil)
        bench.machine.reloaded()
        #expect(bench.machine.admits("a", at: bench.now))
    }

    @Test func `what was under way when 410 came does not enable the receiver`() {
        var bench = Bench()
        bench.machine.started("a")
        bench.machine.started("b")
        bench.machine.started("c")
        #expect(bench.end("a", .refusedForGood) == .stillDue)
        #expect(bench.end("b", .delivered) == .delivered)
        #expect(bench.end("c", .later(hint: nil)).isRetry)
        #expect(bench.machine.health == .disabled)
    }

    // MARK: A receiver that fails

    @Test func `with few pending, each keeps its own schedule to the moment`() {
        var bench = Bench(
            .init(
                retry: [.zero, .seconds(5), .seconds(60)], familiars: 16,
                longestPause: .seconds(30)))
        let ids = (0..<16).map { "d\($0)" }
        for attempts in 0..<2 {
            var latest = Duration.zero
            for id in ids {
                #expect(bench.machine.admits(id, at: bench.now))
                guard
                    case .retry(let wait) = bench.attempt(id, attempts: attempts, .later(hint: nil))
                else {
                    Issue.record("not tried again")
                    return
                }
                latest = max(latest, wait)
            }
            bench.now = bench.now.advanced(by: latest)
        }
        for id in ids { #expect(bench.attempt(id, attempts: 2, .later(hint: nil)) == .failed) }
    }

    @Test func `a new delivery is attempted at once while few others fail`() {
        var bench = Bench()
        for id in ["a", "b", "c"] { _ = bench.attempt(id, .later(hint: nil)) }
        #expect(bench.machine.health == .failing)
        #expect(bench.machine.admits("new", at: bench.now))
    }

    @Test func `a dead receiver is not tried once for each of a hundred thousand deliveries`() {
        var bench = Bench()
        let start = bench.now
        var attempts = 0
        var fresh = 0
        while start.duration(to: bench.now) < .seconds(3600) {
            let id = "d\(fresh)"
            if bench.machine.admits(id, at: bench.now) {
                _ = bench.attempt(id, .later(hint: nil))
                attempts += 1
                fresh += 1
            } else {
                // Nothing of the first ones is ever found again: the worst case.
                bench.machine.looked(found: [], at: bench.now)
                guard let next = bench.machine.nextAdmission else { break }
                bench.now = max(bench.now.advanced(by: .milliseconds(1)), next)
            }
        }
        #expect(attempts > 100, "probes go on for as long as it takes")
        #expect(attempts < 600)
    }

    @Test func `probes go one at a time, with a pause that grows to its limit`() {
        var bench = Bench()
        for index in 0..<16 { _ = bench.attempt("f\(index)", .later(hint: .seconds(80_000))) }
        // The wish to wait holds the others up too, but not for a day.
        #expect(!bench.machine.admits("x", at: bench.now.advanced(by: .seconds(3599))))
        bench.now = bench.now.advanced(by: .seconds(3600))
        var pauses: [Duration] = []
        for index in 0..<8 {
            #expect(bench.machine.admits("p\(index)", at: bench.now))
            bench.machine.started("p\(index)")
            #expect(!bench.machine.admits("q", at: bench.now), "a second probe")
            _ = bench.end("p\(index)", .later(hint: nil))
            #expect(!bench.machine.mayAdmit(at: bench.now))
            let next = bench.machine.nextAdmission ?? bench.now
            pauses.append(bench.now.duration(to: next))
            bench.now = next
        }
        #expect(pauses == [2, 4, 8, 16, 30, 30, 30, 30].map { .seconds($0) })
    }

    @Test func `one that asks to wait is left alone, by everything but a person's wish`() {
        var bench = Bench()
        bench.machine.started("a")
        bench.machine.started("b")
        #expect(bench.end("a", .later(hint: .seconds(20))).isRetry)
        // Few are pending and would keep their own schedule, and one that was under way succeeds.
        #expect(bench.end("b", .delivered) == .delivered)
        #expect(bench.machine.health == .open)
        #expect(!bench.machine.mayAdmit(at: bench.now) && !bench.machine.admits("c", at: bench.now))
        let next = bench.now.advanced(by: .seconds(20))
        #expect(bench.machine.nextAdmission == next)
        #expect(bench.machine.admits("c", at: next))
        bench.machine.encouraged(at: bench.now)
        #expect(bench.machine.admits("c", at: bench.now))
    }

    @Test func `the first success opens the receiver for all`() {
        var bench = Bench()
        for index in 0..<16 { _ = bench.attempt("f\(index)", .later(hint: nil)) }
        #expect(!bench.machine.admits("x", at: bench.now))
        bench.now = bench.now.advanced(by: .seconds(1))
        #expect(bench.attempt("x", .delivered) == .delivered)
        for index in 0..<1000 { #expect(bench.machine.admits("y\(index)", at: bench.now)) }
    }

    @Test func `what was under way when the first failed keeps its schedule too`() {
        var bench = Bench()
        for index in 0..<16 { bench.machine.started("d\(index)") }
        _ = bench.end("d0", .later(hint: nil))
        #expect(!bench.machine.admits("another", at: bench.now), "no seventeenth")
        for index in 1..<16 { _ = bench.end("d\(index)", .later(hint: nil)) }
        bench.now = bench.now.advanced(by: .milliseconds(5501))
        bench.machine.started("probe")
        for index in 0..<16 { #expect(bench.machine.admits("d\(index)", at: bench.now)) }
    }

    @Test func `what is due and not found is forgotten, and its place is kept free`() {
        var bench = Bench()
        for index in 0..<16 { _ = bench.attempt("d\(index)", .later(hint: nil)) }
        bench.machine.started("probe")
        bench.now = bench.now.advanced(by: .milliseconds(5501))
        #expect(bench.machine.mayAdmit(at: bench.now))
        bench.machine.looked(found: ["d1"], at: bench.now)
        #expect(bench.machine.admits("d1", at: bench.now))
        #expect(!bench.machine.admits("d2", at: bench.now))
        #expect(!bench.machine.admits("other", at: bench.now))
        _ = bench.end("probe", .delivered)
        #expect(bench.machine.admits("d2", at: bench.now))
    }

    @Test func `a receiver without familiars tries one delivery at a time while it fails`() {
        var bench = Bench(.init(retry: nil, familiars: 0, longestPause: .seconds(5)))
        _ = bench.attempt("a", .later(hint: nil))
        #expect(!bench.machine.admits("a", at: bench.now))
        var waited: [Duration] = []
        for _ in 0..<5 {
            let next = bench.machine.nextAdmission ?? bench.now
            waited.append(bench.now.duration(to: next))
            bench.now = next
            #expect(bench.attempt("a", .later(hint: nil)) == .keep)
        }
        #expect(waited == [1, 2, 4, 5, 5].map { .seconds($0) })
    }

    @Test func `random outcomes never lock a receiver up for good`() {
        var chance = SeededGenerator(seed: 99)
        for seed in 0..<50 as Range<UInt64> {
            var bench = Bench()
            bench.generator = SeededGenerator(seed: seed)
            var flying: [String] = []
            for step in 0..<2000 {
                let id = "s\(step)"
                if chance.unit() < 0.6, bench.machine.admits(id, at: bench.now) {
                    bench.machine.started(id)
                    flying.append(id)
                } else if !flying.isEmpty {
                    let id = flying.remove(at: Int.random(in: 0..<flying.count, using: &chance))
                    let outcome: DeliveryMachine.Outcome =
                        chance.unit() < 0.3
                        ? .delivered : chance.unit() < 0.1 ? .abandoned : .later(hint: nil)
                    _ = bench.end(id, outcome)
                } else {
                    bench.machine.looked(found: [], at: bench.now)
                    bench.now = bench.now.advanced(by: .milliseconds(500))
                }
            }
            for id in flying { _ = bench.end(id, .later(hint: nil)) }
            bench.now = bench.now.advanced(by: .seconds(7200))
            #expect(bench.machine.admits("last", at: bench.now))
        }
    }
}

extension DeliveryMachine.Verdict {
    var isRetry: Bool { if case .retry = self { true } else { false } }
}
