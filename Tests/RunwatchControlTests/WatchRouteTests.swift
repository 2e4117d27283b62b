import RunwatchControl
import RunwatchCore
import RunwatchHTTP
import RunwatchLinux
import TestSupport
import Testing

/// The routes that add and remove watches.
@Suite struct WatchRouteTests {
    private let backend = FakeBackend(watches: [Samples.watch("warehouse/1", group: "nightly")])

    private func ask(
        _ method: String, _ path: String = "/v1/watches", _ body: String = "",
        type: String? = "application/json", query: [(String, String)] = [], user: UInt32 = 0
    ) async -> (status: Int, body: JSONValue) {
        let server = ControlServer(
            backend: backend,
            rights: ControlRights(ownUser: 500, readGroup: 1000, adminGroup: nil) { _, primary in
                [primary]
            },
            time: ManualTime())
        let response = await server.respond(
            to: HTTPServerRequest(
                method: method, rawPath: path, query: query.map { (name: $0.0, value: $0.1) },
                headers: type.map { [(name: "Content-Type", value: $0)] } ?? [],
                body: Array(body.utf8),
                peer: PeerCredentials(processID: 1, userID: user, groupID: user)))
        guard case .bytes(let bytes) = response.body else { return (response.status, .null) }
        return (response.status, (try? JSONValue(parsing: bytes)) ?? .null)
    }

    private func names(_ list: JSONValue) -> [String] {
        list["watches"]?.arrayValue?.compactMap { $0["name"]?.stringValue } ?? []
    }

    @Test(arguments: [
        ("1e-05", "0.000010000000000"), ("0.25", "0.25"), ("2", "2"),
        ("1e-300", "0.000000000000000"),
    ])
    func `a number is taken as people write it`(json: String, text: String) throws {
        let body = #"{"service": "w", "id": "1", "poll": {"jitter": \#(json)}}"#
        let asked = try AskedWatches(json: JSONValue(parsing: body))
        #expect(asked.poll?.jitter == text)
    }

