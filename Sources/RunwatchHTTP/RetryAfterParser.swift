package import RunwatchCore

/// Reads the value of `Retry-After`: a number of seconds, or a date in one of the three forms of HTTP
/// (RFC 9110, sections 5.6.7 and 10.2.3).
package enum RetryAfterParser {
    /// A longer wait than this many seconds is read as this many: 68 years.
    private static let longestWait: Int64 = 1 << 31

    /// The hint, or `nil` when the value is neither.
    ///
    /// - Parameter now: Tells which century a two-digit year means.
    package static func parse(_ value: some Sequence<UInt8>, now: Timestamp) -> RetryHint? {
        var bytes = Array(value)[...]
        while let first = bytes.first, first == 32 || first == 9 { bytes.removeFirst() }
        while let last = bytes.last, last == 32 || last == 9 { bytes.removeLast() }
        guard let first = bytes.first else { return nil }
        return isDigit(first) ? seconds(bytes) : date(bytes, now: now).map { .at($0) }
    }

    private static func seconds(_ bytes: ArraySlice<UInt8>) -> RetryHint? {
        var value: Int64 = 0
        for byte in bytes {
            guard isDigit(byte) else { return nil }
            value = min(longestWait, value * 10 + Int64(byte - 48))
        }
        return .after(.seconds(value))
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or
    /// `Sun Nov  6 08:49:37 1994`.
    private static func date(_ bytes: ArraySlice<UInt8>, now: Timestamp) -> Timestamp? {
        // No form is longer; bounds the work on a hostile value.
        guard bytes.count <= 40 else { return nil }
        let words = bytes.split(separator: 32)
        guard let dayName = words.first else { return nil }
        if dayName.last != UInt8(ascii: ",") {
            guard shortDays.contains(text(dayName)), words.count == 5 else { return nil }
            return moment(
                year: number(words[4], 4), month: month(words[1]),
                day: number(words[2], words[2].count == 1 ? 1 : 2), time: words[3])
        }
        let name = text(dayName.dropLast())
        if words.count == 6 {
            guard shortDays.contains(name), isGMT(words[5]) else { return nil }
            return moment(
                year: number(words[3], 4), month: month(words[2]), day: number(words[1], 2),
                time: words[4])
        }
        guard words.count == 4, longDays.contains(name), isGMT(words[3]) else { return nil }
        let parts = words[1].split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        return moment(
            year: fullYear(number(parts[2], 2), now: now), month: month(parts[1]),
            day: number(parts[0], 2), time: words[2])
    }

    private static func moment(
        year: Int?, month: Int?, day: Int?, time: ArraySlice<UInt8>
    ) -> Timestamp? {
        // Nothing but "hh:mm:ss": what is written without decimals and offsets has none.
        guard let year, let month, let day, time.count == 8 else { return nil }
        func padded(_ value: Int, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        // The same calendar, and the same care about 30 February, as everywhere else.
        return Timestamp(
            rfc3339: "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(text(time))Z")
    }

    /// The year with these last two digits that is at most 50 years ahead (RFC 9110, section 5.6.7).
    private static func fullYear(_ lastDigits: Int?, now: Timestamp) -> Int? {
        guard let lastDigits, let thisYear = Int(now.description.prefix(4)) else { return nil }
        let year = thisYear / 100 * 100 + lastDigits
        return year > thisYear + 50 ? year - 100 : year
    }

    private static func number(_ bytes: ArraySlice<UInt8>, _ count: Int) -> Int? {
        guard bytes.count == count, bytes.allSatisfy(isDigit) else { return nil }
        return bytes.reduce(0) { $0 * 10 + Int($1 - 48) }
    }

    private static func month(_ bytes: ArraySlice<UInt8>) -> Int? {
        months.firstIndex(of: text(bytes)).map { $0 + 1 }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }
    private static func isGMT(_ bytes: ArraySlice<UInt8>) -> Bool { text(bytes) == "GMT" }
    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes, as: UTF8.self)
    }

    private static let shortDays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    private static let longDays = [
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
    ]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
