import RunwatchCore
import Testing

@Suite struct ServiceHealthMachineTests {
    final class Story {
        var machine = ServiceHealthMachine()
        var now = Instant(nanoseconds: 0)

        func succeed() -> ServiceHealthMachine.Turn? { machine.succeeded() }

        func fail(
            _ reason: PollFailureReason = .connection, after wait: Duration = .seconds(200),
            hint: Duration? = nil, unit: Double = 0.5
        ) -> ServiceHealthMachine.Turn? {
            now = now.advanced(by: wait)
            machine.polled()
            return machine.failed(
                reason, message: "no", startedAt: now, at: now, hint: hint, unit: unit)
        }

        func pause() -> Duration? {
            guard case .notBefore(let moment) = machine.permission(at: now) else { return nil }
            return now.duration(to: moment)
        }
    }

    @Test func `three failures in a row make a service down, told once`() {
        let story = Story()
        #expect(story.fail() == nil)
        #expect(story.machine.health == .degraded)
        #expect(story.fail() == nil)
        #expect(story.fail() == .wentDown)
        #expect(story.machine.health == .down)
        #expect(story.fail() == nil)
        #expect(story.succeed() == .cameUp)
        #expect(story.machine.health == .up)
        #expect(story.succeed() == nil)
    }

    @Test func `two failures and a good answer are nothing to tell`() {
        let story = Story()
        _ = story.fail()
        _ = story.fail()
        #expect(story.succeed() == nil)
        _ = story.fail()
        _ = story.fail()
        #expect(story.machine.health == .degraded)
    }

    @Test func `requests that were in flight together fail as one`() {
        let story = Story()
        story.now = story.now.advanced(by: .seconds(10))
        let started = story.now.advanced(by: .seconds(-1))
        for _ in 0..<8 {
            let turn = story.machine.failed(
                .connection, message: "reset", startedAt: started, at: story.now, hint: nil,
                unit: 0.5)
            #expect(turn == nil)
        }
        #expect(story.machine.failuresInARow == 1)
    }

    @Test func `a failure alone holds up nobody else`() {
        let story = Story()
        _ = story.fail()
        #expect(story.machine.health == .degraded)
        #expect(story.machine.permission(at: story.now) == .granted)
        story.machine.polled()
        #expect(story.machine.permission(at: story.now) == .granted)
    }

    @Test func `one that is throttled pauses the service at once`() {
        let story = Story()
        _ = story.fail(.throttled)
        #expect(story.pause() == .milliseconds(500))
    }

    @Test func `one probe at a time while a service is not up`() {
        let story = Story()
        _ = story.fail()
        _ = story.fail()
        let later = story.now.advanced(by: .seconds(5))
        #expect(story.machine.permission(at: later) == .granted)
        story.machine.polled()
        #expect(story.machine.permission(at: later) == .afterProbe)
        _ = story.succeed()
        #expect(story.machine.permission(at: later) == .granted)
    }

    @Test func `a failure from before the probe does not end it`() {
        let story = Story()
        _ = story.fail()
        let before = story.now
        _ = story.fail()
        let later = story.now.advanced(by: .seconds(5))
        story.machine.polled()
        _ = story.machine.failed(
            .connection, message: "no", startedAt: before, at: later, hint: nil, unit: 0.5)
        #expect(story.machine.permission(at: later) == .afterProbe)
    }

    @Test func `the pause doubles to two minutes, with full jitter`() {
        let story = Story()
        var longest: [Duration] = []
        _ = story.fail()
        for _ in 0..<10 {
            _ = story.fail(unit: 0.999_999)
            longest.append(story.pause() ?? .zero)
        }
        let seconds = longest.map { ($0.inSeconds + 0.001).rounded() }
        #expect(seconds == [1, 2, 4, 8, 16, 32, 64, 120, 120, 120])
        _ = story.fail(unit: 0)
        #expect(story.pause() == .milliseconds(100))
    }

    @Test func `a hint pauses the service, past a good answer and up to an hour`() {
        let story = Story()
        _ = story.fail(.throttled, hint: .seconds(30))
        #expect(story.pause() == .seconds(30))
        _ = story.succeed()
        #expect(story.pause() == .seconds(30))
        _ = story.fail(.unavailable, hint: .seconds(86_400))
        #expect(story.pause() == .seconds(3600))
    }

    @Test func `credentials that are refused twice are told, and probed once a minute`() {
        let story = Story()
        // Once may be a gateway's mood.
        #expect(story.fail(.unauthorized) == nil)
        #expect(story.machine.permission(at: story.now) == .granted)
        #expect(story.fail(.unauthorized) == .wentDown)
        #expect(story.machine.health == .down)
        #expect(story.pause() == .seconds(60))
        #expect(story.fail(.unauthorized) == nil)
        // Whatever goes wrong next, it is not better before an answer is good.
        #expect(story.fail(.unavailable) == nil)
        #expect(story.machine.health == .down)
        #expect(story.succeed() == .cameUp)
    }

    @Test func `an outage that was told before a restart is not told again`() {
        let story = Story()
        story.machine = ServiceHealthMachine(wasToldDown: true)
        #expect(story.machine.permission(at: story.now) == .granted)
        #expect(story.fail() == nil)
        #expect(story.succeed() == .cameUp)
    }
}
