import RunwatchControl
import RunwatchCore
import Testing

/// What the status names as not well.
@Suite struct StatusTroublesTests {
    private func codes(_ status: StatusView) -> [String] {
        status.troubles(now: Samples.noon).map(\.code)
    }

    private func service(_ health: ServiceHealth = .up) -> ServiceView {
        ServiceView(name: "warehouse", kind: "kinetica", health: health)
    }

    @Test func `a daemon that is well has no problems, and says so in JSON`() throws {
        var status = Samples.status
        #expect(status.troubles(now: Samples.noon).isEmpty)
        status.problems = []
        let value = try JSONValue(parsing: status.json)
        #expect(value["problems"] == .array([]))
        #expect(try StatusView(json: value) == status)
    }

    @Test func `everything comes at once in the order of its urgency, each on one line`() {
        var status = Samples.status
        status.notAdvancing = ["polls that are due are not being made"]
        status.databaseError = "disk full"
        status.backlog.changes = 12_000
        status.configuration.isOK = false
        status.configuration.errors = ["a.yaml:1:2: bad"]
        var late = service()
        late.waiting = 9
        late.late = .milliseconds(3200)
        late.discoveries = [DiscoveryTroubleView(runTag: "nightly", error: "HTTP 404")]
        status.services = [late, service(.degraded), service(.down)]
        status.unserved = [UnservedView(service: "old", watches: 3)]
        status.receivers = [
            ReceiverView(name: "a", kind: "webhook", failed: 2, isDisabled: true),
            ReceiverView(
                name: "b", kind: "webhook", lastError: "HTTP 429",
                restsUntil: Samples.noon.advanced(by: .seconds(30))),
            ReceiverView(name: "c", kind: "webhook", isFailing: true),
            ReceiverView(
                name: "d", kind: "webhook", pending: 4, oldestPending: Samples.ago(.seconds(90))),
            ReceiverView(name: "e", kind: nil, isConfigured: false, pending: 1),
        ]
        let troubles = status.troubles(now: Samples.noon)
        #expect(
            troubles.map(\.code) == [
                "not_advancing", "database", "configuration", "service_down", "service_degraded",
                "polls_late", "discovery", "unserved", "receiver_disabled", "receiver_failed",
                "receiver_resting", "receiver_failing", "receiver_behind",
                "receiver_unconfigured",
            ])
        #expect(troubles.allSatisfy { !$0.message.contains("\n") })
        #expect(troubles.map(\.subject).suffix(6) == ["a", "a", "b", "c", "d", "e"])
        #expect(
            troubles.first { $0.code == "polls_late" }?.message
                == "service 'warehouse': 9 polls held up, the first by 3.2s; raise its limits, or "
                + "poll less often")
        #expect(
            troubles.first { $0.code == "receiver_resting" }?.message
                == "receiver 'b' asked to be left alone: HTTP 429; tried again in 30s")
    }

    @Test func `what is a little late, a little old or just past is no problem`() {
        var status = Samples.status
        status.backlog = BacklogView(polls: 5, changes: 500, deliveries: 40)
        var busy = service()
        busy.waiting = 40
        busy.late = .milliseconds(999)
        status.services = [busy]
        status.receivers = [
            ReceiverView(
                name: "a", kind: "webhook", pending: 40, oldestPending: Samples.ago(.seconds(59)),
                restsUntil: Samples.ago(.seconds(1)))
        ]
        #expect(codes(status).isEmpty)
        status.backlog.changes = 10_000
        status.services[0].late = .seconds(1)
        status.receivers[0].oldestPending = Samples.ago(.seconds(60))
        #expect(codes(status) == ["disk_slow", "polls_late", "receiver_behind"])
    }

    @Test func `of a thousand errors the first twenty are named, and the way to the others`() {
        var status = Samples.status
        status.configuration.isOK = false
        status.configuration.errors = (1...1000).map { "a.yaml:\($0):1: bad" }
        let troubles = status.troubles(now: Samples.noon)
        #expect(troubles.count == 21)
        #expect(troubles.last?.message.contains("980 more errors") == true)
        #expect(troubles.last?.message.contains("runwatchctl check") == true)
        status.configuration.errors = []
        #expect(codes(status) == ["configuration"])
    }

    @Test(arguments: PollFailureReason.allCases)
    func `a service that is down names its remedy, where there is one`(
        reason: PollFailureReason
    ) throws {
        var status = Samples.status
        var down = service(.down)
        down.reason = reason.rawValue
        down.lastError = "words"
        down.failures = 4
        status.services = [down]
        let line = try #require(status.troubles(now: Samples.noon).first?.message)
        #expect(line.hasPrefix("service 'warehouse' is down (4 failures in a row): words"))
        #expect(line.hasSuffix("words") == (reason == .unavailable))
    }

    @Test func `the problems that the daemon names are shown as they are`() throws {
        var status = Samples.status
        status.problems = [TroubleView(.database, "disk\u{1B} full")]
        let text = StatusText.text(status, now: Samples.noon, style: .plain)
        #expect(text.hasPrefix("runwatchd 0.1.0: 1 problem\n  ! disk\\u{1b} full\n\n"))
        let value = try JSONValue(parsing: #"{"code":"newer","message":"m"}"#)
        #expect(try TroubleView(json: value).code == "newer")
    }

    @Test func `every code stands in the document of the API`() throws {
        let document = try JSONValue(parsing: ControlServer.document)
        let status = document["components"]?["schemas"]?["Status"]?["properties"]
        let codes = status?["problems"]?["items"]?["properties"]?["code"]?["examples"]?.arrayValue
        #expect(codes?.compactMap(\.stringValue) == TroubleView.Code.allCases.map(\.rawValue))
    }
}
