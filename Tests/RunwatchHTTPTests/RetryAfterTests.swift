import RunwatchCore
import RunwatchHTTP
import Testing

@Suite struct RetryAfterTests {
    private let now = Timestamp(milliseconds: 1_790_000_000_000)  // September 2026
    private let moment = Timestamp(milliseconds: 784_111_777_000)

    private func parse(_ text: String) -> RetryHint? {
        RetryAfterParser.parse(text.utf8, now: now)
    }

    @Test(arguments: [
        ("0", 0), ("120", 120), (" 7\t", 7), ("00012", 12), ("3600", 3600),
        ("99999999999999999999999999", 1 << 31), ("9223372036854775807", 1 << 31),
    ])
    func `seconds are read, and bounded`(_ text: String, _ seconds: Int) {
        #expect(parse(text) == .after(.seconds(seconds)))
    }

    @Test(arguments: [
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994", " Sun, 06 Nov 1994 08:49:37 GMT ",
    ])
    func `the three forms of a date are one moment`(_ text: String) {
        #expect(parse(text) == .at(moment))
    }

    @Test func `a year of two digits is at most fifty years ahead`() {
        #expect(
            parse("Thursday, 01-Jan-76 00:00:00 GMT")
                == .at(Timestamp(milliseconds: 3_345_062_400_000)))
        #expect(
            parse("Saturday, 01-Jan-77 00:00:00 GMT")
                == .at(Timestamp(milliseconds: 220_924_800_000)))
    }

    @Test(arguments: [
        "", " ", "-1", "+1", "1.5", "1s", "0x10", "٣", "soon", "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 31 Feb 2026 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Non 1994 08:49:37 GMT", "Son, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT", "Sunday, 06-Nov-94", "Sun Nov 6 08:49 1994", "Sun", ",",
        "Sun,", ", , , , , ", "Sun, 06 Nov 1994 08:49:37.5 GMT", "Sun, 06 Nov 1994 08:49:3７ GMT",
        "1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37+01:00 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
    ])
    func `everything else is no hint`(_ text: String) {
        #expect(parse(text) == nil)
    }

    @Test func `noise is no hint and does no harm`() {
        var random = SeededGenerator(seed: 7)
        let alphabet = Array("0123456789SunMoNv,:- GMT\u{0}\u{ff}".utf8)
        for _ in 0..<20_000 {
            let noise = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
            }
            if case .at = RetryAfterParser.parse(noise, now: now) {
                Issue.record("read a date in \(noise)")
            }
        }
    }
}
