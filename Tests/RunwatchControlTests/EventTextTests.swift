import RunwatchControl
import RunwatchCore
import Testing

@Suite struct EventTextTests {
    private func line(_ type: EventType, _ data: Event.Data) throws -> String {
        let event = Event(type: type, timestamp: Samples.noon, data: data)
        return EventText.line(try JSONValue(parsing: event.json), style: .plain)
    }

    @Test func `each type has its line`() throws {
        #expect(
            try line(.run(.complete), .run(Samples.wholeWatch.data))
                == "2026-11-22T08:30:00.123Z  run.complete     warehouse/12  "
                + "running → complete after 19m59s (done)")
        #expect(
            try line(
                .serviceDown,
                .service(
                    ServiceEventData(
                        service: "warehouse", kind: "kinetica", health: .down,
                        since: Samples.noon, reason: .connection, message: "refused")))
                == "2026-11-22T08:30:00.123Z  service.down     warehouse  connection (refused)")
        #expect(
            try line(
                .groupFinished,
                .group(
                    GroupEventData(
                        group: "nightly", counts: [.complete: 3, .error: 1], failed: ["w/1"])))
                == "2026-11-22T08:30:00.123Z  group.finished   group nightly  3 complete 1 error")
        #expect(
            try line(
                .deliveryFailed,
                .delivery(
                    DeliveryEventData(
                        delivery: "msg_1", receiver: "ops", type: "run.lost", name: "w/1",
                        attempts: 10, message: "HTTP 500")))
                == "2026-11-22T08:30:00.123Z  delivery.failed  w/1  to ops (HTTP 500)")
        #expect(
            try line(.receiverTest, .test(receiver: "ops"))
                == "2026-11-22T08:30:00.123Z  receiver.test    receiver ops  "
                + "(A test of receiver 'ops')")
    }

    @Test func `an event of another making is a line as well`() throws {
        #expect(
            EventText.line(
                try JSONValue(parsing: #"{"type":"new\u001b","data":[]}"#), style: .plain)
                == "  new\\u{1b}             ")
    }
}
