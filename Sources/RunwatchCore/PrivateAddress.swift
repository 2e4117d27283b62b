/// Which addresses of the Internet Protocol are not of the public Internet, so that nobody outside may make
/// us connect to them.
///
/// They are what IANA's registries of special-purpose addresses (RFC 6890) do not call globally reachable,
/// and besides all multicast and everything that was never given out. An IPv6 address that stands for an IPv4
/// address is judged by that. Not seen through is a network's own prefix for NAT64 (RFC 6052, section
/// 2.2): it looks like any other address of that network.
package enum PrivateAddress {
    private struct Block4 {
        var prefix: UInt32
        var length: UInt32

        init(_ a: UInt32, _ b: UInt32, _ c: UInt32, _ length: UInt32) {
            prefix = a << 24 | b << 16 | c << 8
            self.length = length
        }

        func contains(_ address: UInt32) -> Bool { (address ^ prefix) >> (32 - length) == 0 }
    }

    private struct Block6 {
        var prefix: UInt128
        var length: UInt128

        /// - Parameter start: The first 64 bits; no block here is longer than 96, and longer ones have
        ///   zeros from there.
        init(_ start: UInt64, _ length: UInt128) {
            prefix = UInt128(start) << 64
            self.length = length
        }

        func contains(_ address: UInt128) -> Bool { (address ^ prefix) >> (128 - length) == 0 }
    }

    private static let blocks4 = [
        Block4(0, 0, 0, 8),  // "this network", unspecified: RFC 1122, section 3.2.1.3
        Block4(10, 0, 0, 8),  // private: RFC 1918
        Block4(100, 64, 0, 10),  // behind a provider's NAT (CGNAT): RFC 6598
        Block4(127, 0, 0, 8),  // loopback: RFC 1122, section 3.2.1.3
        Block4(169, 254, 0, 16),  // link-local, clouds' metadata among it: RFC 3927
        Block4(172, 16, 0, 12),  // private: RFC 1918
        Block4(192, 0, 0, 24),  // protocol assignments: RFC 6890, section 2.1
        Block4(192, 0, 2, 24),  // documentation: RFC 5737
        Block4(192, 88, 99, 24),  // relays of 6to4, given up: RFC 7526
        Block4(192, 168, 0, 16),  // private: RFC 1918
        Block4(198, 18, 0, 15),  // benchmarks: RFC 2544
        Block4(198, 51, 100, 24),  // documentation: RFC 5737
        Block4(203, 0, 113, 24),  // documentation: RFC 5737
        Block4(224, 0, 0, 4),  // multicast: RFC 5771
        Block4(240, 0, 0, 4),  // reserved, and broadcast: RFC 1112, section 4; RFC 919
    ]

    /// The only block of global unicast addresses (RFC 4291, section 2.4, and IANA's registry).
    ///
    /// Outside are among others `::` and `::1` (RFC 4291), IPv4-compatible addresses (RFC 4291, section
    /// 2.5.5.1), `64:ff9b:1::/48` (RFC 8215), `100::/64` (RFC 6666), `5f00::/16` (RFC 9602), `fc00::/7` (RFC
    /// 4193), `fe80::/10` (RFC 4291), `fec0::/10` (RFC 3879) and `ff00::/8` (RFC 4291).
    private static let globalUnicast = Block6(0x2000_0000_0000_0000, 3)
    private static let blocks6 = [
        Block6(0x2001_0000_0000_0000, 23),  // protocol assignments: RFC 2928
        Block6(0x2001_0DB8_0000_0000, 32),  // documentation: RFC 3849
        Block6(0x3FFF_0000_0000_0000, 20),  // documentation: RFC 9637
    ]
    /// NAT64's prefix for all: the IPv4 address is the end (RFC 6052, section 2.1).
    private static let translated = Block6(0x0064_FF9B_0000_0000, 96)
    /// 6to4: the IPv4 address follows the prefix (RFC 3056, section 2).
    private static let relayed = Block6(0x2002_0000_0000_0000, 16)
    /// Teredo: the server's IPv4 address follows the prefix, the client's is the end, inverted (RFC 4380,
    /// section 4).
    private static let tunnelled = Block6(0x2001_0000_0000_0000, 32)

    /// Whether an IPv4 address is not of the public Internet.
    ///
    /// - Parameter address: The first number in the highest byte: 127.0.0.1 is `0x7F00_0001`.
    package static func contains(v4 address: UInt32) -> Bool {
        blocks4.contains { $0.contains(address) }
    }

    /// Whether an IPv6 address is not of the public Internet.
    ///
    /// - Parameter address: The first number in the highest bits: `::1` is 1.
    package static func contains(v6 address: UInt128) -> Bool {
        let end = UInt32(truncatingIfNeeded: address)
        // IPv4-mapped, which a socket takes for the IPv4 address (RFC 4291, section 2.5.5.2).
        if address >> 32 == 0xFFFF { return contains(v4: end) }
        if translated.contains(address) { return contains(v4: end) }
        if relayed.contains(address) {
            return contains(v4: UInt32(truncatingIfNeeded: address >> 80))
        }
        if tunnelled.contains(address) {
            return contains(v4: UInt32(truncatingIfNeeded: address >> 64)) || contains(v4: ~end)
        }
        return !globalUnicast.contains(address) || blocks6.contains { $0.contains(address) }
    }
}
