import RunwatchControl
import RunwatchCore
import RunwatchDelivery
import RunwatchPolling
import RunwatchStore

// The daemon at a glance.
extension DaemonBackend {
    func status() async -> StatusView {
        let services = await poller.serviceStatuses()
        let receivers = await deliverer.status()
        // A status without some counts says more than none at all.
        let counts = await stateCounts() ?? []
        let backlog = await outbox() ?? []
        var states: [RunState: Int] = [:]
        for row in counts { states[row.state, default: 0] += row.count }
        var view = StatusView(
            startedAt: daemon.startedAt, watches: states,
            services: services.map(DaemonBackend.view),
            receivers: DaemonBackend.views(
                receivers,
                Dictionary(backlog.map { ($0.receiver, $0) }, uniquingKeysWith: { $1 })),
            configuration: daemon.notice.current,
            backlog: BacklogView(
                polls: services.reduce(0) { $0 + $1.ready }, changes: store.backlog,
                deliveries: backlog.reduce(0) { $0 + $1.pending }),
            databaseError: store.trouble?.message, httpListen: daemon.notice.httpListen,
            notAdvancing: await Daemon.standstills(
                poller, deliverer, now: daemon.time.now()),
            unserved: DaemonBackend.unserved(counts, services))
        view.problems = view.troubles(now: daemon.time.wallClock())
        return view
    }

    private static func view(_ service: ServiceStatus) -> ServiceView {
        ServiceView(
            name: service.name, kind: service.kind, health: service.health, since: service.since,
            lastError: service.lastError, nextProbe: service.nextProbeAt,
            // While it is not up, its own pauses make polls late, not the budget.
            lateness: service.ready > 0 && service.health == .up ? service.lateness.latest : nil,
            failures: service.failures, reason: service.reason?.rawValue, waiting: service.ready,
            late: service.late?.by, limit: service.late?.limit,
            discoveries: service.discoveries.map { .init(runTag: $0.runTag, error: $0.error) })
    }

    /// Watches that have not ended and whose service is not configured.
    private static func unserved(
        _ counts: [MetricsSnapshot.StateCount], _ services: [ServiceStatus]
    ) -> [UnservedView] {
        let configured = Set(services.map(\.name))
        var unserved: [UnservedView] = []
        for row in counts where !row.state.isFinal && !configured.contains(row.service) {
            if unserved.last?.service == row.service {
                unserved[unserved.count - 1].watches += row.count
            } else {
                unserved.append(UnservedView(service: row.service, watches: row.count))
            }
        }
        return unserved
    }

    // MARK: Counts

    /// Listed watches by service and state, sorted by service; `nil` when the database does not tell.
    func stateCounts() async -> [MetricsSnapshot.StateCount]? {
        if let counts = store.counts {
            return counts.watches.map { ($0.service, $0.state, $0.count) }
        }
        return try? await reader.stateCounts()
    }

    /// What each receiver is owed, sorted by receiver; `nil` when the database does not tell.
    func outbox() async -> [MetricsSnapshot.ReceiverBacklog]? {
        guard let counts = store.counts else { return try? await reader.backlog() }
        let owed = counts.deliveries.filter { $0.pending > 0 }.map(\.receiver)
        // Ages left out say more than no numbers.
        let oldest = (try? await reader.oldestPending(of: owed)) ?? [:]
        return counts.deliveries.map {
            ($0.receiver, $0.pending, $0.failed, oldest[$0.receiver])
        }
    }
}
