import RunwatchCore
import RunwatchStore
import RunwatchTemplate
import Testing

@testable import RunwatchDelivery

@Suite struct EventMessageValueTests {
    private func names(_ keys: TemplateKeys?) -> Set<String> {
        if case .object(let members) = keys { Set(members.keys) } else { [] }
    }

    private func names(_ value: JSONValue?) -> Set<String> {
        Set((value?.members ?? []).map(\.name))
    }

    private var deliveries: [PendingDelivery] {
        MessageSamples.all.map(MessageSamples.delivery)
            + [
                MessageSamples.digest(MessageSamples.all),
                MessageSamples.digest([MessageSamples.run()]),
            ]
    }

    @Test func `the value has exactly the keys that templates are checked against`() throws {
        guard case .list(of: let element)? = TemplateKeys.event["events"] else {
            Issue.record("events is a list")
            return
        }
        for delivery in deliveries {
            let value = EventMessage.value(of: delivery)
            #expect(value.members?.count == names(TemplateKeys.event).count)
            #expect(names(value) == names(TemplateKeys.event))
            for event in try #require(value["events"]?.arrayValue) {
                #expect(names(event) == names(element))
            }
        }
    }

    @Test func `all that events hold can be named in a template`() {
        var held: Set<String> = []
        for event in MessageSamples.all {
            let value = EventMessage.value(of: MessageSamples.delivery(event))
            held.formUnion(names(value["data"]))
        }
        #expect(held.subtracting(names(TemplateKeys.event["data"])) == [])
        #expect(names(TemplateKeys.event["data"]).subtracting(held) == [])
    }

    @Test func `one event stands at the top and in the list`() throws {
        let event = MessageSamples.run(message: "done")
        let value = EventMessage.value(of: MessageSamples.delivery(event))
        #expect(value["id"] == .string("msg_01") && value["receiver"] == .string("ops"))
        #expect(value["type"] == .string("run.complete"))
        #expect(value["name"] == .string("warehouse/12"))
        #expect(value["title"] == .string("warehouse/12 complete"))
        #expect(value["text"]?.stringValue?.hasSuffix("\ndone") == true)
        #expect(value["severity"] == .string("good"))
        #expect(value["timestamp"] == .string(event.timestamp.description))
        #expect(value["data"]?["label"] == .string("nightly-udf"))
        #expect(value["event"]?["data"] == value["data"])
        #expect(value["event"]?["type"] == value["type"])
        #expect(value["count"] == .integer(1))
        let only = try #require(value["events"]?[0])
        for key in [
            "id", "type", "timestamp", "name", "title", "text", "severity", "event", "data",
        ] {
            #expect(only[key] == value[key])
        }
    }

    @Test func `a digest`() throws {
        let events = MessageSamples.many(3)
        let value = EventMessage.value(of: MessageSamples.digest(events))
        #expect(value["id"] == .string("msg_digest") && value["type"] == .string("digest"))
        #expect(value["name"] == .string("") && value["data"] == .object([]))
        #expect(value["title"] == .string("3 events: 3 complete"))
        #expect(value["timestamp"] == .string(events[2].timestamp.description))
        #expect(value["count"] == .integer(3))
        #expect(value["event"]?["data"]?["count"] == .integer(3))
        #expect(value["event"]?["data"]?["events"]?[1]?["type"] == .string("run.complete"))
        let list = try #require(value["events"]?.arrayValue)
        #expect(list.map { $0["id"] } == (0..<3).map { .string("msg_part\($0)") })
        #expect(
            list.map { $0["name"] } == (1...3).map { .string("warehouse/run-\($0)-") })
    }

    @Test func `a digest of one has the words of its event`() {
        let event = MessageSamples.run(message: "done")
        let digest = EventMessage.value(of: MessageSamples.digest([event]))
        let alone = EventMessage.value(of: MessageSamples.delivery(event))
        #expect(digest["title"] == alone["title"] && digest["text"] == alone["text"])
        #expect(digest["type"] == .string("digest") && digest["count"] == .integer(1))
    }
}
