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
        // A part that stands still does not answer, and so nothing is fed. A database that cannot be
        // written is no standstill: a restart would gain nothing, and lose what waits to be written.
        let standstills = await standstills()
        if standstills.isEmpty {
            tellManager { (manager) throws(SystemCallError) in try manager.feedWatchdog() }
        }
        tellTroubles(standstills)
        let services = await parts.poller.serviceStatuses()
        let down = services.filter { $0.health == .down }.count
        let active = services.reduce(0) { $0 + $1.active }
        var status = "\(active) watches at \(services.count) services"
        if down > 0 { status += ", \(down) down" }
        if !keeper.isOK { status += "; the configuration has errors, the last good one is used" }
        if let trouble = parts.store.trouble { status += "; the database: \(trouble.message)" }
        tellManager { (manager) throws(SystemCallError) in try manager.status(status) }
        if pruning == nil { prune() }
        if memoryGivenBackAt.duration(to: time.now()) >= Daemon.memoryInterval {
            memoryGivenBackAt = time.now()
            ProcessMemory.giveBack()
        }
    }

    /// Tells the log of what begins and what ends, and not at each beat of what goes on.
    private func tellTroubles(_ standstills: [String]) {
        if standstills != standstillsTold, !standstills.isEmpty {
            logger.warning("not feeding the watchdog", metadata: ["because": "\(standstills)"])
        }
        standstillsTold = standstills
        let trouble = parts?.store.trouble?.message
        if let trouble, databaseTroubleTold == nil {
            logger.error("the database cannot be written, and is tried again: \(trouble)")
        } else if trouble == nil, databaseTroubleTold != nil {
            logger.notice("the database is written again")
        }
        databaseTroubleTold = trouble
    }

    /// What does not advance, and what cannot be written; empty when all is well.
    func troubles() async -> [String] {
        var troubles = await standstills()
        if let trouble = parts?.store.trouble { troubles.append(trouble.message) }
        return troubles
    }

    private func standstills() async -> [String] {
        guard let parts else { return ["not started"] }
        return await Daemon.standstills(parts.poller, parts.deliverer, now: time.now())
    }

    /// What does not advance although it could.
    static func standstills(
        _ poller: Poller, _ deliverer: Deliverer, now: Instant
    ) async -> [String] {
        var troubles: [String] = []
        if await !poller.isAdvancing(patience: Daemon.patience) {
            troubles.append("polls that are due are not being made")
        }
        if deliverer.isStuck(now: now) {
            troubles.append("deliveries that are due are not being attempted")
        }
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
