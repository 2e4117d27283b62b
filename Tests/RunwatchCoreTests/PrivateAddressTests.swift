import Glibc
import RunwatchCore
import Testing

@Suite struct PrivateAddressTests {
    /// The ends of every block.
    @Test(arguments: [
        "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.1.2.3", "10.255.255.255", "100.64.0.0",
        "100.127.255.255", "127.0.0.0", "127.0.0.1", "127.255.255.255", "169.254.0.0",
        "169.254.169.254", "169.254.255.255", "172.16.0.0", "172.31.255.255", "192.0.0.0",
        "192.0.0.255", "192.0.2.0", "192.0.2.255", "192.88.99.0", "192.88.99.255", "192.168.0.0",
        "192.168.255.255", "198.18.0.0", "198.19.255.255", "198.51.100.0", "198.51.100.255",
        "203.0.113.0", "203.0.113.255", "224.0.0.0", "239.255.255.255", "240.0.0.0",
        "255.255.255.255",
    ])
    func `what is private in IPv4`(_ text: String) throws {
        #expect(try PrivateAddress.contains(v4: v4(text)))
    }

    /// The neighbours of every block.
    @Test(arguments: [
        "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
        "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255",
        "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.1.255", "192.0.3.0",
        "192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
        "198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0",
        "223.255.255.255", "8.8.8.8",
    ])
    func `what is public in IPv4`(_ text: String) throws {
        #expect(try !PrivateAddress.contains(v4: v4(text)))
    }

    @Test(arguments: [
        "::", "::1", "::2", "::ffff", "64:ff9b:1::", "64:ff9b:1::808:808", "64:ff9b:0:1::",
        "100::", "100:0:0:1::", "1fff::", "4000::", "5f00::1", "fc00::", "fd12:3456::1",
        "fdff::", "fe80::1", "febf::", "fec0::1", "ff02::1", "ff0e::1",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:1::1", "2001:2::", "2001:10::1",
        "2001:20::1", "2001:1ff:ffff::", "2001:db8::1", "2001:db8:ffff::", "3fff::1",
        "3fff:fff:ffff::",
    ])
    func `what is private in IPv6`(_ text: String) throws {
        #expect(try PrivateAddress.contains(v6: v6(text)))
    }

    @Test(arguments: [
        "2000::", "2001:200::", "2001:db7:ffff::", "2001:db9::", "2001:4860:4860::8888",
        "2003::1", "2606:4700::1111", "2a00:1450::1", "3ffe::1", "3fff:1000::",
    ])
    func `what is public in IPv6`(_ text: String) throws {
        #expect(try !PrivateAddress.contains(v6: v6(text)))
    }

    /// 10.1.2.3, 127.0.0.1 and 169.254.169.254 in disguise; then 8.8.8.8, which is public.
    @Test(arguments: [
        ("::ffff:10.1.2.3", true), ("::ffff:127.0.0.1", true), ("::ffff:8.8.8.8", false),
        ("64:ff9b::10.1.2.3", true), ("64:ff9b::169.254.169.254", true),
        ("64:ff9b::8.8.8.8", false), ("2002:a01:203::1", true), ("2002:7f00:1::", true),
        ("2002:808:808::1", false),
        // Teredo with the server 8.8.8.8 and the client 10.1.2.3, or 8.8.4.4; then the other way round.
        ("2001:0:808:808:0:ffff:f5fe:fdfc", true), ("2001:0:808:808:0:ffff:f7f7:fbfb", false),
        ("2001:0:a01:203:0:ffff:f7f7:fbfb", true),
        // IPv4-compatible and IPv4-translated: nothing on the Internet has such an address.
        ("::10.1.2.3", true), ("::8.8.8.8", true), ("::ffff:0:10.1.2.3", true),
        ("::ffff:0:8.8.8.8", true),
    ])
    func `an IPv6 address that stands for an IPv4 address is judged by it`(
        _ text: String, _ isPrivate: Bool
    ) throws {
        #expect(try PrivateAddress.contains(v6: v6(text)) == isPrivate)
    }

    private func v4(_ text: String) throws -> UInt32 {
        var address = in_addr()
        try #require(inet_pton(AF_INET, text, &address) == 1)
        return UInt32(bigEndian: address.s_addr)
    }

    private func v6(_ text: String) throws -> UInt128 {
        var bytes = [UInt8](repeating: 0, count: 16)
        try #require(inet_pton(AF_INET6, text, &bytes) == 1)
        return bytes.reduce(0) { $0 << 8 | UInt128($1) }
    }
}
