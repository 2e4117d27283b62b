import Glibc
import RunwatchControl
import RunwatchCore
import RunwatchDelivery
import RunwatchLinux
import RunwatchPolling
import RunwatchStore

// Figures, and whether the daemon is at work.
extension DaemonBackend {
    func health() async -> HealthView {
        let troubles = await daemon.troubles()
        return HealthView(isOK: troubles.isEmpty, reasons: troubles)
    }

    func readiness() async -> HealthView { await daemon.readiness() }

    func metrics() async -> [MetricFamily] {
        var snapshot = MetricsSnapshot(now: daemon.time.wallClock(), startedAt: daemon.startedAt)
        snapshot.services = await poller.serviceStatuses()
        snapshot.receivers = await deliverer.status()
        // What the database cannot say now is left out; the rest still helps.
        snapshot.states = await stateCounts()
        snapshot.backlog = await outbox()
        snapshot.store = store.figures
        snapshot.database.pendingChanges = store.backlog
        snapshot.database.isWritable = store.trouble == nil
        let database = daemon.options.paths.database
        snapshot.database.size = DaemonBackend.size(of: database)
        snapshot.database.logSize = DaemonBackend.size(of: "\(database)-wal")
        let configuration = daemon.notice.current
        snapshot.isConfigurationOK = configuration.isOK
        // The keeper's moment before the first configuration is 1970.
        let isLoaded = configuration.loadedAt.milliseconds > 0
        snapshot.configurationLoadedAt = isLoaded ? configuration.loadedAt : nil
        snapshot.events = daemon.eventMeter.all
        snapshot.requests = daemon.controlMeter.all
        snapshot.streams = hub.followerCount
        snapshot.process = ProcessFigures.read()
        return DaemonMetrics.families(of: snapshot)
    }

    private static func size(of path: String) -> Int? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_size : nil
    }
}
