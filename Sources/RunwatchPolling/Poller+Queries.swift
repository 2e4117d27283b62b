package import RunwatchCore
package import RunwatchStore

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
    /// Polls a watch now, as far as its service's health and budget allow.
    package func pollNow(_ name: WatchName) throws(WatchRefusal) {
        if let end = ended[name] { throw .ended(end.state) }
        if let watch = parked[name] { throw .parked(watch.words) }
        guard let index = services[name.service]?.watches[name.run],
            let slot = watches[Int(index)]
        else { throw .noSuchWatch }
        guard !slot.isInFlight, !slot.isReady else { return }
        schedule(index, at: time.now(), as: .asked)
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
            schedule(fresh, at: clock.now, as: .afresh)
        } else if let end = ended.removeValue(forKey: name) {
            if let group = end.spec.group {
                groups[group]?.revived(name, from: end.state)
                groups[group]?.leave(end.spec)
            }
            let fresh = insert(end.spec, saved, service: service, discovery: nil, clock)
            schedule(fresh, at: clock.now, as: .afresh)
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
