import RunwatchCore
import Testing

@Suite struct DurationTextTests {
    @Test(
        arguments: [
            ("500ms", 500), ("2s", 2000), ("1m30s", 90_000), ("24h", 86_400_000),
            ("30d", 2_592_000_000), ("0", 0), ("0s", 0), ("1.5s", 1500),
            ("1d2h3m4s5ms", 93_784_005),
            ("90m", 5_400_000), ("0.0004s", 0), ("1.5h30m", 7_200_000),
            ("36500d", 3_153_600_000_000),
            ("007s", 7000),
        ] as [(String, Int64)])
    func `a duration is read`(_ text: String, _ milliseconds: Int64) {
        #expect(DurationText.parse(text) == .milliseconds(milliseconds))
    }

    @Test(arguments: [
        "", " ", "5", "00", "1", "s", "5 s", " 5s", "5s ", "-5s", "+5s", "5S", "5sec", "1e3s",
        ".5s",
        "5.s", "1.2.3s", "1s1m", "1s1s", "1s500", "36501d", "99999999999999999999d", "infs", "nans",
        "٣s", "5s\u{301}", "5µs", "1h-5m", "0x5s", "1_0s", "none",
    ])
    func `anything else is refused`(_ text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test(arguments: [
        (Duration.zero, "0s"), (.milliseconds(1), "1ms"), (.seconds(90), "1m30s"),
        (.seconds(86_400), "1d"), (.milliseconds(93_784_005), "1d2h3m4s5ms"),
        (.seconds(-5), "0s"), (.microseconds(999), "0s"),
    ])
    func `a duration is written`(_ duration: Duration, _ text: String) {
        #expect(DurationText.format(duration) == text)
    }

    @Test func `what is written reads alike`() {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<2000 {
            let limit = Int64(1) << Int64.random(in: 1...41, using: &generator)
            let duration = Duration.milliseconds(Int64.random(in: 0..<limit, using: &generator))
            #expect(DurationText.parse(DurationText.format(duration)) == duration)
        }
    }

    @Test(arguments: [
        (Duration.zero, "0ms"), (.milliseconds(999), "999ms"), (.milliseconds(1000), "1s"),
        (.milliseconds(1550), "1.5s"), (.milliseconds(9999), "9.9s"), (.seconds(10), "10s"),
        (.milliseconds(61_999), "1m1s"), (.seconds(3 * 86_400 + 7200 + 5), "3d2h"),
        (.seconds(-1), "0ms"),
    ])
    func `a glance is short`(_ duration: Duration, _ text: String) {
        #expect(DurationText.glance(duration) == text)
    }

    @Test func `the longest durations do no harm`() {
        let longest = Duration(secondsComponent: .max, attosecondsComponent: 0)
        #expect(longest.wholeMilliseconds == .max)
        #expect(longest.wholeNanoseconds == .max)
        #expect(!DurationText.format(longest).isEmpty)
        #expect(!DurationText.glance(longest).isEmpty)
        let least = Duration(secondsComponent: .min, attosecondsComponent: 0)
        #expect(least.wholeMilliseconds == .min)
        #expect(DurationText.format(least) == "0s")
    }
}
