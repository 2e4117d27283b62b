import RunwatchCore
import Testing

@Suite struct ListenAddressTests {
    @Test(arguments: [
        ("127.0.0.1:9788", true), ("127.9.8.7:1", true), ("0.0.0.0:0", false),
        ("10.1.2.3:65535", false), ("[::1]:9788", true), ("[::]:80", false),
        ("[fe80::1:0]:80", false), ("[::ffff:7f00:1]:80", true), ("[2001:db8:0:1::]:9", false),
        ("[1:2:3:4:5:6:7:8]:9", false), ("[1:0:0:2::3]:9", false),
    ])
    func `an address and a port are read and written alike`(text: String, isLoopback: Bool) throws {
        let address = try #require(ListenAddress(text))
        #expect(address.description == text)
        #expect(address.isLoopback == isLoopback)
    }

    @Test(arguments: [
        ("[0:0:0:0:0:0:0:1]:1", "[::1]:1"), ("[::FFFF:127.0.0.1]:1", "[::ffff:7f00:1]:1"),
        ("[1:0:2:0:0:3:0:0]:1", "[1:0:2::3:0:0]:1"), ("[1::0:0:5:6:7:8]:1", "[1::5:6:7:8]:1"),
        ("127.0.0.1:00080", "127.0.0.1:80"),
    ])
    func `other forms of the same are written the usual way`(text: String, usual: String) {
        #expect(ListenAddress(text)?.description == usual)
    }

    @Test(arguments: [
        "", ":", "9788", ":9788", "localhost:9788", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x",
        "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1", "127.0.0.1: 1", "127.0.0.1:000001",
        "127.1:80", "127.0.0.256:80", "127.0.0.01:80", "127.0.0.1.1:80", "::1:80", "[::1]",
        "[::1:80", "::1]:80", "[]:80", "[:]:80", "[1:2]:80", "[1:2:3:4:5:6:7:8:9]:80",
        "[::1::2]:80", "[:::1]:80", "[12345::]:80", "[g::]:80", "[fe80::1%eth0]:80",
        "[1:2:3:4:5:6:7::8]:80 ", "[::1.2.3]:80", "http://127.0.0.1:80", "[1.2.3.4]:80",
        "[+1::]:80", "[::1] :80", "[127.0.0.1]:80", "*:80",
    ])
    func `anything else is none`(_ text: String) {
        #expect(ListenAddress(text) == nil)
    }

    @Test func `listeners that take each other's connections overlap`() throws {
        func address(_ text: String) throws -> ListenAddress {
            try #require(ListenAddress(text))
        }
        let one = try address("127.0.0.1:80")
        #expect(one.overlaps(try address("0.0.0.0:80")))
        #expect(try address("[::]:80").overlaps(one))
        #expect(one.overlaps(one))
        #expect(!one.overlaps(try address("127.0.0.2:80")))
        #expect(!one.overlaps(try address("0.0.0.0:81")))
        #expect(try !address("0.0.0.0:0").overlaps(try address("127.0.0.1:0")))
    }
}
