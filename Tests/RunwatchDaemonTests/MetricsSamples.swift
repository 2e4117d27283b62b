import RunwatchCore
import RunwatchDaemon
import RunwatchLinux
import RunwatchStore

@testable import RunwatchControl
@testable import RunwatchDelivery
@testable import RunwatchPolling

extension MetricsSnapshot {
    /// Every family has a sample.
    static func whole() -> MetricsSnapshot {
        var snapshot = MetricsSnapshot(
            now: Timestamp(milliseconds: 1_795_336_200_000),
            startedAt: Timestamp(milliseconds: 1_795_330_000_500))
        snapshot.services = [service("warehouse", rate: 20), service("krixik", rate: nil)]
        snapshot.receivers = [receiver("log"), receiver("ops")]
        snapshot.states = [("krixik", .running, 3), ("warehouse", .error, 1)]
        snapshot.backlog = [
            ("left", 1, 0, Timestamp(milliseconds: 1_795_336_260_000)),
            ("ops", 4, 2, Timestamp(milliseconds: 1_795_336_080_000)),
        ]
        snapshot.store.commits.add(0.004)
        snapshot.store.changes.add(17)
        snapshot.database.pendingChanges = 5
        snapshot.database.size = 4096
        snapshot.database.logSize = 0
        snapshot.configurationLoadedAt = snapshot.startedAt
        snapshot.events = ["run.complete": 9]
        snapshot.requests = [(ControlMeter.Count(route: "/v1/status", status: 200), 6)]
        snapshot.streams = 2
        snapshot.process = ProcessFigures.read()
        return snapshot
    }

    private static func service(_ name: String, rate: Double?) -> ServiceStatus {
        var polls = PollCounts()
        polls.answered = 40
        polls.failed[.throttled] = 2
        polls.hints = 1
        polls.transitions[Int(RunState.complete.rawValue)] = 3
        var lateness = LatenessMeter()
        lateness.add(.milliseconds(3))
        var durations = HistogramMeter()
        durations.add(0.2)
        return ServiceStatus(
            name: name, kind: "kinetica", health: .degraded, since: Timestamp(milliseconds: 0),
            failures: 1,
            active: 3, ready: 1, inFlight: 2, limits: ServiceLimits(concurrency: 8, rate: rate),
            pause: .seconds(7), discoveries: [], polls: polls, lateness: lateness,
            durations: durations)
    }

    private static func receiver(_ name: String) -> ReceiverStatus {
        ReceiverStatus(
            name: name, kind: "webhook", isDisabled: false, isFailing: true, inFlight: 1,
            concurrency: 16, meter: DeliveryMeter())
    }
}
