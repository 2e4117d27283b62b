import RunwatchControl
import RunwatchCore
import RunwatchHTTP
import RunwatchLinux
import TestSupport
import Testing

/// The API's routes of deliveries and receivers.
@Suite struct DeliveryRouteTests {
    private let backend = FakeBackend()

    init() {
        backend.edit { state in
            state.deliveries = [
                Samples.delivery("msg_1", .delivered), Samples.delivery("msg_2"),
                Samples.delivery("msg_3", to: "log", .pending, attempts: []),
                Samples.delivery("msg_4"),
            ]
            state.status.receivers = [ReceiverView(name: "ops", kind: "webhook")]
        }
    }

    private func ask(
        _ method: String, _ path: String, _ query: [(String, String)] = []
    ) async -> (status: Int, body: JSONValue) {
        let server = ControlServer(
            backend: backend, rights: ControlRights(ownUser: 500, adminGroup: nil),
            time: ManualTime())
        let response = await server.respond(
            to: HTTPServerRequest(
                method: method, rawPath: path, query: query.map { (name: $0.0, value: $0.1) },
                peer: PeerCredentials(processID: 1, userID: 0, groupID: 0)))
        guard case .bytes(let bytes) = response.body else { return (response.status, .null) }
        return (response.status, (try? JSONValue(parsing: bytes)) ?? .null)
    }

    private func ids(_ list: JSONValue) -> [String] {
        list["deliveries"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
    }

    @Test func `conditions and the order reach the backend`() async {
        let all = await ask("GET", "/v1/deliveries")
        #expect(all.status == 200)
        #expect(ids(all.body) == ["msg_1", "msg_2", "msg_3", "msg_4"])
        #expect(all.body["next"] == nil)
        #expect(backend.edit { $0.lastDeliveryQuery } == DeliveryQuery())
        let some = await ask(
            "GET", "/v1/deliveries",
            [("state", "pending,failed"), ("receiver", "ops"), ("name", "warehouse/12")])
        #expect(ids(some.body) == ["msg_2", "msg_4"])
        #expect(
            backend.edit { $0.lastDeliveryQuery }
                == DeliveryQuery(
                    states: [.pending, .failed], receiver: "ops", name: "warehouse/12"))
        let newest = await ask("GET", "/v1/deliveries", [("order", "desc"), ("limit", "2")])
        #expect(ids(newest.body) == ["msg_4", "msg_3"])
    }

    @Test(arguments: ["asc", "desc"])
    func `pages follow each other by their cursors`(order: String) async {
        var seen: [String] = []
        var query = [("limit", "1"), ("order", order)]
        for _ in 0..<4 {
            let page = await ask("GET", "/v1/deliveries", query)
            seen += ids(page.body)
            guard let next = page.body["next"]?.stringValue else { break }
            query = [("limit", "1"), ("order", order), ("cursor", next)]
        }
        let all = ["msg_1", "msg_2", "msg_3", "msg_4"]
        #expect(seen == (order == "asc" ? all : all.reversed()))
        #expect(await ask("GET", "/v1/deliveries", query).body["next"] == nil)
    }

    @Test(arguments: [
        ("state", "done", "'done', which is no state; there are: pending, delivered, failed."),
        ("state", "failed,", "'', which is no state"), ("order", "newest", "must be asc or desc"),
        ("cursor", "7a", "not one that this list gave"),
        ("cursor", "zz", "not one that this list gave"),
        ("limit", "0", "from 1 to 1000"), ("since", "1h", "'since' is unknown here"),
    ])
    func `a parameter that cannot be read is a problem that says what can`(
        name: String, value: String, words: String
    ) async {
        let answer = await ask("GET", "/v1/deliveries", [(name, value)])
        #expect(answer.status == 400)
        #expect(answer.body["detail"]?.stringValue?.contains(words) == true)
    }

    @Test(arguments: ["ops", "a/b", "é.", "42.43"])
    func `a cursor holds a receiver whatever its name`(receiver: String) {
        let cursor = DeliveryCursor(eventNumber: 7, receiver: receiver)
        #expect(DeliveryCursor(cursor.text) == cursor)
        #expect(PercentEncoding.encode(cursor.text) == cursor.text)
    }

    @Test func `a delivery is found by its ID`() async {
        let answer = await ask("GET", "/v1/deliveries/msg_2")
        #expect(answer.status == 200)
        #expect(answer.body["id"] == .string("msg_2"))
        for (method, path) in [
            ("GET", "/v1/deliveries/msg_9"), ("POST", "/v1/deliveries/msg_9/redeliver"),
        ] {
            let missing = await ask(method, path)
            #expect(missing.status == 404)
            #expect(missing.body["type"] == .string("urn:runwatch:problem:no-such-delivery"))
        }
    }

    @Test func `a redelivery is accepted with the delivery`() async {
        let answer = await ask("POST", "/v1/deliveries/msg_2/redeliver")
        #expect(answer.status == 202)
        #expect(answer.body["state"] == .string("pending"))
        #expect(backend.edit { $0.redelivered } == ["msg_2"])
    }

    @Test func `all failed ones are redelivered only when that is said`() async {
        for query in [[], [("state", "pending")], [("state", "failed,pending")]] {
            let answer = await ask("POST", "/v1/deliveries/redeliver", query)
            #expect(answer.status == 400)
            #expect(answer.body["detail"]?.stringValue?.contains("state=failed") == true)
        }
        #expect(backend.edit { $0.redeliveredFailed.isEmpty })
        let all = await ask("POST", "/v1/deliveries/redeliver", [("state", "failed")])
        #expect(all.status == 202)
        #expect(all.body == .object([.init("redelivered", .integer(2))]))
        _ = await ask(
            "POST", "/v1/deliveries/redeliver", [("state", "failed"), ("receiver", "ops")])
        #expect(backend.edit { $0.redeliveredFailed } == [nil, "ops"])
        let unknown = await ask(
            "POST", "/v1/deliveries/redeliver", [("state", "failed"), ("receiver", "opps")])
        #expect(unknown.status == 404)
        #expect(
            unknown.body["detail"]
                == .string("There is no receiver 'opps'; did you mean 'ops'?"))
    }

    @Test func `a test of a receiver is answered with how it went`() async {
        backend.edit { $0.tests["o/p s"] = Samples.delivery("msg_t", .delivered) }
        let answer = await ask("POST", "/v1/receivers/o%2Fp%20s/test")
        #expect(answer.status == 200)
        #expect(answer.body["state"] == .string("delivered"))
        #expect(answer.body["attempts"]?.arrayValue?.count == 1)
        let unknown = await ask("POST", "/v1/receivers/none/test")
        #expect(unknown.status == 404)
        #expect(unknown.body["type"] == .string("urn:runwatch:problem:no-such-receiver"))
    }
}
