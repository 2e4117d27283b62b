import RunwatchCore
import Testing

@Suite struct BackoffTests {
    let settings = PollSettings(
        initial: .seconds(2), factor: 1.5, maximum: .seconds(60), jitter: 0)

    @Test(arguments: [(0, 2000), (1, 3000), (2, 4500), (3, 6750), (8, 51257), (9, 60000)])
    func `the wait grows by the factor up to the maximum`(step: Int, milliseconds: Int64) {
        let wait = Backoff.wait(settings, step: step, unit: 0.3)
        #expect(abs(wait.wholeMilliseconds - milliseconds) <= 1)
    }

    @Test func `a watch of years does not overflow`() {
        #expect(Backoff.wait(settings, step: .max, unit: 0.5) == .seconds(60))
        var flat = settings
        flat.factor = 1
        #expect(Backoff.wait(flat, step: .max, unit: 0.5) == .seconds(2))
    }

    @Test func `jitter spreads both ways and never passes the maximum`() {
        var jittered = settings
        jittered.jitter = 0.1
        var generator = SeededGenerator(seed: 7)
        var waits: [Int64] = []
        for _ in 0..<2000 {
            let early = Backoff.wait(jittered, step: 0, unit: generator.unit())
            #expect(early >= .milliseconds(1800) && early <= .milliseconds(2200))
            waits.append(early.wholeMilliseconds)
            let late = Backoff.wait(jittered, step: 100, unit: generator.unit())
            #expect(late > .seconds(53) && late <= .seconds(60))
        }
        #expect(waits.min().map { $0 < 1850 } == true)
        #expect(waits.max().map { $0 > 2150 } == true)
    }

    @Test func `a wait is never zero, even with full jitter`() {
        var wild = settings
        wild.jitter = 1
        #expect(Backoff.wait(wild, step: 0, unit: 0) > .zero)
    }

    @Test func `names spread over the whole first interval, always in the same place`() {
        var quarters = [0, 0, 0, 0]
        for run in 0..<4000 {
            let name = WatchName(service: "warehouse", run: "\(run)")
            let phase = Backoff.phase(of: name, in: settings)
            #expect(phase >= .zero && phase < .seconds(2))
            #expect(phase == Backoff.phase(of: name, in: settings))
            quarters[Int(phase.wholeMilliseconds / 500)] += 1
        }
        #expect(quarters.allSatisfy { $0 > 800 && $0 < 1200 })
    }
}
