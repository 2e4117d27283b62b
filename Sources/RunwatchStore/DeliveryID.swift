package import RunwatchCore

/// The `webhook-id` of a delivery: `msg_` and 26 characters of Crockford's base 32.
///
/// 48 bits of milliseconds, then 80 random bits: IDs sort by time, and nobody guesses one.
package enum DeliveryID {
    private static let digits = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    package static func make(
        at moment: Timestamp, using generator: inout some RandomNumberGenerator
    ) -> String {
        var time = UInt64(clamping: moment.milliseconds) & 0xFFFF_FFFF_FFFF
        var low = UInt64.random(in: 0..<1 << 40, using: &generator)
        var high = UInt64.random(in: 0..<1 << 40, using: &generator)
        // From the right: eight digits of each random half, ten of the time.
        var text = [UInt8](repeating: 0, count: 26)
        for index in stride(from: 25, through: 18, by: -1) {
            text[index] = digits[Int(low & 31)]
            low >>= 5
        }
        for index in stride(from: 17, through: 10, by: -1) {
            text[index] = digits[Int(high & 31)]
            high >>= 5
        }
        for index in stride(from: 9, through: 0, by: -1) {
            text[index] = digits[Int(time & 31)]
            time >>= 5
        }
        return "msg_" + String(decoding: text, as: UTF8.self)
    }
}

/// Finds what a disk or a memory chip changed: SQLite does not see a flipped bit.
enum Checksum {
    /// FNV-1a with 64 bits, as SQL's signed number.
    static func of(_ bytes: [UInt8]) -> Int64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes {
            hash ^= UInt64(byte)
            hash &*= 0x100_0000_01B3
        }
        return Int64(bitPattern: hash)
    }
}
