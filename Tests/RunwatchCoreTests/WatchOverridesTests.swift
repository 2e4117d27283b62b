import RunwatchCore
import Testing

@Suite struct WatchOverridesTests {
    private let defaults = WatchSettings(
        poll: PollSettings(
            initial: .seconds(2), factor: 1.5, maximum: .seconds(60), jitter: 0.2),
        deadline: .seconds(100), pendingAfter: .seconds(10), stallAfter: .seconds(20),
        notFoundGrace: .seconds(30), notify: ["log"])

    @Test func `what is not asked for is left to the defaults`() {
        #expect(WatchOverrides().over(defaults) == defaults)
        #expect(WatchOverrides().isEmpty)
    }

    @Test func `what is asked for goes before the defaults, key by key`() {
        var asked = WatchOverrides()
        asked.maximum = .seconds(5)
        asked.deadline = TimeLimit.none
        asked.stallAfter = .after(.seconds(7))
        asked.notify = []
        let settings = asked.over(defaults)
        #expect(settings.poll.initial == .seconds(2))
        #expect(settings.poll.maximum == .seconds(5))
        #expect(settings.deadline == nil)
        #expect(settings.pendingAfter == .seconds(10))
        #expect(settings.stallAfter == .seconds(7))
        #expect(settings.notify.isEmpty)
    }

    @Test func `a default that no longer fits gives way`() {
        var short = WatchOverrides()
        short.maximum = .seconds(1)
        #expect(short.over(defaults).poll.initial == .seconds(1))
        #expect(short.over(defaults).poll.maximum == .seconds(1))
        var long = WatchOverrides()
        long.initial = .seconds(90)
        #expect(long.over(defaults).poll.initial == .seconds(90))
        #expect(long.over(defaults).poll.maximum == .seconds(90))
    }

    @Test func `requests differ in the keys in which they do, to the byte`() {
        var one = WatchRequest(service: "s", label: "\u{E9}", parameters: ["pipeline": "p"])
        var other = one
        #expect(one.difference(from: other).isEmpty)
        other.label = "e\u{301}"
        #expect(one.difference(from: other) == ["label"])
        other.overrides.factor = 2
        other.overrides.deadline = TimeLimit.none
        other.parameters = [:]
        #expect(one.difference(from: other) == ["label", "pipeline", "poll", "deadline"])
        #expect(!one.isPlain)
        one.label = nil
        one.parameters = [:]
        #expect(one.isPlain)
    }
}
