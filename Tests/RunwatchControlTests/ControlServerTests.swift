import RunwatchControl
import RunwatchCore
import RunwatchHTTP
import RunwatchLinux
import TestSupport
import Testing

@Suite struct ControlServerTests {
    private let backend = FakeBackend(
        watches: [
            Samples.wholeWatch, Samples.watch("krixik/a/b", .running, group: "nightly"),
            Samples.watch("warehouse/poll", .error),
        ], events: 5)

    private static let root = PeerCredentials(processID: 1, userID: 0, groupID: 0)
    private static let stranger = PeerCredentials(processID: 1, userID: 1000, groupID: 1000)

    private func ask(
        _ method: String, _ path: String, _ query: [(String, String)] = [],
        headers: [(String, String)] = [], peer: PeerCredentials? = root
    ) async throws -> (status: Int, headers: [String: String], body: JSONValue) {
        let server = ControlServer(
            backend: backend,
            rights: ControlRights(ownUser: 500, readGroup: 1000, adminGroup: nil) { _, primary in
                [primary]
            },
            time: ManualTime())
        let response = await server.respond(
            to: HTTPServerRequest(
                method: method, rawPath: path, query: query.map { (name: $0.0, value: $0.1) },
                headers: headers.map { (name: $0.0, value: $0.1) }, peer: peer))
        var fields: [String: String] = [:]
        for header in response.headers { fields[header.name] = header.value }
        guard case .bytes(let bytes) = response.body else {
            return (response.status, fields, .null)
        }
        return (response.status, fields, (try? JSONValue(parsing: bytes)) ?? .null)
    }

    private func names(_ list: JSONValue) -> [String] {
        list["watches"]?.arrayValue?.compactMap { $0["name"]?.stringValue } ?? []
    }

    // MARK: Reading

    @Test func `the status is one document`() async throws {
        let answer = try await ask("GET", "/v1/status")
        #expect(answer.status == 200)
        #expect(answer.headers["content-type"] == "application/json")
        #expect(answer.headers["cache-control"] == "no-store")
        #expect(answer.body["version"] == .string("0.1.0"))
    }

    @Test func `a list without a next page has no cursor`() async throws {
        let answer = try await ask("GET", "/v1/watches")
        #expect(names(answer.body) == ["krixik/a/b", "warehouse/12", "warehouse/poll"])
        #expect(answer.body["next"] == nil)
        #expect(answer.body["watches"]?.arrayValue?.first?["transitions"] == nil)
    }

    @Test func `watches are found by their names, and counted by state`() async throws {
        let some = try await ask(
            "GET", "/v1/watches",
            [("name", "warehouse/poll"), ("name", "krixik/a/b"), ("name", "w/0")])
        #expect(names(some.body) == ["krixik/a/b", "warehouse/poll"])
        #expect(some.body["counts"] == nil)
        let counted = try await ask(
            "GET", "/v1/watches", [("service", "warehouse"), ("limit", "1"), ("counts", "true")])
        #expect(names(counted.body) == ["warehouse/12"])
        #expect(counted.body["counts"]?["complete"] == .integer(1))
        #expect(counted.body["counts"]?["error"] == .integer(1))
        #expect(counted.body["counts"]?["running"] == .integer(0))
    }

    @Test(arguments: [
        ("/v1/watches", [("name", "nonsense")]), ("/v1/watches", [("name", "")]),
        ("/v1/watches", [("counts", "yes")]), ("/v1/events", [("name", "")]),
        ("/v1/events", [("type", "run.ended")]), ("/v1/events/stream", [("type", "")]),
        ("/v1/events/stream", Array(repeating: ("name", "w/1"), count: 201)),
        ("/v1/events", [("service", "a"), ("service", "b")]),
        ("/v1/deliveries", [("name", ""), ("name", "b")]),
    ])
    func `a condition that cannot be met by anything is refused`(
        path: String, query: [(String, String)]
    ) async throws {
        #expect(try await ask("GET", path, query).status == 400)
    }

