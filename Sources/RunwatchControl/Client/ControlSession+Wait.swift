package import RunwatchCore

extension ControlSession {
    /// Blocks until all of the watches (or any) are final.
    ///
    /// The stream of events is opened first, then each watch is asked for once: what ends in between is
    /// in the stream.
    package func wait(
        _ names: [WatchName], isAny: Bool, timeout: Duration?
    ) throws(ControlFailure) -> ExitStatus {
        var machine = WaitMachine(names: names, isAny: isAny)
        let deadline = timeout.map { time.now().advanced(by: $0) }
        let isOver: Bool
        if let timeout, timeout <= .zero {
            isOver = try !ask(&machine, deadline: nil, nil, WaitLook(self, nil))
        } else {
            isOver = try follow(&machine, deadline: deadline)
        }
        if isJSON { report(machine) }
        guard isOver, let outcome = machine.outcome else {
            output.warn(WaitText.timedOut(after: timeout ?? .zero, pending: machine.pending))
            return .timedOut
        }
        if outcome == .failed {
            output.warn(
                WaitText.unsuccessful(machine.unsuccessful, of: machine.names.count))
        }
        return outcome
    }

    private func follow(
        _ machine: inout WaitMachine, deadline: Instant?
    ) throws(ControlFailure) -> Bool {
        // The callbacks share the machine; they are called one after the other.
        var shared = machine
        let progress = WaitProgress(self)
        let look = WaitLook(self, progress)
        defer {
            progress?.end()
            machine = shared
        }
        return try followThroughRestarts(
            machine.streamPath, deadline: deadline,
            wake: { progress == nil ? -1 : self.progress?.newsDescriptor() ?? -1 },
            onOpen: { () throws(ControlFailure) in
                try ask(&shared, deadline: deadline, progress, look)
            },
            onMessage: { message in
                guard message.event.hasPrefix("run."),
                    // What is no JSON is no event of ours; the next connection asks again.
                    let event = try? JSONValue(parsing: message.data),
                    let watch = shared.told(event)
                else { return true }
                say(watch, progress)
                return shared.outcome == nil
            },
            onIdle: { (awaySince) throws(ControlFailure) in
                let next = try look.idle(shared.pending, isAway: awaySince != nil)
                return min(next, progress?.idle(&shared, awaySince) ?? .distantFuture)
            })
    }

    /// Asks for each watch that is not final yet; `false` when the wait is over.
    private func ask(
        _ machine: inout WaitMachine, deadline: Instant?, _ progress: WaitProgress?,
        _ look: WaitLook
    ) throws(ControlFailure) -> Bool {
        // A connection of its own: the stream's is busy, and waits in a callback for this.
        let asker = ControlClient(socket: client.socket, time: time)
        for name in machine.pending {
            var limit = Duration.seconds(30)
            if let deadline {
                limit = min(limit, max(.seconds(1), time.now().duration(to: deadline)))
            }
            let watch: WatchView = try asker.view(
                try asker.document(ControlPath.watch(name), within: limit))
            if let final = machine.asked(watch) {
                say(final, progress)
            } else {
                look.tell(watch)
            }
        }
        return machine.outcome == nil
    }

    private func say(_ watch: WatchView, _ progress: WaitProgress?) {
        guard !isJSON else { return }
        progress?.erase()
        _ = output.write(Array((WaitText.line(watch, style: style) + "\n").utf8))
    }

    /// One document with all the watches as they are now.
    private func report(_ machine: WaitMachine) {
        let documents = machine.names.map { name in
            // The daemon may have gone right after the last event: then what was seen last is the answer.
            (try? client.get(ControlPath.watch(name))) ?? machine.seen[name]?.json
        }
        _ = say(document: self.document("watches", documents.compactMap(\.self)))
    }
}
