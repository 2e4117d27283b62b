/// Where a TCP listener stands: an address of the Internet Protocol, and a port.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    package enum Host: Hashable, Sendable {
        /// The first number in the highest byte: 127.0.0.1 is `0x7F00_0001`.
        case v4(UInt32)
        /// The first number in the highest bits: `::1` is 1.
        case v6(UInt128)
    }

    package var host: Host
    /// 0 for any free one.
    package var port: UInt16

    package init(host: Host, port: UInt16) {
        self.host = host
        self.port = port
    }

    package static func loopback(port: UInt16) -> ListenAddress {
        ListenAddress(host: .v4(0x7F00_0001), port: port)
    }

    /// Whether nobody but this machine can connect to it.
    package var isLoopback: Bool {
        switch host {
        case .v4(let address): address >> 24 == 127
        case .v6(let address):
            // The second is 127.0.0.0/8 as IPv4-mapped addresses (RFC 4291, section 2.5.5.2).
            address == 1 || address >> 24 == 0xFFFF_7F
        }
    }

    /// Whether two listeners could not stand side by side: the same port, and one of them takes what
    /// comes to the other's address.
    package func overlaps(_ other: ListenAddress) -> Bool {
        guard port == other.port, port != 0 else { return false }
        return host == other.host || takesAll || other.takesAll
    }

    private var takesAll: Bool { host == .v4(0) || host == .v6(0) }

    // MARK: Text

    /// Reads `127.0.0.1:9788` or `[::1]:9788`; names of hosts are none.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"),
            let port = ListenAddress.port(text[text.index(after: colon)...])
        else { return nil }
        let name = text[..<colon]
        if name.first == "[" {
            guard name.last == "]", name.count > 2,
                let address = IPv6Text.parse(name.dropFirst().dropLast())
            else { return nil }
            self.init(host: .v6(address), port: port)
            return
        }
        guard let address = IPv4Text.parse(name) else { return nil }
        self.init(host: .v4(address), port: port)
    }

    private static func port(_ text: Substring) -> UInt16? {
        guard (1...5).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return UInt16(text)
    }

    package var description: String {
        switch host {
        case .v4(let address): "\(IPv4Text.format(address)):\(port)"
        case .v6(let address): "[\(IPv6Text.format(address))]:\(port)"
        }
    }
}