    @Test func `events are found by conditions, page by page`() async throws {
        let first = try await ask("GET", "/v1/events", [("service", "s2"), ("limit", "2")])
        #expect(first.body["events"]?.arrayValue?.map { $0["number"]?.integerValue } == [2])
        #expect(first.body["next"] == nil)
        let named = try await ask(
            "GET", "/v1/events",
            [("name", "s1"), ("name", "s4"), ("type", "service.up"), ("limit", "1")])
        #expect(named.body["events"]?.arrayValue?.map { $0["number"]?.integerValue } == [1])
        let next = try #require(named.body["next"]?.stringValue)
        let rest = try await ask("GET", "/v1/events", [("name", "s4"), ("cursor", next)])
        #expect(rest.body["events"]?.arrayValue?.map { $0["number"]?.integerValue } == [4])
    }

    @Test func `pages follow each other by their cursors`() async throws {
        var seen: [String] = []
        var query = [("limit", "1")]
        for _ in 0..<3 {
            let answer = try await ask("GET", "/v1/watches", query)
            seen += names(answer.body)
            guard let next = answer.body["next"]?.stringValue else { break }
            query = [("limit", "1"), ("cursor", next)]
        }
        #expect(seen == ["krixik/a/b", "warehouse/12", "warehouse/poll"])
        #expect(try await ask("GET", "/v1/watches", query).body["next"] == nil)
    }

    @Test func `conditions reach the backend`() async throws {
        let answer = try await ask(
            "GET", "/v1/watches",
            [("service", "warehouse"), ("state", "error,complete"), ("active", "false")])
        #expect(names(answer.body) == ["warehouse/12", "warehouse/poll"])
        _ = try await ask("GET", "/v1/watches", [("group", "nightly"), ("active", "true")])
        #expect(backend.edit { $0.lastQuery } == WatchQuery(group: "nightly", isActiveOnly: true))
    }

    @Test func `a watch is found by its escaped name`() async throws {
        let answer = try await ask("GET", "/v1/watches/krixik/a%2Fb")
        #expect(answer.status == 200)
        #expect(answer.body["name"] == .string("krixik/a/b"))
        #expect(answer.body["transitions"]?.arrayValue != nil)
    }

    @Test func `a run that is called like a verb is a run`() async throws {
        #expect(try await ask("GET", "/v1/watches/warehouse/poll").status == 200)
        #expect(try await ask("POST", "/v1/watches/warehouse/poll/poll").status == 202)
        #expect(backend.edit { $0.polled } == [WatchName(service: "warehouse", run: "poll")])
    }

