import RunwatchControl
import RunwatchCore
import RunwatchHTTP
import RunwatchLinux
import TestSupport
import Testing

/// Figures and health, at the socket and over TCP.
@Suite struct FiguresTests {
    private let backend = FakeBackend(watches: [Samples.wholeWatch])
    private let meter = ControlMeter()
    private let server: ControlServer

    init() {
        var family = MetricFamily("test_polls", .counter, help: "Polls.")
        family.add([], 7)
        let families = [family]
        backend.edit { $0.metrics = families }
        server = ControlServer(
            backend: backend, rights: ControlRights(ownUser: 0, adminGroup: nil),
            time: ManualTime(), meter: meter)
    }

    private typealias Answer = (status: Int, headers: [String: String], text: String)

    private static func answer(_ response: HTTPServerResponse) -> Answer {
        var fields: [String: String] = [:]
        for header in response.headers { fields[header.name] = header.value }
        guard case .bytes(let bytes) = response.body else { return (response.status, fields, "") }
        return (response.status, fields, String(decoding: bytes, as: UTF8.self))
    }

    private func atSocket(_ path: String, accept: String? = nil) async -> Answer {
        let request = HTTPServerRequest(
            method: "GET", rawPath: path,
            headers: accept.map { [(name: "Accept", value: $0)] } ?? [],
            peer: PeerCredentials(processID: 1, userID: 0, groupID: 0))
        return FiguresTests.answer(await server.respond(to: request))
    }

    private func overTCP(
        _ method: String, _ path: String, query: [(name: String, value: String)] = [],
        accept: String? = nil
    ) async -> Answer {
        let request = HTTPServerRequest(
            method: method, rawPath: path, query: query,
            headers: accept.map { [(name: "accept", value: $0)] } ?? [])
        return FiguresTests.answer(await server.respondOverTCP(to: request))
    }

    @Test func `the format is the one that is accepted, at both places`() async {
        for answer in [await atSocket("/metrics"), await overTCP("GET", "/metrics")] {
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(answer.headers["cache-control"] == "no-store")
            #expect(answer.text.contains("# TYPE test_polls_total counter\n"))
        }
        let open = "application/openmetrics-text;version=1.0.0"
        for answer in [
            await atSocket("/metrics", accept: open),
            await overTCP("GET", "/metrics", accept: open),
        ] {
            #expect(
                answer.headers["content-type"]
                    == "application/openmetrics-text; version=1.0.0; charset=utf-8")
            #expect(answer.text.hasSuffix("test_polls_total 7\n# EOF\n"))
        }
    }

    @Test func `readiness is 200 at work, and a problem with reasons when not`() async throws {
        for path in ["/readyz", "/healthz"] {
            #expect(await atSocket(path).status == 200)
            #expect(await overTCP("GET", path).status == 200)
        }
        backend.edit { $0.readiness = HealthView(isOK: false, reasons: ["the daemon is starting"]) }
        for answer in [await atSocket("/readyz"), await overTCP("HEAD", "/readyz")] {
            #expect(answer.status == 503)
            let problem = try JSONValue(parsing: Array(answer.text.utf8))
            #expect(problem["type"] == .string("urn:runwatch:problem:not-ready"))
            #expect(problem["reasons"] == .array([.string("the daemon is starting")]))
        }
        #expect(await overTCP("GET", "/healthz").status == 200)
    }

    @Test(arguments: [
        "/", "/v1/status", "/v1/watches", "/v1/watches/warehouse/12", "/v1/events/stream",
        "/v1/openapi.json", "/v1/deliveries", "/metrics/x", "/%zz", "/v1/reload",
    ])
    func `nothing else is served over TCP`(_ path: String) async throws {
        let answer = await overTCP("GET", path)
        #expect(answer.status == 404)
        #expect(answer.headers["content-type"] == "application/problem+json")
    }

    @Test(arguments: ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "X"])
    func `over TCP every other method is refused, wherever it goes`(_ method: String) async throws {
        for path in ["/metrics", "/v1/reload", "/v1/watches/warehouse/12/poll", "/", "/%zz"] {
            let answer = await overTCP(method, path)
            #expect(answer.status == 403)
            let problem = try JSONValue(parsing: Array(answer.text.utf8))
            #expect(problem["type"] == .string("urn:runwatch:problem:permission-denied"))
        }
        #expect(backend.edit { $0.polled.isEmpty })
    }

    @Test func `no answer over TCP lets another origin read it`() async {
        for path in ["/metrics", "/healthz", "/v1/status"] {
            let answer = await overTCP("GET", path)
            #expect(!answer.headers.keys.contains { $0.hasPrefix("access-control") })
            #expect(answer.headers["x-content-type-options"] == "nosniff")
        }
    }

    private func status(host: String?, isLoopback: Bool) async -> Int {
        let request = HTTPServerRequest(
            method: "GET", rawPath: "/metrics", headers: host.map { [("Host", $0)] } ?? [])
        return await server.respondOverTCP(to: request, isLoopback: isLoopback).status
    }

    @Test(arguments: [
        "evil.example", "evil.example:9788", "EVIL.example.:9788", "127.0.0.1.evil.example",
        "localhost.evil.example", "a.b:c", "[::1].evil.example", "x@evil.example:9788", "a:b.c:1",
        "127.0.0.1:9788.evil.example", "evil.\u{301}example",
    ])
    func `a page whose name leads to this machine reads nothing`(_ host: String) async {
        #expect(await status(host: host, isLoopback: true) == 403)
        // There others may connect anyway, by whatever name they have for it.
        #expect(await status(host: host, isLoopback: false) == 200)
    }

    @Test(arguments: [
        nil, "", "127.0.0.1", "127.0.0.1:9788", "[::1]", "[::1]:9788", "localhost",
        "LOCALHOST:9788", "localhost.:9788", "runwatch.localhost", "monitor:9788", "10.0.0.7:80",
    ])
    func `who asks this machine by its address or a name of its own is answered`(
        _ host: String?
    ) async {
        #expect(await status(host: host, isLoopback: true) == 200)
    }

    @Test func `parameters are refused over TCP too`() async {
        #expect(await overTCP("GET", "/metrics", query: [("name", "x")]).status == 400)
    }

    @Test func `requests are counted by route and status, and never by what was sent`() async {
        for path in ["/v1/watches/warehouse/12", "/v1/watches/warehouse/13", "/v1/watches/a/b"] {
            _ = await atSocket(path)
        }
        for number in 0..<50 { _ = await atSocket("/x\(number)") }
        _ = await overTCP("GET", "/v1/status")
        _ = await overTCP("GET", "/metrics")
        let counts = meter.all.map { "\($0.key.route) \($0.key.status) \($0.requests)" }
        #expect(
            counts == [
                "/metrics 200 1", "/v1/watches/{service}/{id} 200 1",
                "/v1/watches/{service}/{id} 404 2", "other 404 51",
            ])
    }
}
