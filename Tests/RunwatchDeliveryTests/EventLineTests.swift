import RunwatchCore
import RunwatchStore
import Testing

@testable import RunwatchDelivery

@Suite struct EventLineTests {
    static let moment = Timestamp(milliseconds: 1_795_336_200_123)

    private func recorded(_ type: EventType, _ subject: String, _ data: Event.Data) -> RecordedEvent
    {
        RecordedEvent(
            number: 1, type: type, timestamp: Self.moment, subject: subject,
            json: Event(type: type, timestamp: Self.moment, data: data).json)
    }

    private func text(_ type: EventType, _ subject: String, _ data: Event.Data) -> String {
        String(decoding: EventLine.text(recorded(type, subject, data)), as: UTF8.self)
    }

    private func run(message: String = "", progress: Progress? = nil) -> RunEventData {
        RunEventData(
            name: WatchName(service: "warehouse", run: "12"), kind: "kinetica",
            label: "nightly-udf", state: .complete, previousState: .running, sequence: 3,
            watchedSince: Self.moment, polls: 41, progress: progress, message: message)
    }

    @Test func `a transition`() {
        #expect(
            text(.run(.complete), "warehouse/12", .run(run(progress: Progress(done: 4, total: 4))))
                == "\(Self.moment)  warehouse/12  running → complete  (nightly-udf, 4/4, 41 polls)\n"
        )
    }

    @Test func `a message follows, on the same line whatever it holds`() {
        let line = text(
            .run(.complete), "warehouse/12",
            .run(run(message: "first\nsecond\t\u{1b}[31mred\u{7f}\u{85}\u{2028}\u{202e}end")))
        #expect(
            line.hasSuffix(
                #"  first\nsecond\t\u{1b}[31mred\u{7f}\u{85}\u{2028}\u{202e}end"# + "\n"))
        #expect(line.utf8.count(where: { $0 == 0x0A }) == 1)
        #expect(!line.contains("\u{1b}"))
    }

    @Test func `a stall`() {
        var data = run()
        data.state = .running
        data.label = nil
        data.group = "nightly"
        #expect(
            text(.runStalled, "warehouse/12", .run(data))
                == "\(Self.moment)  warehouse/12  stalled in running  (group nightly, 41 polls)\n")
    }

    @Test func `a service`() {
        let data = ServiceEventData(
            service: "warehouse", kind: "kinetica", health: .down, since: Self.moment,
            reason: .timeout, message: "no answer in 30s")
        #expect(
            text(.serviceDown, "warehouse", .service(data))
                == "\(Self.moment)  warehouse  service down  (timeout, since \(Self.moment))"
                + "  no answer in 30s\n")
    }

    @Test func `a group`() {
        let data = GroupEventData(
            group: "nightly", counts: [.complete: 8, .error: 2], failed: ["a/1", "b/2"])
        #expect(
            text(.groupFinished, "nightly", .group(data))
                == "\(Self.moment)  nightly  group finished  (8 complete, 2 error)"
                + "  not complete: a/1 b/2\n")
    }

    @Test func `a failed delivery and a test`() {
        let data = DeliveryEventData(
            delivery: "msg_1", receiver: "ops", type: "run.complete", name: "warehouse/12",
            attempts: 10, message: "HTTP 500")
        #expect(
            text(.deliveryFailed, "ops", .delivery(data))
                == "\(Self.moment)  ops  delivery failed"
                + "  (run.complete of warehouse/12, 10 attempts, msg_1)  HTTP 500\n")
        #expect(
            text(.receiverTest, "log", .test(receiver: "log"))
                == "\(Self.moment)  log  receiver test  A test of receiver 'log'\n")
    }

    @Test func `JSON stays as it was stored, on one line`() {
        var event = recorded(.run(.complete), "warehouse/12", .run(run()))
        #expect(EventLine.json(event) == event.json + [0x0A])
        event.json = Array("{\"type\":\n\"x\",\r\n\"data\":{}}".utf8)
        #expect(
            String(decoding: EventLine.json(event), as: UTF8.self)
                == "{\"type\": \"x\",  \"data\":{}}\n")
    }

    @Test(arguments: [
        "", "[", "{\"data\":3}", "\u{0}", "{\"data\":{\"previous_state\":\"a\\nb\"}}",
    ])
    func `an event that cannot be read still makes one line`(json: String) {
        let event = RecordedEvent(
            number: 1, type: .run(.error), timestamp: Self.moment, subject: "a/b\nc",
            json: Array(json.utf8))
        let line = String(decoding: EventLine.text(event), as: UTF8.self)
        #expect(line.utf8.count(where: { $0 == 0x0A }) == 1)
        #expect(line.contains("a/b\\nc") && line.contains("→ error"))
    }
}
