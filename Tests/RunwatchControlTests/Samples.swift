import RunwatchControl
import RunwatchCore

/// Values that the tests of this folder share.
enum Samples {
    /// 2026-11-22T08:30:00.123Z.
    static let noon = Timestamp(milliseconds: 1_795_336_200_123)

    static func ago(_ duration: Duration) -> Timestamp { noon.advanced(by: .zero - duration) }

    static func watch(
        _ name: String, _ state: RunState = .running, group: String? = nil
    ) -> WatchView {
        let name = WatchName(name) ?? WatchName(service: "warehouse", run: name)
        return WatchView(
            data: RunEventData(
                name: name, kind: "kinetica", group: group, state: state, previousState: .pending,
                sequence: 2, observedAt: ago(.seconds(180)), notBefore: ago(.seconds(182)),
                watchedSince: ago(.seconds(900)), polls: 41),
            lastPollAt: ago(.seconds(5)), nextPollAt: noon.advanced(by: .seconds(7)),
            origin: "watches.yaml:12", transitions: [], deliveries: [])
    }

    /// Every key has a value.
    static var wholeWatch: WatchView {
        WatchView(
            data: RunEventData(
                name: WatchName(service: "warehouse", run: "12"), kind: "kinetica",
                label: "nightly-udf", group: "nightly", state: .complete, previousState: .running,
                sequence: 3, observedAt: ago(.milliseconds(22)),
                notBefore: ago(.milliseconds(2033)), watchedSince: ago(.seconds(1200)), polls: 41,
                progress: Progress(done: 4, total: 4), message: "done",
                detail: Array(#"{"segments":4}"#.utf8)),
            lastPollAt: ago(.milliseconds(40)), nextPollAt: nil,
            nextPollReason: "the state is final", lastError: "HTTP 503", origin: "watches.yaml:12",
            transitions: [
                TransitionView(
                    sequence: 1, state: .pending, previousState: .unknown,
                    observedAt: ago(.seconds(1200))),
                TransitionView(
                    sequence: 2, state: .running, previousState: .pending,
                    observedAt: ago(.seconds(720)), notBefore: ago(.seconds(722)),
                    progress: Progress(done: 1, total: 4)),
                TransitionView(
                    sequence: 3, state: .complete, previousState: .running,
                    observedAt: ago(.milliseconds(22)), notBefore: ago(.milliseconds(2033)),
                    progress: Progress(done: 4, total: 4), message: "done",
                    detail: Array(#"{"segments":4}"#.utf8)),
            ],
            deliveries: [
                DeliveryView(
                    id: "msg_1", receiver: "ops", type: "run.complete", name: "warehouse/12",
                    state: .pending, createdAt: ago(.milliseconds(22)),
                    finishedAt: nil, nextAttemptAt: noon.advanced(by: .seconds(5)),
                    nextAttemptReason: "its receiver fails", digest: "msg_2", earlierAttempts: 6,
                    attempts: [
                        AttemptView(
                            at: ago(.milliseconds(10)), outcome: "retry", status: 500,
                            duration: .milliseconds(120), message: "HTTP 500: try later")
                    ])
            ])
    }

    static func delivery(
        _ id: String, to receiver: String = "ops", _ state: DeliveryView.State = .failed,
        attempts: [AttemptView] = [
            AttemptView(
                at: ago(.seconds(10)), outcome: "failed", status: 503,
                duration: .milliseconds(12), message: "HTTP 503: try later")
        ]
    ) -> DeliveryView {
        DeliveryView(
            id: id, receiver: receiver, type: "run.error", name: "warehouse/12", state: state,
            createdAt: ago(.seconds(60)), finishedAt: state == .pending ? nil : ago(.seconds(10)),
            attempts: attempts)
    }

    static var status: StatusView {
        StatusView(
            version: "0.1.0", startedAt: ago(.seconds(3 * 86_400 + 4 * 3600)),
            watches: [.running: 3, .pending: 1, .complete: 8],
            services: [
                ServiceView(
                    name: "krixik", kind: "krixik", health: .up, since: ago(.seconds(3600)))
            ],
            receivers: [ReceiverView(name: "log", kind: "stdout")],
            configuration: ConfigurationView(
                file: "/etc/runwatch/runwatch.yaml", loadedAt: ago(.seconds(3600))))
    }

    /// An event of that number, a second after the one before.
    static func event(_ number: Int64) -> EventView {
        let time = noon.advanced(by: .seconds(number))
        return EventView(
            number: number,
            json: Array(
                #"{"type":"service.up","timestamp":"\#(time)","data":{"service":"s\#(number)"}}"#
                    .utf8))
    }

    static func time(of event: EventView) -> Timestamp {
        let value = try? JSONValue(parsing: event.json)
        return value?["timestamp"]?.stringValue.flatMap { Timestamp(rfc3339: $0) } ?? noon
    }
}

extension WatchName {
    /// For names that stand in a test's text.
    init(literal text: String) {
        self = WatchName(text) ?? WatchName(service: "?", run: text)
    }
}
