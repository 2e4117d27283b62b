package import RunwatchCore
package import RunwatchStore

/// What the poller knows of a watch beyond the record.
package struct LiveWatch: Sendable, Equatable {
    package var polls: Int
    package var lastPollAt: Timestamp?
    /// When it will be asked next; `nil` while a request is under way.
    package var nextPollAt: Timestamp?
    /// Why then, for people.
    package var nextPollReason: String
    /// What went wrong at the last poll; no secrets.
    package var lastError: String?
}

/// A service at a glance.
package struct ServiceStatus: Sendable, Equatable {
    package var name: String
    package var kind: String
    package var health: ServiceHealth
    package var since: Timestamp
    /// The last failure; `nil` while the service is up.
    package var lastError: String?
    package var nextProbeAt: Timestamp?
    /// Watches that are being polled.
    package var active: Int
    /// Watches that are due and wait for the budget.
    package var ready: Int
    package var inFlight: Int
    package var polls: PollCounts
    package var lateness: LatenessMeter
}

/// Why a watch could not be acted on.
package enum WatchRefusal: Error, Hashable, Sendable {
    case noSuchWatch
    /// Its run has ended; `rewatch` starts it afresh.
    case ended(RunState)
    case store(String)
    /// A file or a discovery lists it, at that place: only there it can be changed.
    case listed(at: String)
    case conflict(WatchConflict)
    /// The service has left the configuration.
    case noSuchService
    /// It is listed and cannot be polled, for that reason.
    case parked(String)
}

extension Poller {
    /// What is known of the watches of those names; `nil` for one that is not being polled.
    package func live(_ names: [WatchName]) -> [LiveWatch?] {
        let clock = Clockwork(time)
        return names.map { name in
            if let watch = parked[name] {
                return LiveWatch(
                    polls: 0, lastPollAt: nil, nextPollAt: nil, nextPollReason: watch.words,
                    lastError: nil)
            }
            guard let index = services[name.service]?.watches[name.run],
                let slot = watches[Int(index)]
            else { return nil }
            return live(slot, clock)
        }
    }

    private func live(_ slot: WatchSlot, _ clock: Clockwork) -> LiveWatch {
        var next: Instant? = slot.dueAt
        let reason: String
        let service = slot.service
        if slot.isInFlight {
            next = nil
            reason = "a request is under way"
        } else if let probe = service.health.nextProbe(after: clock.now), probe > slot.dueAt {
            next = probe
            reason =
                service.health.failuresInARow > 0
                ? "the service is \(service.health.health.rawValue)"
                : "the service asked to wait (Retry-After)"
        } else if slot.isReady {
            next = max(clock.now, service.wakeAt ?? clock.now)
            reason = "due; \(service.ready.count) wait for the service's budget"
        } else if slot.machine.polls == 0 {
            reason = "the first poll, at its place in the first interval"
        } else {
            let quiet = slot.machine.step
            reason =
                quiet == 0
                ? "the first poll after a change"
                : "backoff: \(quiet) polls since the last change"
        }
        return LiveWatch(
            polls: Int(slot.machine.polls), lastPollAt: clock.timestamp(slot.machine.lastPollAt),
            nextPollAt: clock.timestamp(next), nextPollReason: reason,
            lastError: lastErrors[slot.id])
    }

    /// Every service, by name.
    package func serviceStatuses() -> [ServiceStatus] {
        let clock = Clockwork(time)
        return services.values.sorted { $0.name < $1.name }.map { service in
            let health = service.health
            return ServiceStatus(
                name: service.name, kind: service.settings.kind.name, health: health.health,
                since: service.healthSince,
                lastError: health.failuresInARow > 0 ? health.lastMessage : nil,
                nextProbeAt: nextProbe(of: health, clock),
                active: service.watches.count, ready: service.ready.count,
                inFlight: service.budget.inFlight, polls: service.polls,
                lateness: service.lateness)
        }
    }

    private func nextProbe(of health: ServiceHealthMachine, _ clock: Clockwork) -> Timestamp? {
        guard health.failuresInARow > 0 else { return nil }
        let probe: Instant = health.nextProbe(after: clock.now) ?? clock.now
        return clock.timestamp(probe)
    }

    /// Polls a watch now, as far as its service's health and budget allow.
    package func pollNow(_ name: WatchName) throws(WatchRefusal) {
        if let end = ended[name] { throw .ended(end.state) }
        if let watch = parked[name] { throw .parked(watch.words) }
        guard let index = services[name.service]?.watches[name.run],
            let slot = watches[Int(index)]
        else { throw .noSuchWatch }
        guard !slot.isInFlight, !slot.isReady else { return }
        schedule(index, at: time.now())
        arm()
    }

    /// Starts a watch afresh, as if it had never been polled; its history stays.
    package func rewatch(_ name: WatchName) async throws(WatchRefusal) {
        if let watch = parked[name] { throw .parked(watch.words) }
        guard services[name.service] != nil || ended[name] == nil else { throw .noSuchService }
        guard var known = known(name) else { throw .noSuchWatch }
        var saved: SavedWatch
        var before: Int
        repeat {
            do {
                saved = try await store.rewatch(known.id)
            } catch {
                // Retention may have deleted what nobody lists in a file.
                throw error.code == .notFound ? .noSuchWatch : .store(error.description)
            }
            // What was seen while the store wrote comes after it in the record, and has counted on: the
            // new life would give the same numbers again, and what has its number is not recorded.
            before = known.sequence
            known = self.known(name) ?? known
        } while known.sequence != before
        let clock = Clockwork(time)
        guard let service = services[name.service] else { throw .noSuchWatch }
        if let index = service.watches[name.run], let slot = watches[Int(index)] {
            if let group = slot.spec.group {
                groups[group]?.active -= 1
                groups[group]?.leave(slot.spec)
            }
            let spec = slot.spec
            let discovery = slot.discovery
            remove(index)
            let fresh = insert(spec, saved, service: service, discovery: discovery, clock)
            schedule(fresh, at: clock.now)
        } else if let end = ended.removeValue(forKey: name) {
            if let group = end.spec.group {
                groups[group]?.revived(name, from: end.state)
                groups[group]?.leave(end.spec)
            }
            let fresh = insert(end.spec, saved, service: service, discovery: nil, clock)
            schedule(fresh, at: clock.now)
        } else {
            // Removed, or dropped by a reload, while the store wrote.
            throw .noSuchWatch
        }
        arm()
    }

    /// A watch that is polled or has ended, and how many transitions it has had.
    private func known(_ name: WatchName) -> (id: WatchID, sequence: Int)? {
        if let end = ended[name] { return (end.id, Int(end.sequence)) }
        guard let index = services[name.service]?.watches[name.run],
            let slot = watches[Int(index)]
        else { return nil }
        return (slot.id, Int(slot.machine.sequence))
    }
}
