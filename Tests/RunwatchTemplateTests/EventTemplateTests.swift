import RunwatchCore
import RunwatchTemplate
import Testing

/// Holds the keys that templates may use against what events really have.
@Suite struct EventTemplateTests {
    static let moment = Timestamp(milliseconds: 1_795_336_200_123)

    static let run = RunEventData(
        name: WatchName(service: "warehouse", run: "12"), kind: "kinetica", label: "nightly-udf",
        group: "nightly", state: .complete, previousState: .running, sequence: 3,
        observedAt: moment, notBefore: moment, watchedSince: moment, polls: 41,
        progress: Progress(done: 4, total: 4), message: "m", detail: Array(#"{"x":[1]}"#.utf8))
    static let service = ServiceEventData(
        service: "k", kind: "krixik", health: .down, since: moment, reason: .tooLarge, message: "m")
    static let group = GroupEventData(
        group: "nightly", counts: [.complete: 1, .lost: 1], failed: ["k/1"])
    static let delivery = DeliveryEventData(
        delivery: "id", receiver: "ops", type: "run.error", name: "k/1", attempts: 10, message: "m")

    static let samples: [Event.Data] = [
        .run(run), .service(service), .group(group), .delivery(delivery), .test(receiver: "ops"),
    ]

    /// A place among the samples for every case: a new one does not compile until it has one.
    static func index(_ data: Event.Data) -> Int {
        switch data {
        case .run: 0
        case .service: 1
        case .group: 2
        case .delivery: 3
        case .test: 4
        }
    }

    /// The paths of `value` that the keys lack, or have otherwise.
    static func strangers(_ value: JSONValue, _ keys: TemplateKeys?, _ path: String) -> [String] {
        switch (value, keys) {
        case (_, .anything): []
        case (.object(let members), .object):
            members.flatMap { strangers($0.value, keys?[$0.name], "\(path).\($0.name)") }
        case (.array(let elements), .list(let element)):
            elements.flatMap { strangers($0, element, path) }
        case (.string, .text), (.integer, .text), (.number, .text), (.bool, .text): []
        default: [path]
        }
    }

    @Test func `there is a sample of every kind of data`() {
        #expect(EventTemplateTests.samples.map(EventTemplateTests.index) == [0, 1, 2, 3, 4])
    }

    /// A member that is left out would be compared with nothing.
    @Test(arguments: [run, service, group, delivery] as [any Sendable])
    func `a sample has every member`(_ sample: any Sendable) {
        for child in Mirror(reflecting: sample).children {
            let mirror = Mirror(reflecting: child.value)
            #expect(
                mirror.displayStyle != .optional || mirror.children.count == 1,
                "'\(child.label ?? "")' is missing")
        }
    }

    @Test(arguments: 0..<samples.count)
    func `every key of an event's data is known to templates`(_ index: Int) throws {
        let event = Event(
            type: .receiverTest, timestamp: EventTemplateTests.moment,
            data: EventTemplateTests.samples[index])
        let value = try JSONValue(parsing: event.json)
        #expect(EventTemplateTests.strangers(value, .event, "") == [])
        let data = try #require(value["data"]?.members)
        for member in data {
            let name = "data.\(member.name)"
            #expect(try Template("{{\(name)}}").check(.event) == [], "\(name)")
            #expect(
                try Template("{{#events}}{{\(name)}}{{/events}}").check(.event) == [], "\(name)")
        }
    }

    /// Else the test above could not fail.
    @Test func `a key that is new is a stranger`() throws {
        let value = try JSONValue(parsing: #"{"data":{"run":1,"new":1,"progress":{"left":1}}}"#)
        #expect(
            EventTemplateTests.strangers(value, .event, "") == [".data.new", ".data.progress.left"])
    }

    /// What is promised to those who write templates.
    @Test(arguments: [
        "id", "receiver", "type", "timestamp", "name", "title", "text", "severity", "event",
        "event.data.detail.x", "data", "count", "data.progress.done", "data.detail.file_id",
        "data.counts.complete",
    ])
    func `a promised key is known`(_ name: String) throws {
        #expect(try Template("{{\(name)}}").check(.event) == [])
    }

    @Test func `a digest's template is known`() throws {
        let text = """
            {{count}} events for {{receiver}}:
            {{#events}}
            - {{title}} ({{severity}}, {{timestamp}}, {{id}}): {{{text}}} {{{event}}}
            {{#data.failed}}{{.}}{{/data.failed}}{{#data}}{{run}}{{service}}{{/data}}
            {{/events}}
            """
        #expect(try Template(text).check(.event) == [])
        #expect(
            try Template("{{data.rnu}}{{run}}").check(.event).map(\.message) == [
                "unknown key 'data.rnu'; did you mean 'data.run'?",
                "unknown key 'run'; did you mean 'data.run'?",
            ])
    }
}
