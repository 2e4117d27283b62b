import RunwatchControl
import RunwatchCore
import RunwatchHTTP
import RunwatchLinux
import TestSupport
import Testing

/// What the server answers is what the document says, key by key.
@Suite struct DocumentConformanceTests {
    private let backend = SchemaSamples.backend()
    private let document: APIDocument

    init() throws { document = try APIDocument() }

    private static let root = PeerCredentials(processID: 1, userID: 0, groupID: 0)
    private static let stranger = PeerCredentials(processID: 1, userID: 1000, groupID: 1000)

    /// A request for each operation that succeeds, with its query; the last one ends the watch.
    private static let successes: [(operation: String, query: [(String, String)], status: Int)] = [
        ("GET /v1/status", [], 200), ("GET /v1/watches", [("limit", "1")], 200),
        ("GET /v1/watches/{service}/{id}", [], 200),
        ("GET /v1/watches/{service}/{id}/transitions", [("limit", "1")], 200),
        ("POST /v1/watches/{service}/{id}/poll", [], 202),
        ("POST /v1/watches/{service}/{id}/rewatch", [], 200),
        ("GET /v1/events", [], 200), ("GET /v1/events", [("limit", "1")], 200),
        ("GET /v1/events/stream", [("after", "0")], 200),
        ("GET /v1/deliveries", [("limit", "1")], 200),
        ("GET /v1/deliveries/{id}", [], 200), ("POST /v1/deliveries/{id}/redeliver", [], 202),
        ("POST /v1/deliveries/redeliver", [("state", "failed")], 202),
        ("POST /v1/receivers/{name}/test", [], 200), ("POST /v1/reload", [], 200),
        ("GET /v1/openapi.json", [], 200), ("GET /metrics", [], 200), ("GET /healthz", [], 200),
        ("GET /readyz", [], 200), ("GET /v1/watches", [("counts", "true")], 200),
        ("POST /v1/watches", [], 201), ("POST /v1/watches", [], 200),
        ("DELETE /v1/watches/{service}/{id}", [], 200),
    ]

    /// A body for the operation that takes one.
    private static let body = #"{"service": "warehouse", "ids": ["12", "77"], "deadline": "2h"}"#

    private func respond(
        _ method: String, _ path: String, _ query: [(String, String)] = [],
        peer: PeerCredentials? = root, body: String = body, type: String = "application/json"
    ) async -> HTTPServerResponse {
        let server = ControlServer(
            backend: backend,
            rights: ControlRights(ownUser: 500, adminGroup: nil) { _, primary in [primary] },
            time: ManualTime())
        return await server.respond(
            to: HTTPServerRequest(
                method: method, rawPath: path, query: query.map { (name: $0.0, value: $0.1) },
                headers: [(name: "content-type", value: type)], body: Array(body.utf8),
                peer: peer))
    }

    /// The body as the document's schema sees it: JSON, or text.
    private func value(_ response: HTTPServerResponse) -> JSONValue {
        guard case .bytes(let bytes) = response.body else { return .null }
        return (try? JSONValue(parsing: bytes)) ?? .string(String(decoding: bytes, as: UTF8.self))
    }

    private func faults(
        _ response: HTTPServerResponse, _ operation: APIDocument.Operation
    ) -> [String] {
        document.faults(of: response, body: value(response), to: operation)
    }

    // MARK: What succeeds

    @Test func `every answer that succeeds fits, and every operation has one`() async throws {
        for (name, query, status) in DocumentConformanceTests.successes {
            let operation = try #require(document.operation(name), "\(name)")
            if operation.method == "DELETE" {
                backend.edit { state in
                    for index in state.watches.indices { state.watches[index].origin = "transient" }
                }
            }
            let response = await respond(operation.method, operation.examplePath, query)
            #expect(response.status == status, "\(name)")
            if case .stream = response.body { continue }
            #expect(faults(response, operation) == [])
        }
        let named = Set(DocumentConformanceTests.successes.map(\.operation))
        #expect(Set(document.operations.map(\.description)).subtracting(named) == [])
    }

