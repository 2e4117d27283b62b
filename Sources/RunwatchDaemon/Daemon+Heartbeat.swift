import Dispatch
import Logging
import RunwatchCore
import RunwatchDelivery
import RunwatchLinux
import RunwatchPolling
import RunwatchStore

extension Daemon {
    /// Feeds the watchdog, keeps the status line true and lets retention do its small steps.
    func beatHeart() {
        let timer = DispatchSource.makeTimerSource(queue: executor.queue)
        timer.setEventHandler { [weak self] in
            self?.assumeIsolated { daemon in
                _ = Task { await daemon.beat() }
            }
        }
        let watchdog = manager.watchdogInterval ?? .seconds(20)
        let interval = max(.milliseconds(250), min(watchdog / 3, .seconds(5)))
        timer.schedule(
            deadline: .now(), repeating: .nanoseconds(Int(interval.wholeNanoseconds)),
            leeway: .milliseconds(100))
        timer.activate()
        heartbeat = timer
    }

    private func beat() async {
        guard let parts, !isStopRequested else { return }
        // A part that stands still does not answer, and so nothing is fed.
        let troubles = await troubles()
        if troubles.isEmpty {
            tellManager { (manager) throws(SystemCallError) in try manager.feedWatchdog() }
        } else {
            logger.warning("not feeding the watchdog", metadata: ["because": "\(troubles)"])
        }
        let services = await parts.poller.serviceStatuses()
        let down = services.filter { $0.health == .down }.count
        let active = services.reduce(0) { $0 + $1.active }
        var status = "\(active) watches at \(services.count) services"
        if down > 0 { status += ", \(down) down" }
        if !keeper.isOK { status += "; the configuration has errors, the last good one is used" }
        if let trouble = parts.store.trouble { status += "; the database: \(trouble.message)" }
        tellManager { (manager) throws(SystemCallError) in try manager.status(status) }
        if pruning == nil { prune() }
    }

    /// What does not advance; empty when all is well.
    func troubles() async -> [String] {
        guard let parts else { return ["not started"] }
        var troubles: [String] = []
        if await !parts.poller.isAdvancing(patience: Daemon.patience) {
            troubles.append("polls that are due are not being made")
        }
        if parts.deliverer.isStuck(now: time.now()) {
            troubles.append("deliveries that are due are not being attempted")
        }
        if let trouble = parts.store.trouble { troubles.append(trouble.message) }
        return troubles
    }

    /// Deletes what retention no longer keeps, a little at a time.
    private func prune() {
        guard let parts, let retention else { return }
        pruning = Task {
            var hasMore = true
            while hasMore, !Task.isCancelled {
                let moment = time.wallClock().advanced(by: .zero - retention)
                do {
                    hasMore = try await parts.store.prune(before: moment, limit: 200)
                } catch {
                    logger.warning("retention: \(error)")
                    break
                }
                // A cancelled sleep ends the loop at its condition.
                try? await Task.sleep(for: .milliseconds(hasMore ? 50 : 0))
            }
            try? await Task.sleep(for: .seconds(600))
            pruning = nil
        }
    }
}
