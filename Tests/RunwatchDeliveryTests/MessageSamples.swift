import Dispatch
import RunwatchCore
import RunwatchDelivery
import RunwatchHTTP
import RunwatchStore
import TestSupport

/// Events and deliveries for the tests of what receivers send.
enum MessageSamples {
    static let moment = Timestamp(milliseconds: 1_795_336_200_123)
    /// Everything that breaks a careless message: markup of each service, ways out of JSON, broken lines,
    /// turned text, characters of many parts, a character without end.
    static let hostile =
        "<!channel> <@U1> &amp; *b* _i_ ~s~ `c` ||x|| [a](http://e.example) @everyone {{x}} \"\\\" "
        + "# h\r\n- l\n1. n\u{0}\u{7}\u{1b}[31m\u{7f}\u{85}\u{2028}\u{202e}شركة\u{2066} \u{200f}"
        + "👩‍👩‍👧‍👦🏳️‍🌈e\u{301} a\u{338}<\u{338} \u{FFFE}"
    static let endless = "z" + String(repeating: "\u{301}", count: 5000)

    static func recorded(
        _ type: EventType, _ subject: String, _ data: Event.Data, number: Int64 = 1
    ) -> RecordedEvent {
        RecordedEvent(
            number: number, type: type, timestamp: moment.advanced(by: .seconds(number)),
            subject: subject,
            json: Event(
                type: type, timestamp: moment.advanced(by: .seconds(number)), data: data
            ).json)
    }

    static func run(
        _ state: RunState = .complete, _ name: String = "warehouse/12", number: Int64 = 1,
        label: String? = "nightly-udf", group: String? = "nightly", message: String = "",
        stalled: Bool = false
    ) -> RecordedEvent {
        let name = WatchName(name) ?? WatchName(service: name, run: name)
        let data = RunEventData(
            name: name, kind: "kinetica", label: label, group: group, state: state,
            previousState: .running, sequence: Int(number) + 2,
            observedAt: moment.advanced(by: .seconds(1200)),
            notBefore: moment, watchedSince: moment, polls: 41,
            progress: Progress(done: 4, total: 4), message: message,
            detail: Array(#"{"total_ms":12345678901234567890.10}"#.utf8))
        return recorded(
            stalled ? .runStalled : .run(state), name.description, .run(data), number: number)
    }

    static func service(_ type: EventType, number: Int64 = 1) -> RecordedEvent {
        let isDown = type == .serviceDown
        return recorded(
            type, "warehouse",
            .service(
                ServiceEventData(
                    service: "warehouse", kind: "kinetica", health: isDown ? .down : .up,
                    since: moment, reason: isDown ? .timeout : nil,
                    message: isDown ? "no answer in 30s" : "")), number: number)
    }

    static func group(
        _ counts: [RunState: Int], failed: [String], number: Int64 = 1
    ) -> RecordedEvent {
        recorded(
            .groupFinished, "nightly",
            .group(GroupEventData(group: "nightly", counts: counts, failed: failed)),
            number: number)
    }

    static func failedDelivery(number: Int64 = 1) -> RecordedEvent {
        recorded(
            .deliveryFailed, "ops",
            .delivery(
                DeliveryEventData(
                    delivery: "msg_1", receiver: "ops", type: "run.complete",
                    name: "warehouse/12", attempts: 10, message: "HTTP 500")), number: number)
    }

    static func test(number: Int64 = 1) -> RecordedEvent {
        recorded(.receiverTest, "ops", .test(receiver: "ops"), number: number)
    }

    /// One event of each kind, hostile wherever text comes from outside.
    static var all: [RecordedEvent] {
        let stored = RecordedEvent(
            number: 90, type: .run(.error), timestamp: moment, subject: hostile,
            json: Array("{\"data\":3}".utf8))
        return [
            run(), run(.error, "warehouse/" + hostile, label: hostile, message: hostile),
            run(.killed, message: endless), run(.running, stalled: true),
            service(.serviceDown), service(.serviceUp),
            group([.complete: 10, .error: 2], failed: ["a/1", "b/" + hostile]),
            failedDelivery(), test(), stored,
        ]
    }

    static func delivery(_ event: RecordedEvent) -> PendingDelivery {
        PendingDelivery(id: "msg_01", receiver: "ops", event: event, attempts: 0)
    }

    static func digest(_ events: [RecordedEvent]) -> PendingDelivery {
        PendingDelivery(
            id: "msg_digest", receiver: "ops",
            digest: events.enumerated().map { index, event in
                .init(delivery: "msg_part\(index)", event: event)
            }, attempts: 0)
    }

    /// So many events of different runs, in order.
    static func many(_ count: Int, message: String = "") -> [RecordedEvent] {
        (1...count).map { number in
            run(
                number.isMultiple(of: 5) ? .error : .complete, "warehouse/run-\(number)-",
                number: Int64(number), message: message)
        }
    }

    /// Sends a delivery with a receiver of that kind, and waits for the outcome.
    static func attempt(
        _ kind: ReceiverSettings.Kind, _ delivery: PendingDelivery, _ end: ScriptedEnd,
        at moment: Timestamp = Timestamp(milliseconds: 1_700_000_000_999)
    ) async -> AttemptResult {
        let queue = DispatchQueue(label: "test")
        return await withCheckedContinuation { continuation in
            queue.async {
                receiver(kind, end, queue).attempt(delivery, at: moment) {
                    continuation.resume(returning: $0)
                }
            }
        }
    }

    private static func receiver(
        _ kind: ReceiverSettings.Kind, _ end: ScriptedEnd, _ queue: DispatchQueue
    ) -> any Receiver {
        let time = ManualTime()
        let transport = end.make(queue, .init())
        switch kind {
        case .webhook(let webhook):
            return WebhookReceiver(
                webhook, timeout: .seconds(15), time: time, transport: transport, queue: queue)
        case .chat(let chat):
            return ChatReceiver(
                chat, timeout: .seconds(15), time: time, transport: transport, queue: queue)
        case .stdout, .email, .exec: preconditionFailure("no HTTP")
        }
    }

    static func chat(_ service: ChatSettings.Service, text: String? = nil) -> ChatSettings {
        ChatSettings(
            service: service, url: Secret("https://chat.example.com/services/T0000/S3CR3T-PATH"),
            topic: service == .ntfy ? Secret("T0PIC-NAME") : nil,
            token: service == .ntfy ? Secret("tk_T0KEN") : nil, text: text)
    }
}

extension JSONValue {
    subscript(index: Int) -> JSONValue? {
        guard let elements = arrayValue, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    /// Every text in the value, names of members aside.
    var texts: [String] {
        switch self {
        case .null, .bool, .integer, .number: []
        case .string(let text): [text]
        case .array(let elements): elements.flatMap(\.texts)
        case .object(let members): members.flatMap(\.value.texts)
        }
    }
}
