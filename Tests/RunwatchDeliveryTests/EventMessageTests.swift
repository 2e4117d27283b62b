import RunwatchCore
import RunwatchStore
import Testing

@testable import RunwatchDelivery

@Suite struct EventMessageTests {
    @Test func `a run`() {
        let message = EventMessage(MessageSamples.run(message: "all segments done"))
        #expect(message.title == "warehouse/12 complete")
        #expect(
            message.text == """
                state: running → complete
                label: nightly-udf
                group: nightly
                watched for: 20m
                progress: 4/4
                all segments done
                """)
        #expect(
            message.fields.map(\.name) == ["state", "label", "group", "watched for", "progress"])
        #expect(message.message == "all segments done")
        #expect(message.severity == .good)
        #expect(message.timestamp == MessageSamples.moment.advanced(by: .seconds(1)))
        #expect(
            message.line == "warehouse/12 complete (nightly-udf, group nightly, 4/4, 41 polls): "
                + "all segments done")
    }

    @Test func `a stall was watched until it was told`() {
        let message = EventMessage(MessageSamples.run(.running, number: 90, stalled: true))
        #expect(message.title == "warehouse/12 stalled in running")
        #expect(message.fields.contains(.init(name: "watched for", value: "1m30s")))
        #expect(message.severity == .warning)
    }

    @Test func `a service`() {
        let down = EventMessage(MessageSamples.service(.serviceDown))
        #expect(down.title == "service warehouse down")
        #expect(
            down.text == "reason: timeout\nsince: \(MessageSamples.moment)\nno answer in 30s")
        #expect(down.severity == .bad)
        let up = EventMessage(MessageSamples.service(.serviceUp))
        #expect(up.title == "service warehouse up" && up.severity == .good)
    }

    @Test func `a group`() {
        let message = EventMessage(
            MessageSamples.group([.complete: 10, .error: 2], failed: ["a/1", "b/2"]))
        #expect(message.title == "group nightly finished: 10 complete, 2 error")
        #expect(message.message == "not complete: a/1 b/2")
        #expect(message.severity == .bad)
        #expect(
            message.line == "group nightly finished: 10 complete, 2 error: not complete: a/1 b/2")
        let good = EventMessage(MessageSamples.group([.complete: 3], failed: []))
        #expect(good.severity == .good && good.message.isEmpty)
    }

    @Test func `a group with more failures than names says how many are left out`() {
        let message = EventMessage(
            MessageSamples.group(
                [.complete: 10, .error: 5000, .lost: 1], failed: (1...100).map { "a/\($0)" }))
        #expect(message.message.hasSuffix("a/10 and 4991 more"))
    }

    @Test func `a failed delivery and a test`() {
        let failed = EventMessage(MessageSamples.failedDelivery())
        #expect(failed.title == "delivery to ops failed")
        #expect(
            failed.text
                == "event: run.complete of warehouse/12\nattempts: 10\ndelivery: msg_1\nHTTP 500")
        #expect(failed.severity == .bad)
        let test = EventMessage(MessageSamples.test())
        #expect(test.title == "test of receiver ops")
        #expect(test.text == "A test of receiver 'ops'")
        #expect(test.severity == .info)
    }

    @Test(arguments: [
        (RunState.pending, "info"), (.running, "info"), (.complete, "good"), (.error, "bad"),
        (.killed, "warning"), (.lost, "bad"), (.timeout, "bad"),
    ])
    func `how bad a state is`(state: RunState, severity: String) {
        #expect(EventMessage(MessageSamples.run(state)).severity.rawValue == severity)
    }

    @Test func `whatever an event holds, its texts are printable and its lines are lines`() {
        for event in MessageSamples.all {
            let message = EventMessage(event)
            #expect(!message.title.isEmpty)
            let texts =
                [message.title, message.message, message.line]
                + message.fields.flatMap { [$0.name, $0.value] }
            for scalar in texts.joined().unicodeScalars {
                #expect(scalar.value >= 0x20 && !(0x7F..<0xA0).contains(scalar.value))
                #expect(!(0x2028...0x202E).contains(scalar.value))
                #expect(!(0x2066...0x2069).contains(scalar.value) && scalar != "\u{200f}")
            }
            #expect(message.fields.allSatisfy { !$0.value.isEmpty })
            #expect(
                message.text.split(separator: "\n").count
                    == message.fields.count + (message.message.isEmpty ? 0 : 1))
        }
    }

    @Test func `what is only spaces is not said`() {
        let message = EventMessage(
            MessageSamples.run(label: " \n", group: "\u{2003}", message: " \r\n"))
        #expect(message.fields.map(\.name) == ["state", "watched for", "progress"])
        #expect(message.message.isEmpty && !message.line.hasSuffix(": "))
    }

    @Test func `an event that cannot be read is told by what the record knows`() {
        let event = RecordedEvent(
            number: 1, type: .run(.error), timestamp: MessageSamples.moment, subject: "a/1",
            json: Array("nonsense".utf8))
        let message = EventMessage(event)
        #expect(message.title == "a/1 error" && message.severity == .bad)
        #expect(message.text.isEmpty)
    }
}

@Suite struct DigestMessageTests {
    private func digest(_ events: [RecordedEvent]) -> DigestMessage {
        DigestMessage(MessageSamples.digest(events))
    }

    @Test func `the title counts, and every event has its line in order`() {
        let events = MessageSamples.many(12)
        let message = digest(events)
        #expect(message.title == "12 events: 10 complete, 2 error")
        #expect(message.lines.count == 12)
        for (index, line) in message.lines.enumerated() {
            #expect(line.hasPrefix("warehouse/run-\(index + 1)- "))
        }
        #expect(message.text == message.lines.joined(separator: "\n"))
        #expect(message.timestamp == events[11].timestamp)
        #expect(message.severity == .bad)
    }

    @Test func `every type has its word`() {
        let message = digest([
            MessageSamples.test(), MessageSamples.failedDelivery(),
            MessageSamples.group([.complete: 1], failed: []),
            MessageSamples.service(.serviceUp), MessageSamples.service(.serviceDown),
            MessageSamples.run(.running, stalled: true), MessageSamples.run(.killed),
        ])
        #expect(
            message.title == "7 events: 1 killed, 1 stalled, 1 service down, 1 service up, "
                + "1 group finished, 1 delivery failed, 1 test")
    }

    @Test func `the worst counts`() {
        #expect(digest([MessageSamples.run(.running), MessageSamples.test()]).severity == .info)
        #expect(digest([MessageSamples.run(.running), MessageSamples.run()]).severity == .good)
        #expect(digest([MessageSamples.run(.killed), MessageSamples.run()]).severity == .warning)
    }

    @Test func `a digest of one event reads like that event`() {
        let event = MessageSamples.run(message: "done")
        let message = digest([event])
        let alone = EventMessage(event)
        #expect(message.title == alone.title && message.text == alone.text)
        #expect(message.severity == alone.severity && message.timestamp == alone.timestamp)
    }

    @Test func `one event without end does not hide the others`() {
        let message = digest([
            MessageSamples.run(message: String(repeating: "é👩‍👩‍👧‍👦", count: 10_000)),
            MessageSamples.run(.error, "warehouse/13"),
        ])
        #expect(message.lines[0].utf8.count <= 500 && message.lines[0].hasSuffix("…"))
        #expect(message.lines[1].hasPrefix("warehouse/13 error"))
    }
}