    @Test func `every event that is recorded fits, in the list and in the stream`() async throws {
        let count = SchemaSamples.events.count
        let listed = await respond("GET", "/v1/events")
        #expect(value(listed)["events"]?.arrayValue?.count == count)
        let operation = try #require(document.operation("GET /v1/events/stream"))
        let response = await respond("GET", operation.path, [("after", "0")])
        guard case .stream(let chunks) = response.body else {
            Issue.record("there is no stream")
            return
        }
        var parser = EventStreamParser()
        var messages: [EventStreamParser.Message] = []
        for await chunk in chunks {
            messages += parser.take(chunk)
            if messages.count >= count { break }
        }
        let inner = try #require(
            document.value["components"]?["schemas"]?["StreamedEvent"]?["properties"]?["data"]?[
                "contentSchema"])
        for message in messages {
            let shown = JSONValue.object([
                .init("id", message.id.map { .string($0) } ?? .null),
                .init("event", .string(message.event)),
                .init("data", .string(String(decoding: message.data, as: UTF8.self))),
            ])
            #expect(document.faults(of: response, body: shown, to: operation) == [])
            let data = try JSONValue(parsing: message.data)
            #expect(document.schema.faults(of: data, against: inner) == [])
        }
    }

    @Test func `a key that the document does not know is found`() async throws {
        let operation = try #require(document.operation("GET /v1/watches/{service}/{id}"))
        let response = await respond("GET", operation.examplePath)
        var members = try #require(value(response).members)
        members.append(.init("colour", .string("blue")))
        let body = JSONValue.object(members)
        #expect(document.faults(of: response, body: body, to: operation).count == 1)
    }

    // MARK: What is refused

    @Test func `every refusal of every operation fits`() async throws {
        for operation in document.operations {
            let path = operation.examplePath
            let unknown = await respond(operation.method, path, [("surprise", "1")])
            #expect(unknown.status == 400, "\(operation)")
            #expect(faults(unknown, operation) == [])
            let other = await respond("BREW", path)
            #expect(other.status == 405, "\(operation)")
            #expect(faults(other, operation) == [])
            let forbidden = await respond(
                operation.method, path, peer: DocumentConformanceTests.stranger)
            #expect(forbidden.status == 403, "\(operation)")
            #expect(faults(forbidden, operation) == [])
        }
    }

    @Test(arguments: [
        HTTPServerRefusal.malformed("x"), .late, .tooLarge(limit: 1), .tooManyConnections,
        .tooMuchHeld, .stopping,
    ])
    func `what the HTTP server refuses by itself fits everywhere`(refusal: HTTPServerRefusal) throws
    {
        let body = try JSONValue(parsing: ControlServer.document(for: refusal))
        var headers = [("content-type", "application/problem+json")]
        if let seconds = refusal.retryAfter { headers.append(("retry-after", "\(seconds)")) }
        let response = HTTPServerResponse(
            status: refusal.status, headers: headers, body: .bytes([]))
        for operation in document.operations {
            #expect(document.faults(of: response, body: body, to: operation) == [])
        }
    }

    @Test(arguments: [
        ("{", "application/json", 400), (#"{"service": "warehouse"}"#, "application/json", 400),
        ("{}", "text/plain", 415),
    ])
    func `a body that cannot be fits`(body: String, type: String, status: Int) async throws {
        let operation = try #require(document.operation("POST /v1/watches"))
        let response = await respond("POST", operation.path, body: body, type: type)
        #expect(response.status == status)
        #expect(faults(response, operation) == [])
    }

    @Test func `several values at fault, and a watch of other settings, fit`() async throws {
        let operation = try #require(document.operation("POST /v1/watches"))
        let errors = JSONValue.array([.string("ids[1]: the ID is empty"), .string("poll.max: x")])
        for (problem, status) in [
            (Problem(.badBody, "x", members: [.init("errors", errors)]), 400),
            (Problem(.conflict, "x"), 409), (Problem(.unavailable, "x"), 503),
        ] {
            backend.edit { $0.failure = problem }
            let response = await respond("POST", operation.path)
            #expect(response.status == status)
            #expect(faults(response, operation) == [])
        }
    }

    @Test(arguments: [
        (AskedWatches(service: "warehouse", ids: ["1"]), true),
        (AskedWatches(service: "warehouse", ids: ["1", "a/b \u{E9}"], notify: []), true),
        (
            AskedWatches(
                service: "krixik", ids: ["1"], label: "l", group: "g", pipeline: "p",
                notify: ["log"],
                poll: .init(initial: "1s", factor: "1.5", maximum: "30s", jitter: "10%"),
                deadline: "none", pendingAfter: "1m30s", stallAfter: "1ms", notFoundGrace: "0"),
            true
        ),
        (AskedWatches(service: "warehouse", ids: []), false),
        (AskedWatches(service: "warehouse", ids: ["1"], label: "a\nb"), false),
        (AskedWatches(service: "warehouse", ids: ["1"], deadline: "0s"), false),
        (AskedWatches(service: "warehouse", ids: ["1"], deadline: "soon"), false),
        (AskedWatches(service: "warehouse", ids: ["1"], poll: .init(factor: "0.5")), false),
        (AskedWatches(service: "warehouse", ids: ["1"], poll: .init(jitter: "101%")), false),
    ])
    func `a request that a client writes fits, and one that cannot be does not`(
        asked: AskedWatches, fits: Bool
    ) throws {
        let operation = try #require(document.operation("POST /v1/watches"))
        let schema = try #require(
            operation.value["requestBody"]?["content"]?["application/json"]?["schema"])
        let faults = document.schema.faults(of: try JSONValue(parsing: asked.json), against: schema)
        #expect(faults.isEmpty == fits, "\(faults)")
    }

    @Test(arguments: [Problem.Code.unavailable, .conflict])
    func `a backend that cannot fits, wherever the document has it`(code: Problem.Code) async {
        backend.edit { $0.failure = Problem(code, "Not now.") }
        var count = 0
        // What the daemon knows without its database is answered all the same.
        let always = [
            "/v1/reload", "/v1/status", "/v1/openapi.json", "/metrics", "/healthz", "/readyz",
        ]
        for operation in document.operations where operation.has(code.status) {
            let problem = HTTPServerResponse(
                status: code.status,
                headers: [
                    ("content-type", "application/problem+json"), ("cache-control", "no-store"),
                ], body: .bytes(Problem(code, "Not now.").json))
            guard faults(problem, operation) == [], !operation.takesBody,
                !always.contains(operation.path)
            else { continue }
            let query =
                operation.path.hasSuffix("deliveries/redeliver") ? [("state", "failed")] : []
            let response = await respond(operation.method, operation.examplePath, query)
            #expect(response.status == code.status, "\(operation)")
            #expect(faults(response, operation) == [])
            count += 1
        }
        #expect(count >= 4)
    }

    @Test(arguments: [
        ("GET", "/v1/watches/{service}/{id}", "/v1/watches/a/b", 404),
        ("GET", "/v1/watches/{service}/{id}/transitions", "/v1/watches/a/b/transitions", 404),
        ("POST", "/v1/watches/{service}/{id}/poll", "/v1/watches/a/b/poll", 404),
        ("POST", "/v1/watches/{service}/{id}/rewatch", "/v1/watches/a/b/rewatch", 404),
        ("GET", "/v1/deliveries/{id}", "/v1/deliveries/a", 404),
        ("POST", "/v1/deliveries/{id}/redeliver", "/v1/deliveries/a/redeliver", 404),
        ("POST", "/v1/receivers/{name}/test", "/v1/receivers/a/test", 404),
        ("DELETE", "/v1/watches/{service}/{id}", "/v1/watches/a/b", 404),
        ("DELETE", "/v1/watches/{service}/{id}", "/v1/watches/warehouse/12", 409),
        ("GET", "/v1/watches/{service}/{id}", "/v1/watches/a/%zz", 400),
        ("GET", "/v1/watches/{service}/{id}", "/v1/watches/a//b", 404),
    ])
    func `what is not there fits`(
        method: String, name: String, path: String, status: Int
    ) async throws {
        let operation = try #require(document.operation("\(method) \(name)"))
        let response = await respond(method, path)
        #expect(response.status == status)
        #expect(faults(response, operation) == [])
    }

    @Test func `a faulty configuration, and a daemon that stands still or starts, fit`()
        async throws
    {
        backend.edit { state in
            state.reload = ReloadView(isOK: false, errors: ["a:1:1: x"], warnings: ["a:2:1: y"])
            state.health = HealthView(isOK: false, reasons: ["no poll for 5m"])
            state.readiness = HealthView(isOK: false, reasons: ["the daemon is starting"])
        }
        let reload = try #require(document.operation("POST /v1/reload"))
        let refused = await respond("POST", "/v1/reload")
        #expect(refused.status == 422)
        #expect(faults(refused, reload) == [])
        for path in ["/healthz", "/readyz"] {
            let ill = await respond("GET", path)
            #expect(ill.status == 503)
            #expect(faults(ill, try #require(document.operation("GET \(path)"))) == [])
        }
    }

    // MARK: The document itself

    @Test func `every example in the document fits its own schema`() {
        var count = 0
        func look(_ value: JSONValue, _ place: String) {
            var examples = value["examples"]?.arrayValue ?? []
            var schema = value
            if let own = value["schema"] {
                schema = own
                examples = (value["examples"]?.members ?? []).compactMap { $0.value["value"] }
                examples += value["example"].map { [$0] } ?? []
            }
            for example in examples {
                count += 1
                #expect(document.schema.faults(of: example, against: schema) == [], "\(place)")
            }
            for member in value.members ?? [] where member.name != "examples" {
                look(member.value, "\(place).\(member.name)")
            }
            for element in value.arrayValue ?? [] { look(element, place) }
        }
        look(document.value, "")
        #expect(count >= 10)
    }

    @Test func `every event type stands in the document`() {
        let types = document.value["components"]?["schemas"]?["EventType"]?["enum"]?.arrayValue
        #expect(types?.compactMap(\.stringValue) == EventType.all.map(\.name))
    }

    /// A schema that stands in no answer and takes no parameter would be held by nothing.
    @Test func `every component is referred to`() throws {
        let text = document.value.text
        for kind in ["schemas", "responses", "parameters", "headers", "links"] {
            for member in document.value["components"]?[kind]?.members ?? [] {
                let reference = "\"#/components/\(kind)/\(member.name)\""
                #expect(text.contains(reference), "\(reference)")
            }
        }
    }
}
