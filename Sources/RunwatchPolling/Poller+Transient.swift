package import RunwatchCore
package import RunwatchStore

// Transient watches: they come and go by request, and reloads leave them standing.
extension Poller {
    /// Adds transient watches, all of them or none, and polls what has not ended.
    ///
    /// - Parameter request: Checked by a configuration that may have been replaced since: of a service
    ///   that is gone nothing is added, and a receiver that is gone is told nothing.
    /// - Returns: For each run, in the same order, whether it was not watched before.
    package func add(
        _ runs: [String], as request: WatchRequest
    ) async throws(WatchRefusal) -> [Bool] {
        await turns.begin()
        defer { turns.end() }
        guard let service = services[request.service] else { throw .noSuchService }
        let addition: TransientAddition
        do {
            addition = try await store.add(
                runs, as: request, kind: service.settings.kind.name)
        } catch {
            throw .store(error.message)
        }
        switch addition {
        case .conflict(let conflict): throw .conflict(conflict)
        case .listed(let listed):
            let clock = Clockwork(time)
            for (run, entry) in zip(runs, listed) where entry.isNew {
                takeNew(transientSpecs.spec(run, of: request), entry.saved, clock)
            }
            arm()
            return listed.map(\.isNew)
        }
    }

    /// Ends a transient watch: nothing of it is polled or recorded from now on.
    ///
    /// When it was the last active one of its group, and others have ended, the group has finished.
    package func remove(_ name: WatchName) async throws(WatchRefusal) {
        await turns.begin()
        defer { turns.end() }
        guard let known = origin(of: name) else { throw .noSuchWatch }
        guard known.origin == .transient else { throw .listed(at: known.origin.description) }
        let finished = forget(name, Clockwork(time))
        // In its place among the changes: what was seen before is recorded before.
        store.submit(.removal(WatchRemoval(id: known.id, events: finished.map { [$0] } ?? [])))
        do {
            try await store.flush()
        } catch {
            throw .store(
                "'\(name)' is polled no more; that it is removed will be recorded as soon as the "
                    + "database can be written: \(error.message)")
        }
    }

    /// Forgets ended watches whose rows retention has deleted; each leaves its group.
    package func forget(_ pruned: [PrunedWatch]) {
        for watch in pruned {
            // One of that name may have been added since: its row is another.
            guard let end = ended[watch.name], end.id == watch.id else { continue }
            ended[watch.name] = nil
            leaveGroup(end.spec, ended: end.state)
        }
    }

    // MARK: Taking up

    /// Takes up the transient watches of the record, under a configuration that is being applied.
    func take(
        _ recorded: [TransientWatch], _ previouslyEnded: [WatchName: EndedWatch],
        _ clock: Clockwork
    ) {
        for watch in recorded {
            let spec = transientSpecs.spec(watch.saved.name.run, of: watch.request)
            if !watch.saved.state.isFinal, let reason = obstacle(to: spec),
                !endedMeanwhile.contains(spec.name)
            {
                park(ParkedWatch(id: watch.saved.id, spec: spec, reason: reason))
            } else if let service = services[spec.name.service] {
                take(
                    spec, watch.saved, service: service, discovery: nil, previouslyEnded, clock)
            } else {
                keep(watch, spec, previouslyEnded[spec.name])
            }
        }
    }

    /// Keeps a watch that has ended, and whose service is gone.
    private func keep(_ watch: TransientWatch, _ spec: WatchSpec, _ previous: EndedWatch?) {
        let saved = watch.saved
        keep(
            EndedWatch(
                id: saved.id, spec: spec,
                state: saved.state.isFinal ? saved.state : previous?.state ?? saved.state,
                sequence: max(Int32(clamping: saved.sequence), previous?.sequence ?? 0)))
    }

    /// Begins a watch that the record has just listed.
    private func takeNew(_ spec: WatchSpec, _ saved: SavedWatch, _ clock: Clockwork) {
        if let reason = obstacle(to: spec), !saved.state.isFinal {
            return park(ParkedWatch(id: saved.id, spec: spec, reason: reason))
        }
        guard let service = services[spec.name.service] else { return }
        if let index = service.watches[spec.run], let slot = watches[Int(index)] {
            // A discovery has met it while the store wrote.
            _ = leaveGroup(slot.spec, clock)
            return renew(index, spec, discovery: nil, clock)
        }
        if let end = ended.removeValue(forKey: spec.name) {
            leaveGroup(end.spec, ended: end.state)
            if end.id == saved.id {
                return keep(
                    EndedWatch(id: end.id, spec: spec, state: end.state, sequence: end.sequence))
            }
            // Retention has deleted the row of one that had ended: this is another one.
        }
        begin(spec, saved, service: service, discovery: nil, clock)
    }

    private func obstacle(to spec: WatchSpec) -> ParkedWatch.Reason? {
        guard let service = services[spec.name.service] else { return .noService }
        guard case .krixik = service.settings.kind else { return nil }
        return spec.parameters["pipeline"] == nil ? .noPipeline : nil
    }

    private func park(_ watch: ParkedWatch) {
        parked[watch.spec.name] = watch
        joinGroup(watch.spec)
    }

    // MARK: Letting go

    private func origin(of name: WatchName) -> (id: WatchID, origin: WatchOrigin)? {
        if let end = ended[name] { return (end.id, end.spec.origin) }
        if let watch = parked[name] { return (watch.id, watch.spec.origin) }
        guard let index = services[name.service]?.watches[name.run],
            let slot = watches[Int(index)]
        else { return nil }
        return (slot.id, slot.spec.origin)
    }

    /// Takes a watch out of every table, and out of its group.
    ///
    /// - Returns: That its group has finished, where that is so now and was not before.
    private func forget(_ name: WatchName, _ clock: Clockwork) -> NewEvent? {
        if let end = ended.removeValue(forKey: name) {
            leaveGroup(end.spec, ended: end.state)
            return nil
        }
        if let watch = parked.removeValue(forKey: name) {
            return leaveGroup(watch.spec, clock)
        }
        guard let index = services[name.service]?.watches[name.run],
            let slot = watches[Int(index)]
        else { return nil }
        writePhases(of: CollectionOfOne(Int(index)))
        remove(index)
        return leaveGroup(slot.spec, clock)
    }

    /// Takes an active watch out of its group; `group.finished`, if only ended ones are left.
    private func leaveGroup(_ spec: WatchSpec, _ clock: Clockwork) -> NewEvent? {
        guard let group = spec.group else { return nil }
        groups[group]?.active -= 1
        groups[group]?.leave(spec)
        guard let tally = groups[group], tally.isEmpty else { return groupFinished(group, clock) }
        groups[group] = nil
        return nil
    }

    private func leaveGroup(_ spec: WatchSpec, ended state: RunState) {
        guard let group = spec.group else { return }
        groups[group]?.revived(spec.name, from: state)
        groups[group]?.leave(spec)
        if groups[group]?.isEmpty == true { groups[group] = nil }
    }
}
