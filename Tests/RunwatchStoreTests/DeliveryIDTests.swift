import RunwatchCore
import Testing

@testable import RunwatchStore

@Suite struct DeliveryIDTests {
    @Test func `an ID has 26 characters of Crockford's base 32 after its mark`() {
        var generator = SeededGenerator(seed: 1)
        let allowed = Set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        for _ in 0..<1000 {
            let id = DeliveryID.make(at: moment(), using: &generator)
            #expect(id.hasPrefix("msg_"))
            #expect(id.dropFirst(4).count == 26)
            #expect(id.dropFirst(4).allSatisfy { allowed.contains($0) })
        }
    }

    @Test func `the first ten characters are the time, as a ULID has them`() {
        var generator = SeededGenerator(seed: 1)
        // The example of the ULID specification.
        let id = DeliveryID.make(
            at: Timestamp(milliseconds: 1_469_918_176_385), using: &generator)
        #expect(id.dropFirst(4).prefix(10) == "01ARYZ6S41")
    }

    @Test func `IDs sort by time and are never the same`() {
        var generator = SystemRandomNumberGenerator()
        let ids = (0..<1000).map { DeliveryID.make(at: moment(Int64($0)), using: &generator) }
        #expect(ids == ids.sorted())
        let same = (0..<1000).map { _ in DeliveryID.make(at: moment(), using: &generator) }
        #expect(Set(same).count == 1000)
    }

    @Test func `a time before 1970 or after the year 10889 is no harm`() {
        var generator = SeededGenerator(seed: 1)
        for milliseconds in [Int64.min, -1, .max] {
            let id = DeliveryID.make(at: Timestamp(milliseconds: milliseconds), using: &generator)
            #expect(id.utf8.count == 30)
        }
    }

    @Test(arguments: [
        ("", 0xCBF2_9CE4_8422_2325 as UInt64), ("a", 0xAF63_DC4C_8601_EC8C),
        ("foobar", 0x8594_4171_F739_67E8),
    ])
    func `the checksum is FNV-1a`(_ text: String, _ expected: UInt64) {
        #expect(Checksum.of(Array(text.utf8)) == Int64(bitPattern: expected))
    }
}
