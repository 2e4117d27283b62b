import RunwatchCore
import Testing

@Suite struct EventTests {
    static let moment = Timestamp(milliseconds: 1_795_336_200_123)

    static func text(_ type: EventType, _ data: Event.Data) -> String {
        String(
            decoding: Event(type: type, timestamp: moment, data: data).json, as: UTF8.self)
    }

    @Test func `a run's event is written as promised`() {
        let run = RunEventData(
            name: WatchName(service: "warehouse", run: "12"), kind: "kinetica",
            label: "nightly-udf", group: "nightly", state: .complete, previousState: .running,
            sequence: 3, observedAt: Timestamp(milliseconds: 1_795_336_200_101),
            notBefore: Timestamp(milliseconds: 1_795_336_198_090),
            watchedSince: Timestamp(milliseconds: 1_795_335_000_000), polls: 41,
            progress: Progress(done: 4, total: 4), message: "")
        #expect(
            EventTests.text(.run(.complete), .run(run))
                == #"{"type":"run.complete","timestamp":"2026-11-22T08:30:00.123Z","data":{"#
                + #""service":"warehouse","kind":"kinetica","run":"12","label":"nightly-udf","#
                + #""group":"nightly","state":"complete","previous_state":"running","#
                + #""sequence":3,"observed_at":"2026-11-22T08:30:00.101Z","#
                + #""not_before":"2026-11-22T08:29:58.090Z","#
                + #""watched_since":"2026-11-22T08:10:00.000Z","polls":41,"#
                + #""progress":{"done":4,"total":4},"message":"","detail":{}}}"#)
    }

    @Test func `keys without a value are left out, and detail is taken as it is`() {
        let run = RunEventData(
            name: WatchName(service: "k", run: "a/\"b\""), kind: "krixik", state: .running,
            sequence: 1, watchedSince: Timestamp(milliseconds: 0), polls: 1, message: "é\n",
            detail: Array(#"{"file_id":"x"}"#.utf8))
        #expect(
            EventTests.text(.run(.running), .run(run))
                == #"{"type":"run.running","timestamp":"2026-11-22T08:30:00.123Z","data":{"#
                + #""service":"k","kind":"krixik","run":"a/\"b\"","state":"running","sequence":1,"#
                + #""watched_since":"1970-01-01T00:00:00.000Z","polls":1,"message":"é\n","#
                + #""detail":{"file_id":"x"}}}"#)
    }

    @Test func `a service's event is written`() {
        let down = ServiceEventData(
            service: "k", kind: "krixik", health: .down, since: Timestamp(milliseconds: 0),
            reason: .tooLarge, message: "")
        #expect(
            EventTests.text(.serviceDown, .service(down))
                == #"{"type":"service.down","timestamp":"2026-11-22T08:30:00.123Z","data":{"#
                + #""service":"k","kind":"krixik","health":"down","#
                + #""since":"1970-01-01T00:00:00.000Z","reason":"too_large"}}"#)
    }

    @Test func `a group's event counts by state in a fixed order`() {
        let group = GroupEventData(
            group: "nightly", counts: [.lost: 1, .complete: 4, .error: 2], failed: ["k/1", "k/2"])
        #expect(
            EventTests.text(.groupFinished, .group(group))
                == #"{"type":"group.finished","timestamp":"2026-11-22T08:30:00.123Z","data":{"#
                + #""group":"nightly","total":7,"counts":{"complete":4,"error":2,"lost":1},"#
                + #""failed":["k/1","k/2"]}}"#)
    }

    @Test func `events of deliveries and tests are written`() throws {
        let failed = DeliveryEventData(
            delivery: "id", receiver: "ops", type: "run.error", name: "k/1", attempts: 10,
            message: "HTTP 500")
        #expect(
            EventTests.text(.deliveryFailed, .delivery(failed))
                == #"{"type":"delivery.failed","timestamp":"2026-11-22T08:30:00.123Z","data":{"#
                + #""delivery":"id","receiver":"ops","type":"run.error","name":"k/1","#
                + #""attempts":10,"message":"HTTP 500"}}"#)
        let test = try JSONValue(
            parsing: EventTests.text(.receiverTest, .test(receiver: "o\"ps")))
        #expect(test["data"]?["receiver"]?.stringValue == "o\"ps")
    }
}
