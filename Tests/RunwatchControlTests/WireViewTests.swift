import RunwatchControl
import RunwatchCore
import Testing

@Suite struct WireViewTests {
    private func roundTrip<View: WireView>(_ view: View) throws -> View {
        try View(json: JSONValue(parsing: view.json))
    }

    @Test func `a watch comes back as it was written`() throws {
        #expect(try roundTrip(Samples.wholeWatch) == Samples.wholeWatch)
        var bare = Samples.watch("a/b")
        bare.transitions = nil
        bare.deliveries = nil
        bare.nextPollAt = nil
        bare.lastPollAt = nil
        #expect(try roundTrip(bare) == bare)
    }

    @Test func `a watch has the keys of the contract`() throws {
        let value = try JSONValue(parsing: Samples.wholeWatch.json)
        #expect(
            value.members?.map(\.name) == [
                "name", "service", "kind", "run", "label", "group", "state", "previous_state",
                "sequence", "observed_at", "not_before", "watched_since", "polls", "progress",
                "message", "detail", "final", "last_poll_at", "next_poll_reason", "last_error",
                "origin", "transitions", "deliveries",
            ])
        #expect(value["name"] == .string("warehouse/12"))
        #expect(value["final"] == .bool(true))
        #expect(value["last_poll_at"] == .string("2026-11-22T08:30:00.083Z"))
        let delivery = try #require(value["deliveries"]?.arrayValue?.first)
        #expect(
            delivery.members?.map(\.name) == [
                "id", "receiver", "type", "name", "state", "created_at", "next_attempt_at",
                "next_attempt_reason", "digest", "earlier_attempts", "attempts",
            ])
        #expect(
            delivery["attempts"]?.arrayValue?.first?.text
                == #"{"at":"2026-11-22T08:30:00.113Z","outcome":"retry","status":500,"#
                + #""duration":"120ms","message":"HTTP 500: try later"}"#)
    }

    @Test func `a delivery comes back as it was written, with what it lacks left out`() throws {
        let failed = Samples.delivery("msg_1")
        #expect(try roundTrip(failed) == failed)
        let bare = DeliveryView(
            id: "msg_1", receiver: "ops", type: "run.error", name: "w/1", state: .pending)
        #expect(try roundTrip(bare) == bare)
        #expect(
            String(decoding: bare.json, as: UTF8.self)
                == #"{"id":"msg_1","receiver":"ops","type":"run.error","name":"w/1","#
                + #""state":"pending","attempts":[]}"#)
    }

    @Test func `a watch in a list has neither transitions nor deliveries`() throws {
        var watch = Samples.wholeWatch
        watch.transitions = nil
        watch.deliveries = nil
        let value = try JSONValue(parsing: watch.json)
        #expect(value["transitions"] == nil)
        #expect(value["deliveries"] == nil)
    }

    @Test func `the status comes back as it was written`() throws {
        var status = Samples.status
        status.services.append(
            ServiceView(
                name: "w", kind: "kinetica", health: .down, since: Samples.noon,
                lastError: "HTTP 401", nextProbe: Samples.noon, lateness: .milliseconds(1500)))
        status.receivers.append(
            ReceiverView(
                name: "ops", kind: "webhook", pending: 3, failed: 1, oldestPending: Samples.noon,
                isDisabled: true, isFailing: true, lastError: "HTTP 410"))
        status.receivers.append(
            ReceiverView(name: "old", kind: nil, isConfigured: false, failed: 2))
        status.configuration.isOK = false
        status.configuration.errors = ["a.yaml:1:2: bad"]
        status.configuration.warnings = ["a.yaml:1:3: warning: hm"]
        status.backlog = BacklogView(polls: 1, changes: 2, deliveries: 3)
        status.httpListen = "127.0.0.1:9788"
        #expect(try roundTrip(status) == status)
    }

    @Test func `the status has the keys of the contract, and counts every state`() throws {
        let value = try JSONValue(parsing: Samples.status.json)
        #expect(
            value.members?.map(\.name) == [
                "version", "started_at", "watches", "services", "receivers", "configuration",
                "backlog",
            ])
        #expect(
            value["watches"]?.text
                == #"{"unknown":0,"pending":1,"running":3,"complete":8,"error":0,"killed":0,"#
                + #""lost":0,"timeout":0}"#)
        #expect(
            value["configuration"]?.members?.map(\.name) == [
                "file", "loaded_at", "ok", "errors", "warnings",
            ])
    }

    @Test func `reload and health come back as they were written`() throws {
        let reload = ReloadView(
            isOK: false, added: 1, removed: 2, changed: 3, errors: ["e"], warnings: ["w"])
        #expect(try roundTrip(reload) == reload)
        let health = HealthView(isOK: false, reasons: ["no poll for 5m"])
        #expect(try roundTrip(health) == health)
    }

    @Test func `an event in a list begins with its number`() throws {
        let event = EventView(number: 7, json: Array(#"{"type":"run.lost","data":{}}"#.utf8))
        #expect(
            String(decoding: event.numbered, as: UTF8.self)
                == #"{"number":7,"type":"run.lost","data":{}}"#)
        #expect(try roundTrip(event) == event)
        #expect(event.type == "run.lost")
        let empty = EventView(number: 8, json: Array("{ }".utf8))
        #expect(String(decoding: empty.numbered, as: UTF8.self) == #"{"number":8 }"#)
        #expect(empty.type == nil)
        #expect(EventView(number: 9, json: Array("no JSON".utf8)).type == nil)
    }

    @Test(arguments: [
        (#"{"ok":1}"#, "ok: true or false was expected"),
        (#"{"ok":true,"errors":[1]}"#, "errors: a list of text was expected"),
        (#"{"ok":true,"added":"x"}"#, "added: a whole number was expected"),
        ("[]", "an object was expected"),
    ])
    func `an answer of another form is refused with its place`(text: String, fault: String) {
        #expect {
            try ReloadView(json: JSONValue(parsing: text))
        } throws: {
            "\($0)" == fault
        }
    }

    @Test func `a fault deep inside is named with its path`() throws {
        var text = String(decoding: Samples.wholeWatch.json, as: UTF8.self)
        text = text.replacing(#""duration":"120ms""#, with: #""duration":"120""#)
        #expect {
            try WatchView(json: JSONValue(parsing: text))
        } throws: {
            "\($0)"
                == "deliveries[0].attempts[0].duration: a duration such as 1m30s was expected"
        }
        let unknown = text.replacing(#""state":"complete""#, with: #""state":"napping""#)
        #expect(throws: WireError.self) { try WatchView(json: JSONValue(parsing: unknown)) }
    }

    @Test func `members that are new to this program are left alone`() throws {
        let value = try JSONValue(parsing: #"{"ok":true,"mood":"good","errors":null}"#)
        #expect(try ReloadView(json: value) == ReloadView(isOK: true))
    }

    @Test(arguments: Problem.Code.allCases)
    func `a problem is a document of RFC 9457 and comes back`(code: Problem.Code) throws {
        let problem = Problem(code, "Because.", members: [.init("errors", .array([.string("e")]))])
        let value = try JSONValue(parsing: problem.json)
        #expect(value["type"]?.stringValue == "urn:runwatch:problem:\(code.rawValue)")
        #expect(value["status"]?.integerValue == Int64(code.status))
        #expect(value["title"]?.stringValue?.isEmpty == false)
        #expect(value["detail"] == .string("Because."))
        #expect(Problem(json: value) == problem)
    }

    @Test func `what is no problem document is none`() throws {
        #expect(Problem(json: try JSONValue(parsing: "[]")) == nil)
        #expect(
            Problem(json: try JSONValue(parsing: #"{"type":"about:blank","detail":""}"#)) == nil)
    }

    @Test func `paths escape what a run's ID may hold`() {
        #expect(
            ControlPath.watch(WatchName(service: "w", run: "a/b c?d"), verb: "poll")
                == "/v1/watches/w/a%2Fb%20c%3Fd/poll")
        #expect(ControlPath.delivery("a/b", verb: "redeliver") == "/v1/deliveries/a%2Fb/redeliver")
        #expect(ControlPath.receiver("..", verb: "test") == "/v1/receivers/%2E%2E/test")
        #expect(ControlPath.watch(WatchName(service: "w", run: "..")) == "/v1/watches/w/%2E%2E")
        #expect(
            ControlPath.query("/v1/events", [("since", "1h"), ("cursor", nil), ("limit", "5")])
                == "/v1/events?since=1h&limit=5")
    }
}