    @Test func `a request reaches the backend as it was written`() async {
        let answer = await ask(
            "POST", "/v1/watches",
            #"""
            {"service": "warehouse", "ids": ["2", "a/b %2F \u00e9", "1"], "label": "l\"", "group": "g",
             "pipeline": "p", "notify": ["log", "ops"], "deadline": "2h", "pending_after": "1m",
             "stall_after": "none", "not_found_grace": "5s",
             "poll": {"initial": "1s", "factor": 1.5, "max": "30s", "jitter": "10%"}}
            """#, type: "application/json; charset=utf-8")
        #expect(answer.status == 201)
        #expect(names(answer.body) == ["warehouse/2", "warehouse/a/b %2F \u{E9}", "warehouse/1"])
        let asked = AskedWatches(
            service: "warehouse", ids: ["2", "a/b %2F \u{E9}", "1"], label: "l\"", group: "g",
            pipeline: "p", notify: ["log", "ops"],
            poll: .init(initial: "1s", factor: "1.5", maximum: "30s", jitter: "10%"),
            deadline: "2h", pendingAfter: "1m", stallAfter: "none", notFoundGrace: "5s")
        #expect(backend.edit { $0.added } == [asked])
        // A client writes what the server reads.
        _ = await ask("POST", "/v1/watches", String(decoding: asked.json, as: UTF8.self))
        #expect(backend.edit { $0.added } == [asked, asked])
    }

    @Test func `what was watched before is no news`() async {
        let answer = await ask("POST", "/v1/watches", #"{"service": "warehouse", "id": "1"}"#)
        #expect(answer.status == 200)
        #expect(names(answer.body) == ["warehouse/1"])
        #expect(backend.edit { $0.added } == [AskedWatches(service: "warehouse", ids: ["1"])])
    }

    @Test(arguments: [
        ("", "The body is no JSON"), ("{", "The body is no JSON"), ("{} x", "The body is no JSON"),
        ("[]", "The body must be an object, not a list."), ("null", "The body must be an object"),
        ("{}", "'service' is missing"), (#"{"service": 1}"#, "service: must be text, not a number"),
        (#"{"service": null}"#, "service: must be text, not null"),
        (#"{"service": "s"}"#, "'ids' is missing"),
        (#"{"service": "s", "id": 12}"#, "id: must be text, not a number; write it in quotes."),
        (#"{"service": "s", "id": "1", "ids": ["1"]}"#, "'id' cannot stand beside 'ids'"),
        (#"{"service": "s", "ids": []}"#, "ids: is empty"),
        (#"{"service": "s", "ids": "1"}"#, "ids: must be a list of text, not text"),
        (#"{"service": "s", "ids": ["1", "2", "3", {}]}"#, "ids[3]: must be text, not an object"),
        (
            #"{"service": "s", "id": "1", "lable": "x"}"#,
            "'lable' is unknown here; did you mean 'label'?"
        ),
        (#"{"service": "s", "id": "1", "id": "2"}"#, "'id' stands twice"),
        (
            #"{"service": "s", "id": "1", "label": null}"#,
            "label: must be text, not null; leave it out"
        ),
        (
            #"{"service": "s", "id": "1", "notify": "log"}"#,
            "notify: must be a list of text, not text"
        ),
        (#"{"service": "s", "id": "1", "notify": [true]}"#, "notify[0]: must be text, not true or"),
        (#"{"service": "s", "id": "1", "deadline": 5}"#, "deadline: must be text, not a number"),
        (#"{"service": "s", "id": "1", "poll": []}"#, "poll: must be an object, not a list"),
        (
            #"{"service": "s", "id": "1", "poll": {"maxi": 1}}"#,
            "'poll.maxi' is unknown here; did you"
        ),
        (#"{"service": "s", "id": "1", "poll": {"factor": []}}"#, "poll.factor: must be a number"),
    ])
    func `a body that says something else is refused at its place`(
        body: String, words: String
    ) async {
        let answer = await ask("POST", "/v1/watches", body)
        #expect(answer.status == 400)
        #expect(answer.body["type"]?.stringValue == "urn:runwatch:problem:bad-body")
        #expect(answer.body["detail"]?.stringValue?.hasPrefix(words) == true, "\(answer.body.text)")
        #expect(backend.edit { $0.added.isEmpty })
    }

    @Test func `so many IDs are taken and no more`() async {
        func body(_ count: Int) -> String {
            let asked = AskedWatches(service: "s", ids: (0..<count).map(String.init))
            return String(decoding: asked.json, as: UTF8.self)
        }
        #expect(await ask("POST", "/v1/watches", body(10_000)).status == 201)
        let answer = await ask("POST", "/v1/watches", body(10_001))
        #expect(answer.status == 400)
        #expect(answer.body["detail"]?.stringValue?.hasPrefix("ids: holds 10001 IDs") == true)
    }

    @Test(arguments: [
        nil, "", "text/plain", "application/jsonx", "application/x-www-form-urlencoded",
    ])
    func `a body that is not called JSON is refused`(type: String?) async {
        let answer = await ask(
            "POST", "/v1/watches", #"{"service": "warehouse", "id": "1"}"#, type: type)
        #expect(answer.status == 415)
        #expect(answer.body["type"]?.stringValue == "urn:runwatch:problem:unsupported-type")
        #expect(backend.edit { $0.added.isEmpty })
    }

    @Test func `parameters of the list are none of an addition`() async {
        let answer = await ask(
            "POST", "/v1/watches", #"{"service": "s", "id": "1"}"#, query: [("limit", "5")])
        #expect(answer.status == 400)
        #expect(answer.body["type"]?.stringValue == "urn:runwatch:problem:bad-parameter")
    }

    @Test func `a transient watch is removed, and shown once more`() async {
        _ = await ask("POST", "/v1/watches", #"{"service": "warehouse", "id": "a/b"}"#)
        let answer = await ask("DELETE", "/v1/watches/warehouse/a%2fb")
        #expect(answer.status == 200)
        #expect(answer.body["run"]?.stringValue == "a/b")
        #expect(answer.body["origin"] == nil)
        #expect(await ask("DELETE", "/v1/watches/warehouse/a%2fb").status == 404)
        #expect(await ask("DELETE", "/v1/watches/warehouse/1").status == 409)
        #expect(backend.edit { $0.removed.map(\.run) } == ["a/b"])
    }

    @Test func `who may only read can do neither`() async {
        let body = #"{"service": "warehouse", "id": "2"}"#
        #expect(await ask("POST", "/v1/watches", body, user: 1000).status == 403)
        #expect(await ask("DELETE", "/v1/watches/warehouse/1", user: 1000).status == 403)
        #expect(backend.edit { $0.added.isEmpty && $0.removed.isEmpty })
        #expect(await ask("GET", "/v1/watches", user: 1000).status == 200)
        #expect(await ask("GET", "/v1/watches", user: 1001).status == 403)
    }
}
