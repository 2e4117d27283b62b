import Glibc
import RunwatchCore
import RunwatchHTTP
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct CurlTransportTests {
    let fixture = CurlTransportFixture()

    @Test func `an answer comes with status, type and body`() async throws {
        let server = ScriptedTCPServer(
            .request,
            .send(answer("{}", headers: "Content-Type: Application/JSON; charset=utf-8\r\n")))
        let response = try await fixture.get(server.url + "/a/../b?c=%2F").get()
        #expect(response.status == 200)
        #expect(response.contentType == "application/json")
        #expect(response.body == Array("{}".utf8))
        #expect(response.retryAfter == nil)
        let request = try #require(server.requests.first)
        #expect(request.hasPrefix("GET /a/../b?c=%2F HTTP/1.1\r\n"))
        #expect(request.contains("\r\nUser-Agent: runwatch/1\r\n"))
    }

    @Test func `a kept connection serves one request after the other`() async throws {
        let server = ScriptedTCPServer(.forever([.request, .send(answer("ok"))]))
        for _ in 0..<20 { #expect(await fixture.get(server.url).body == "ok") }
        #expect(server.connectionCount == 1)
        #expect(await fixture.counters.handles == 1)
    }

    @Test func `headers and body go out as given, and nothing is added to them`() async throws {
        let server = ScriptedTCPServer(.request, .send(answer("")))
        let request = HTTPRequest(
            method: .post, url: server.url + "/hook",
            headers: [("X-One", "1"), ("X-Empty", ""), ("Authorization", "Bearer s")],
            body: Array("hello".utf8))
        #expect(await fixture.send(request).status == 200)
        let sent = try #require(server.requests.first)
        #expect(sent.hasPrefix("POST /hook HTTP/1.1\r\n"))
        #expect(sent.contains("\r\nX-One: 1\r\n"))
        #expect(sent.contains("\r\nX-Empty:\r\n"))
        #expect(sent.contains("\r\nAuthorization: Bearer s\r\n"))
        #expect(sent.contains("\r\nContent-Length: 5\r\n"))
        #expect(!sent.lowercased().contains("content-type"))
        #expect(sent.hasSuffix("\r\n\r\nhello"))
    }

    @Test func `a large body is sent without asking first`() async throws {
        let server = ScriptedTCPServer(.forever([.request, .send(answer("ok"))]))
        let body = [UInt8](repeating: 65, count: 3 << 20)
        let request = HTTPRequest(
            url: server.url, headers: [("Content-Type", "text/plain")], body: body)
        #expect(await fixture.send(request).body == "ok")
        let sent = try #require(server.requests.first)
        #expect(!sent.prefix(1000).lowercased().contains("expect"))
        #expect(sent.hasSuffix("\r\n\r\n" + String(repeating: "A", count: 3 << 20)))
        // The handle keeps nothing of it for the next request.
        #expect(await fixture.get(server.url).body == "ok")
        #expect(server.requests.last?.hasPrefix("GET / HTTP/1.1\r\n") == true)
        #expect(server.requests.last?.lowercased().contains("content-") == false)
    }

    @Test(arguments: [HTTPRequest.Method.get, .post, .delete], [0, 3])
    func `every method goes with and without a body`(
        _ method: HTTPRequest.Method, _ size: Int
    ) async throws {
        let server = ScriptedTCPServer(.forever([.request, .send(answer("ok"))]))
        for other in [method, .post, method, .get, method, .delete, method] {
            let body = other == method ? String(repeating: "B", count: size) : ""
            let request = HTTPRequest(method: other, url: server.url, body: Array(body.utf8))
            #expect(await fixture.send(request).body == "ok")
            let text = try #require(server.requests.last)
            #expect(text.hasPrefix("\(other.rawValue) / HTTP/1.1\r\n"))
            #expect(text.hasSuffix("\r\n\r\n" + body))
        }
    }

    @Test func `two hundred requests at once share the pool and come back in full`() async {
        let server = ScriptedTCPServer(.forever([.request, .send(answer("ok"))]))
        let url = server.url
        let outcomes = await fixture.burst(200) { HTTPRequest(method: .get, url: "\(url)/\($0)") }
        #expect(outcomes.count == 200)
        #expect(outcomes.allSatisfy { $0.body == "ok" })
        #expect(server.connectionCount <= 64)
        let counters = await fixture.counters
        #expect(counters.handles <= 64)
        #expect(counters.openSockets == server.connectionCount)
        #expect(Set(server.requests).count == 200)
    }

    @Test func `a small pool serves in the order of sending`() async {
        let fixture = CurlTransportFixture(maximumConnections: 1)
        let server = ScriptedTCPServer(.forever([.request, .send(answer("ok"))]))
        let url = server.url
        let outcomes = await fixture.burst(50) { HTTPRequest(method: .get, url: "\(url)/\($0)") }
        #expect(outcomes.allSatisfy { $0.body == "ok" })
        #expect(server.connectionCount == 1)
        let paths = server.requests.compactMap { $0.split(separator: " ").dropFirst().first }
        #expect(paths.map(String.init) == (0..<50).map { "/\($0)" })
    }

    @Test func `a completion may send again, and none runs within send`() async {
        let server = ScriptedTCPServer(.forever([.request, .send(answer("ok"))]))
        let url = server.url
        let isNeverWithin = await withCheckedContinuation {
            (continuation: CheckedContinuation<Bool, Never>) in
            fixture.onTransport { transport in
                var isSending = false
                var wasCalledWithin = false
                var left = 30
                func next() {
                    isSending = true
                    // Every other request fails before it is sent.
                    let target = left % 2 == 0 ? url : "ftp://127.0.0.1/"
                    transport.send(HTTPRequest(method: .get, url: target)) { _ in
                        if isSending { wasCalledWithin = true }
                        left -= 1
                        if left == 0 {
                            continuation.resume(returning: !wasCalledWithin)
                        } else {
                            next()
                        }
                    }
                    isSending = false
                }
                next()
            }
        }
        #expect(isNeverWithin)
    }

    @Test func `a thousand requests leave no socket behind`() async {
        let server = ScriptedTCPServer(
            .request, .send(answer("ok", headers: "Connection: close\r\n")))
        let url = server.url
        for _ in 0..<5 {
            let outcomes = await fixture.burst(200) { _ in HTTPRequest(method: .get, url: url) }
            #expect(outcomes.allSatisfy { $0.body == "ok" })
        }
        let counters = await fixture.counters
        #expect(counters.openedSockets == 1000)
        #expect(counters.openSockets == 0)
    }

    @Test func `redirects are answers`() async {
        let server = ScriptedTCPServer(
            .request,
            .send(answer("", status: "302 Found", headers: "Location: http://127.0.0.1:1/\r\n")))
        #expect(await fixture.get(server.url).status == 302)
        #expect(server.connectionCount == 1)
    }

    @Test func `the environment's proxies are not looked at`() async {
        // The environment belongs to the whole process, so the test has one of its own.
        await #expect(processExitsWith: .success) {
            for name in ["http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
                setenv(name, "http://127.0.0.1:1", 1)
            }
            let server = ScriptedTCPServer(.request, .send(answer("ok")))
            #expect(await CurlTransportFixture().get(server.url).body == "ok")
        }
    }

    @Test func `a configured proxy is used`() async {
        let proxy = ScriptedTCPServer(.request, .send(answer("from the proxy")))
        let request = HTTPRequest(method: .get, url: "http://runs.invalid/x")
        let outcome = await fixture.send(request, options: HTTPConnectionOptions(proxy: proxy.url))
        #expect(outcome.body == "from the proxy")
        #expect(proxy.requests.first?.hasPrefix("GET http://runs.invalid/x HTTP/1.1\r\n") == true)
    }

    @Test func `peers of different kinds do not share connections`() async {
        let direct = ScriptedTCPServer(.forever([.request, .send(answer("direct"))]))
        let proxy = ScriptedTCPServer(.forever([.request, .send(answer("proxied"))]))
        let request = HTTPRequest(method: .get, url: direct.url)
        for _ in 0..<3 {
            #expect(await fixture.send(request).body == "direct")
            let options = HTTPConnectionOptions(proxy: proxy.url)
            #expect(await fixture.send(request, options: options).body == "proxied")
        }
        #expect(direct.connectionCount == 1)
        #expect(proxy.connectionCount == 1)
    }

    @Test func `closing cancels what is under way and what waits`() async {
        let fixture = CurlTransportFixture(maximumConnections: 4)
        let server = ScriptedTCPServer(.request, .hold)
        let url = server.url
        async let outcomes = fixture.burst(20) { _ in HTTPRequest(method: .get, url: url) }
        #expect(await server.hasRead(requests: 4))
        await fixture.close()
        #expect(await outcomes.allSatisfy { $0.failure?.code == .cancelled })
        #expect(await fixture.get(url).failure?.code == .cancelled)
        await fixture.close()
    }

    @Test func `a completion may close the transport`() async {
        let server = ScriptedTCPServer { number in
            number == 0 ? [.request, .send(answer("first"))] : [.request, .hold]
        }
        let url = server.url
        let codes = await withCheckedContinuation {
            (continuation: CheckedContinuation<[HTTPFailure.Code?], Never>) in
            fixture.onTransport { transport in
                var codes: [HTTPFailure.Code?] = []
                func ended(_ outcome: Outcome) {
                    if codes.isEmpty { transport.close() }
                    codes.append(outcome.failure?.code)
                    if codes.count == 5 { continuation.resume(returning: codes) }
                }
                for _ in 0..<5 {
                    transport.send(HTTPRequest(method: .get, url: url), completion: ended)
                }
            }
        }
        #expect(codes == [nil, .cancelled, .cancelled, .cancelled, .cancelled])
    }
}
