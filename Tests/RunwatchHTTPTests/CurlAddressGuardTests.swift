import RunwatchCore
import RunwatchHTTP
import TestSupport
import Testing

/// Connections to private addresses, where they are refused.
@Suite(.timeLimit(.minutes(2))) struct CurlAddressGuardTests {
    let fixture = CurlTransportFixture()
    let guarded = HTTPConnectionOptions(refusesPrivate: true)

    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1"), ("127.1", "127.0.0.1"), ("2130706433", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"), ("[::1]", "::1"), ("0.0.0.0", "0.0.0.0"), ("[::]", "::"),
        ("[::ffff:127.0.0.1]", "::ffff:127.0.0.1"), ("10.1.2.3", "10.1.2.3"),
        ("169.254.169.254", "169.254.169.254"), ("[fe80::1]", "fe80::1"),
        ("[64:ff9b::a00:1]", "64:ff9b::a00:1"), ("255.255.255.255", "255.255.255.255"),
    ])
    func `a private address is refused however it is written`(_ host: String, _ address: String)
        async
    {
        let server = ScriptedTCPServer(.hold)
        let request = HTTPRequest(method: .get, url: "http://\(host):\(server.port)/?key=secret")
        let failure = await fixture.send(request, options: guarded).failure
        #expect(failure?.code == .refused)
        #expect(
            failure?.message == "the address \(address) is private, and deny_private is set")
        #expect(server.connectionCount == 0)
        #expect(await fixture.counters.openedSockets == 0)
    }

    @Test func `a name is judged by the address that it resolves to`() async throws {
        let server = ScriptedTCPServer(.hold)
        let request = HTTPRequest(method: .get, url: "http://localhost:\(server.port)/")
        let failure = try #require(await fixture.send(request, options: guarded).failure)
        #expect(failure.code == .refused)
        #expect(
            ["127.0.0.1", "::1"].contains { failure.message.hasPrefix("the address \($0) is ") })
        #expect(server.connectionCount == 0)
        #expect(throws: failure) { try HTTPBlockingClient(options: guarded).perform(request) }
    }

    @Test func `a public address is tried`() async {
        let request = HTTPRequest(
            method: .get, url: "http://[2001:4860::1]:9/", timeout: .milliseconds(50))
        let code = await fixture.send(request, options: guarded).failure?.code
        // There is no such host, and perhaps no way to it.
        #expect(code == .connect || code == .timeout)
        #expect(await fixture.counters.openedSockets >= 1)
    }

    @Test func `a kept connection that nobody judged is not used`() async {
        let server = ScriptedTCPServer(.forever([.request, .send(answer("ok"))]))
        let request = HTTPRequest(method: .get, url: server.url)
        for _ in 0..<3 {
            #expect(await fixture.send(request).body == "ok")
            #expect(await fixture.send(request, options: guarded).failure?.code == .refused)
        }
        // And the guard leaves nothing behind.
        #expect(server.connectionCount == 1)
        #expect(server.requests.count == 3)
        #expect(await fixture.counters.handles == 1)
    }

    @Test func `behind a proxy nothing can be judged, so nothing is sent`() async {
        let proxy = ScriptedTCPServer(.request, .send(answer("from the proxy")))
        let options = HTTPConnectionOptions(proxy: proxy.url, refusesPrivate: true)
        let request = HTTPRequest(method: .get, url: "http://127.0.0.1/")
        #expect(await fixture.send(request, options: options).failure?.code == .badRequest)
        #expect(proxy.connectionCount == 0)
    }

    @Test func `a Unix socket has no address`() async {
        let options = HTTPConnectionOptions(unixSocket: "/nowhere/socket", refusesPrivate: true)
        let request = HTTPRequest(method: .get, url: "http://127.0.0.1/")
        #expect(await fixture.send(request, options: options).failure?.code == .connect)
    }

    @Test func `the guard's verdict on one request does not colour the next`() async {
        let server = ScriptedTCPServer(.hold)
        let url = server.url
        server.stop()
        let request = HTTPRequest(method: .get, url: url)
        #expect(await fixture.send(request, options: guarded).failure?.code == .refused)
        #expect(await fixture.send(request).failure?.code == .connect)
    }
}
