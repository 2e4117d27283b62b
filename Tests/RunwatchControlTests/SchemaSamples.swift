import RunwatchControl
import RunwatchCore

/// Values in which every key has a value, in the forms that the document asks for.
enum SchemaSamples {
    static let deliveryID = "msg_01KAPR6YG3X4M8W0Q2V7ZB5T9E"
    private static let digestID = "msg_01KAPR6YG3X4M8W0Q2V7ZB5T9F"

    /// A daemon with one of everything; `warehouse/12`, the receiver `ops`, the delivery of `deliveryID`.
    static func backend() -> FakeBackend {
        let backend = FakeBackend(watches: [watch, Samples.watch("krixik/a/b c%2F\"ü", .unknown)])
        backend.edit { state in
            state.status = status
            state.deliveries = [delivery(.failed), delivery(.pending)]
            state.tests = ["ops": delivery(.delivered, type: "receiver.test")]
            state.reload = ReloadView(isOK: true, added: 1, removed: 2, changed: 3, warnings: ["w"])
        }
        for event in events { backend.commit(event.json) }
        return backend
    }

    static var watch: WatchView {
        var watch = Samples.wholeWatch
        watch.nextPollAt = Samples.noon
        watch.lastPoll = LastPollView(
            at: Samples.noon, outcome: "failed", reason: "unavailable", status: 503,
            duration: .milliseconds(12), isCommon: true, message: "HTTP 503")
        watch.nextPoll = NextPollView(
            at: Samples.noon, reason: "service", detail: "the service is down")
        watch.settings = WatchSettingsView(
            WatchSettings(
                deadline: .seconds(7200), pendingAfter: .seconds(60), stallAfter: .seconds(90),
                notify: ["log", "ops"]))
        watch.prospects = ["timeout", "lost", "stalled"].map {
            ProspectView(what: $0, at: Samples.noon, detail: "unless the run has ended by then")
        }
        watch.deliveries = [delivery(.pending), delivery(.failed), delivery(.delivered)]
        return watch
    }

    static func delivery(
        _ state: DeliveryView.State, type: String = "run.complete"
    ) -> DeliveryView {
        DeliveryView(
            id: deliveryID, receiver: "ops", type: type, name: "warehouse/12", state: state,
            createdAt: Samples.noon, finishedAt: Samples.noon, nextAttemptAt: Samples.noon,
            nextAttemptReason: "its receiver fails", digest: digestID, earlierAttempts: 6,
            attempts: ["retry", "failed", "delivered"].map {
                AttemptView(
                    at: Samples.noon, outcome: $0, status: 500, duration: .milliseconds(90_120),
                    message: "HTTP 500: try later")
            })
    }

    static var status: StatusView {
        StatusView(
            startedAt: Samples.noon, watches: [.running: 3],
            services: [ServiceHealth.up, .degraded, .down].map {
                ServiceView(
                    name: "warehouse", kind: "kinetica", health: $0, since: Samples.noon,
                    lastError: "HTTP 503", nextProbe: Samples.noon, lateness: .zero, failures: 2,
                    reason: "unavailable", waiting: 9, late: .seconds(12), limit: "rate 30/m",
                    discoveries: [DiscoveryTroubleView(runTag: "nightly", error: "HTTP 400")])
            },
            receivers: [
                ReceiverView(
                    name: "ops", kind: "webhook", pending: 1, failed: 2,
                    oldestPending: Samples.noon, digestWindow: .seconds(86_400), isDisabled: true,
                    isFailing: true, lastError: "HTTP 410", restsUntil: Samples.noon,
                    nextTry: Samples.noon),
                ReceiverView(name: "old", kind: nil, isConfigured: false),
            ],
            configuration: ConfigurationView(
                file: "runwatch.yaml", loadedAt: Samples.noon, isOK: false, errors: ["a:1:1: x"],
                warnings: ["a:2:1: y"]),
            backlog: BacklogView(polls: 1, changes: 2, deliveries: 3),
            databaseError: "the disk is full", httpListen: "127.0.0.1:9464",
            notAdvancing: ["no poll for 5m"],
            unserved: [UnservedView(service: "gone", watches: 2)],
            problems: TroubleView.Code.allCases.map {
                TroubleView($0, subject: "ops", "x; mend it")
            })
    }

    /// One of each type that is recorded.
    static var events: [Event] {
        EventType.all.filter { $0 != .receiverTest }.map { type in
            Event(type: type, timestamp: Samples.noon, data: data(of: type))
        }
    }

    private static func data(of type: EventType) -> Event.Data {
        switch type {
        case .run(let state):
            var data = watch.data
            data.state = state
            return .run(data)
        case .runStalled: return .run(watch.data)
        case .serviceDown, .serviceUp:
            return .service(
                ServiceEventData(
                    service: "warehouse", kind: "kinetica", health: .down, since: Samples.noon,
                    reason: .tooLarge, message: "an answer of 9 MiB"))
        case .groupFinished:
            return .group(
                GroupEventData(
                    group: "nightly", counts: [.complete: 1, .error: 2], failed: ["warehouse/13"]))
        case .deliveryFailed:
            return .delivery(
                DeliveryEventData(
                    delivery: deliveryID, receiver: "ops", type: "digest", name: "warehouse/12",
                    attempts: 10, message: "HTTP 500"))
        case .receiverTest: return .test(receiver: "ops")
        }
    }
}