    @Test func `transitions are a list with pages`() async throws {
        let path = "/v1/watches/warehouse/12/transitions"
        let all = try await ask("GET", path)
        #expect(all.body["transitions"]?.arrayValue?.count == 3)
        #expect(all.body["next"] == nil)
        let first = try await ask("GET", path, [("limit", "2")])
        #expect(first.body["next"] == .string("t2"))
        let second = try await ask("GET", path, [("cursor", "t2")])
        #expect(
            second.body["transitions"]?.arrayValue?.map { $0["sequence"] } == [.integer(3)])
    }

    @Test func `events are a list from a moment, after a number, with pages`() async throws {
        let numbers = { (list: JSONValue) in
            list["events"]?.arrayValue?.compactMap { $0["number"]?.integerValue } ?? []
        }
        #expect(numbers(try await ask("GET", "/v1/events").body) == [1, 2, 3, 4, 5])
        let since = Samples.noon.advanced(by: .seconds(3)).description
        #expect(numbers(try await ask("GET", "/v1/events", [("since", since)]).body) == [3, 4, 5])
        let page = try await ask("GET", "/v1/events", [("after", "1"), ("limit", "2")])
        #expect(numbers(page.body) == [2, 3])
        #expect(page.body["next"] == .string("e3"))
        let last = try await ask("GET", "/v1/events", [("cursor", "e3"), ("limit", "2")])
        #expect(numbers(last.body) == [4, 5])
        #expect(last.body["next"] == nil)
    }

    @Test func `health is 200 while all advances, and a problem when not`() async throws {
        #expect(try await ask("GET", "/healthz").status == 200)
        backend.edit { $0.health = HealthView(isOK: false, reasons: ["no poll for 5m"]) }
        let answer = try await ask("GET", "/healthz")
        #expect(answer.status == 503)
        #expect(answer.headers["content-type"] == "application/problem+json")
        #expect(answer.body["reasons"] == .array([.string("no poll for 5m")]))
    }

    @Test func `HEAD is answered as GET`() async throws {
        #expect(try await ask("HEAD", "/v1/status").status == 200)
        #expect(try await ask("HEAD", "/v1/events/stream").status == 200)
        #expect(backend.followers == 0)
    }

    // MARK: Changing

    @Test func `poll is accepted with the watch, rewatch done with the watch`() async throws {
        let poll = try await ask("POST", "/v1/watches/krixik/a%2Fb/poll")
        #expect(poll.status == 202)
        #expect(poll.body["name"] == .string("krixik/a/b"))
        let rewatch = try await ask("POST", "/v1/watches/warehouse/12/rewatch")
        #expect(rewatch.status == 200)
        #expect(rewatch.body["name"] == .string("warehouse/12"))
        #expect(backend.edit { $0.rewatched } == [WatchName(service: "warehouse", run: "12")])
    }

    @Test func `a reload tells what changed`() async throws {
        backend.edit { $0.reload = ReloadView(isOK: true, added: 2, warnings: ["w"]) }
        let answer = try await ask("POST", "/v1/reload")
        #expect(answer.status == 200)
        #expect(answer.body["ok"] == .bool(true))
        #expect(answer.body["added"] == .integer(2))
        #expect(answer.body["warnings"] == .array([.string("w")]))
    }

    @Test func `a reload of a faulty configuration is a problem with every error`() async throws {
        backend.edit { $0.reload = ReloadView(isOK: false, errors: ["a:1:1: x", "a:2:1: y"]) }
        let answer = try await ask("POST", "/v1/reload")
        #expect(answer.status == 422)
        #expect(answer.body["ok"] == .bool(false))
        #expect(answer.body["errors"] == .array([.string("a:1:1: x"), .string("a:2:1: y")]))
        #expect(
            answer.body["detail"]
                == .string("The configuration has 2 errors; nothing was changed."))
    }

    @Test(arguments: [
        "/v1/reload", "/v1/watches/warehouse/12/poll", "/v1/watches/warehouse/12/rewatch",
        "/v1/deliveries/msg_1/redeliver", "/v1/deliveries/redeliver", "/v1/receivers/ops/test",
    ])
    func `who may only read is refused`(path: String) async throws {
        for peer in [ControlServerTests.stranger, nil] {
            let answer = try await ask("POST", path, peer: peer)
            #expect(answer.status == 403)
            #expect(
                answer.body["type"] == .string("urn:runwatch:problem:permission-denied"))
        }
        #expect(backend.edit { $0.polled.isEmpty && $0.rewatched.isEmpty })
        #expect(backend.edit { $0.redelivered.isEmpty && $0.redeliveredFailed.isEmpty })
        #expect(try await ask("GET", "/v1/status", peer: ControlServerTests.stranger).status == 200)
    }

    @Test(arguments: [
        "/v1/status", "/v1/watches", "/v1/events/stream", "/v1/openapi.json", "/metrics",
        "/healthz", "/readyz", "/nothing", "/%zz",
    ])
    func `who may not even read learns nothing but which group may`(path: String) async throws {
        let outsider = PeerCredentials(processID: 1, userID: 1001, groupID: 1001)
        for peer in [outsider, nil] {
            let answer = try await ask("GET", path, peer: peer)
            #expect(answer.status == 403)
            #expect(answer.body["type"] == .string("urn:runwatch:problem:permission-denied"))
            let detail = try #require(answer.body["detail"]?.stringValue)
            #expect(detail.contains("join the group"))
        }
    }

    @Test func `new rights hold for the next request`() async {
        let server = ControlServer(
            backend: backend, rights: ControlRights(ownUser: 500, adminGroup: nil))
        let read = HTTPServerRequest(
            method: "GET", rawPath: "/v1/status", peer: ControlServerTests.stranger)
        #expect(await server.respond(to: read).status == 403)
        let request = HTTPServerRequest(
            method: "POST", rawPath: "/v1/reload", peer: ControlServerTests.stranger)
        #expect(await server.respond(to: request).status == 403)
        server.setRights(ControlRights(ownUser: 500, adminGroup: 1000))
        #expect(await server.respond(to: request).status == 200)
        #expect(await server.respond(to: read).status == 200)
    }

    // MARK: Refusals

    @Test(arguments: [
        "/", "/v1", "/v2/status", "/v1/watch", "/v1/events/streams", "/v1/watches/a",
        "/v1/watches/a/b/explode", "/v1/watches/a/b/poll/now", "/status", "/metrics/x",
        "/v1/deliveries/a/b", "//v1/status", "/v1//status", "/v1/status/", "/v1/watches/a/",
        "/v1/watches//b", "/v1/watches/a//b", "/v1/watches/a/b/", "/v1/watches/a//poll",
        "/v1/receivers", "/v1/receivers/a", "/v1/receivers/a/tests",
    ])
    func `an unknown path is a problem`(path: String) async throws {
        let answer = try await ask("GET", path)
        #expect(answer.status == 404)
        #expect(answer.headers["content-type"] == "application/problem+json")
        #expect(answer.headers["cache-control"] == "no-store")
    }

    @Test(arguments: [
        ("POST", "/v1/status", "GET, HEAD"), ("DELETE", "/v1/events", "GET, HEAD"),
        ("GET", "/v1/reload", "POST"), ("HEAD", "/v1/watches/a/b/poll", "POST"),
        ("GET", "/v1/deliveries/redeliver", "POST"), ("POST", "/v1/deliveries/a", "GET, HEAD"),
        ("GET", "/v1/receivers/ops/test", "POST"), ("PUT", "/v1/watches", "GET, HEAD, POST"),
        ("POST", "/v1/watches/a/b", "GET, HEAD, DELETE"), ("OPTIONS", "/metrics", "GET, HEAD"),
        ("get", "/v1/status", "GET, HEAD"),
    ])
    func `another method is a problem that says which are taken`(
        method: String, path: String, allow: String
    ) async throws {
        let answer = try await ask(method, path)
        #expect(answer.status == 405)
        #expect(answer.headers["allow"] == allow)
    }

    @Test func `a watch that is not there is a problem`() async throws {
        for (method, path) in [
            ("GET", "/v1/watches/a/b"), ("GET", "/v1/watches/a/b/transitions"),
            ("POST", "/v1/watches/a/b/poll"), ("POST", "/v1/watches/a/b/rewatch"),
        ] {
            let answer = try await ask(method, path)
            #expect(answer.status == 404)
            #expect(answer.body["type"] == .string("urn:runwatch:problem:no-such-watch"))
        }
    }

    @Test func `a broken escape is a problem`() async throws {
        #expect(try await ask("GET", "/v1/watches/a/%zz").status == 400)
        #expect(try await ask("GET", "/v1/watches/a/%ff").status == 400)
    }

    @Test func `a parameter that the route does not take is a problem`() async throws {
        let answer = try await ask("GET", "/v1/status", [("verbose", "true")])
        #expect(answer.status == 400)
        #expect(answer.body["detail"]?.stringValue?.contains("'verbose'") == true)
        #expect(try await ask("GET", "/v1/watches", [("after", "1")]).status == 400)
        #expect(try await ask("POST", "/v1/reload", [("force", "1")]).status == 400)
    }

    @Test func `a database that fails is a problem on every route that needs it`() async throws {
        backend.edit { $0.failure = Problem(.unavailable, "The database is busy.") }
        for path in ["/v1/watches", "/v1/watches/warehouse/12", "/v1/events", "/v1/events/stream"] {
            let answer = try await ask("GET", path)
            #expect(answer.status == 503)
            #expect(answer.body["detail"] == .string("The database is busy."))
        }
        #expect(try await ask("GET", "/v1/status").status == 200)
    }

    @Test(arguments: ["abc", "", "-1", "+1", "1.5"])
    func `Last-Event-ID must be a number`(text: String) async throws {
        let answer = try await ask(
            "GET", "/v1/events/stream", headers: [("Last-Event-ID", text)])
        #expect(answer.status == 400)
    }

    /// A variable of a script that is empty must not make another route of the path.
    @Test func `an empty part changes nothing`() async throws {
        let query = [("state", "failed")]
        #expect(try await ask("POST", "/v1/deliveries//redeliver", query).status == 404)
        #expect(backend.edit { $0.redeliveredFailed.isEmpty })
    }
}
