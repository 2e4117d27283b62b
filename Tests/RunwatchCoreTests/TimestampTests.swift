import RunwatchCore
import Testing

@Suite struct TimestampTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (1_795_336_200_123, "2026-11-22T08:30:00.123Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
    ])
    func `a moment is written and read`(_ milliseconds: Int64, _ text: String) {
        #expect(Timestamp(milliseconds: milliseconds).description == text)
        #expect(Timestamp(rfc3339: text) == Timestamp(milliseconds: milliseconds))
    }

    @Test func `moments that the form cannot write are shown as the nearest`() {
        for milliseconds: Int64 in [.max, .max - 1, 253_402_300_800_000] {
            #expect(
                Timestamp(milliseconds: milliseconds).description == "9999-12-31T23:59:59.999Z")
        }
        for milliseconds: Int64 in [.min, .min + 1, -62_167_219_200_001] {
            #expect(
                Timestamp(milliseconds: milliseconds).description == "0000-01-01T00:00:00.000Z")
        }
    }

    @Test(arguments: [
        ("2026-11-22T08:30:00Z", 1_795_336_200_000), ("2026-11-22t08:30:00z", 1_795_336_200_000),
        ("2026-11-22 08:30:00Z", 1_795_336_200_000),
        ("2026-11-22T09:30:00+01:00", 1_795_336_200_000),
        ("2026-11-21T23:00:00.5-09:30", 1_795_336_200_500),
        ("2026-11-22T08:30:00.123456789Z", 1_795_336_200_123),
        ("2026-12-31T23:59:60Z", 1_798_761_600_000), ("2024-02-29T00:00:00Z", 1_709_164_800_000),
    ])
    func `other forms of RFC 3339 are read`(_ text: String, _ milliseconds: Int64) {
        #expect(Timestamp(rfc3339: text) == Timestamp(milliseconds: milliseconds))
    }

    @Test(arguments: [
        "", "2026-11-22", "2026-11-22T08:30:00", "2026-11-22T08:30Z", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z", "2026-11-22T24:00:00Z",
        "2026-11-22T08:60:00Z", "2026-11-22T08:30:61Z", "2026-11-22T08:30:00.Z",
        "2026-11-22T08:30:00.1234567890Z", "2026-11-22T08:30:00.1", "2026-11-22T08:30:00+0100",
        "2026-11-22T08:30:00+24:00", "2026-11-22T08:30:00+01:60", "2026-11-22T08:30:00Z ",
        "2026-11-22T08:30:00ZZ", "+026-11-22T08:30:00Z", "2026/11/22T08:30:00Z",
        "2026-11-22X08:30:00Z", "٢026-11-22T08:30:00Z", "2026-11-22T08:30:00+",
    ])
    func `anything else is refused`(_ text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test func `every day of 800 years is written and read alike`() {
        var day: Int64 = -400 * 366
        while day < 400 * 366 {
            let moment = Timestamp(milliseconds: day * 86_400_000 + 43_199_001)
            #expect(Timestamp(rfc3339: moment.description) == moment)
            day += 1
        }
    }

    @Test func `moments are moved and compared, and never overflow`() {
        let moment = Timestamp(milliseconds: 1000)
        #expect(moment.advanced(by: .milliseconds(-1500)) == Timestamp(milliseconds: -500))
        #expect(moment.duration(to: Timestamp(milliseconds: 400)) == .milliseconds(-600))
        #expect(Timestamp(milliseconds: .max).advanced(by: .seconds(1)).milliseconds == .max)
        #expect(Timestamp(milliseconds: .min).advanced(by: .seconds(-1)).milliseconds == .min)
        #expect(
            Timestamp(milliseconds: .min).duration(to: Timestamp(milliseconds: .max))
                == .milliseconds(Int64.max))
        #expect(Timestamp(milliseconds: 1) < Timestamp(milliseconds: 2))
    }
}
