import RunwatchControl
import RunwatchCore
import Testing

@Suite struct AgeTextTests {
    @Test(arguments: [
        (Duration.zero, "now"), (.milliseconds(999), "now"), (.seconds(12), "12s ago"),
        (.seconds(200), "3m ago"), (.seconds(4320), "1h12m ago"), (.seconds(7200), "2h ago"),
        (.seconds(3 * 86_400 + 4 * 3600 + 59), "3d4h ago"), (.seconds(-5), "in 5s"),
        (.milliseconds(-999), "now"), (.seconds(-90_000), "in 1d1h"),
    ])
    func `a moment is told by its distance`(ago: Duration, text: String) {
        #expect(AgeText.relative(Samples.ago(ago), now: Samples.noon) == text)
    }

    @Test func `what is planned and has passed is due`() {
        #expect(AgeText.planned(Samples.ago(.seconds(5)), now: Samples.noon) == "due")
        #expect(AgeText.planned(Samples.ago(.seconds(-5)), now: Samples.noon) == "in 5s")
    }

    @Test func `moments at the ends of time are told as well`() {
        let first = Timestamp(milliseconds: .min)
        let last = Timestamp(milliseconds: .max)
        #expect(AgeText.relative(first, now: last).hasSuffix("ago"))
        #expect(AgeText.relative(last, now: first).hasPrefix("in "))
    }
}
