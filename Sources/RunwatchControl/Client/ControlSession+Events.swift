import RunwatchCore

extension ControlSession {
    /// How long a daemon may be away, as for a restart, before following it is given up.
    static let patience: Duration = .seconds(10)
    /// Between two tries to reach a daemon that is away.
    static let retryPause: Duration = .milliseconds(100)

    /// Writes recorded events; with `follow`, those to come until it is interrupted.
    /// - Parameter since: A duration or a time, as the API takes it; `nil` for all, or when following none
    ///   that is recorded already.
    package func events(since: String?, follow: Bool) throws(ControlFailure) -> ExitStatus {
        if follow { return try followEvents(since: since) }
        if isJSON { return try joined("/v1/events", "events", [("since", since)]) }
        var isAny = false
        _ = try pages("/v1/events", "events", [("since", since)]) {
            (element) throws(ControlFailure) in
            isAny = true
            return line(try client.parse(Array(element)))
        }
        if !isAny { output.warn("no event is recorded" + (since.map { " since \($0)" } ?? "")) }
        return .done
    }

    private func followEvents(since: String?) throws(ControlFailure) -> ExitStatus {
        let path = ControlPath.query("/v1/events/stream", [("since", since)])
        _ = try followThroughRestarts(
            path, deadline: nil, onOpen: { true },
            onMessage: { message throws(ControlFailure) in
                guard isJSON else { return line(try client.parse(message.data)) }
                guard let number = message.id.flatMap({ Int64($0) }) else { return true }
                return output.write(EventView(number: number, json: message.data).numbered + [0x0A])
            })
        return .done
    }

    private func line(_ event: JSONValue) -> Bool {
        output.write(Array((EventText.line(event, style: style) + "\n").utf8))
    }

    /// Follows a stream of events; when it breaks it is taken up after the last event, without a gap.
    /// - Parameter onOpen: Called at each connection.
    /// - Returns: `false` when the deadline passed first.
    func followThroughRestarts(
        _ path: String, deadline: Instant?, onOpen: () throws(ControlFailure) -> Bool,
        onMessage: (EventStreamParser.Message) throws(ControlFailure) -> Bool
    ) throws(ControlFailure) -> Bool {
        var lastEventID: String?
        var wasOpen = false
        var awaySince: Instant?
        while true {
            let end: ControlClient.StreamEnd
            do throws(ControlFailure) {
                end = try client.follow(
                    path, lastEventID: &lastEventID, deadline: deadline,
                    onOpen: { () throws(ControlFailure) in
                        wasOpen = true
                        let goesOn = try onOpen()
                        awaySince = nil
                        return goesOn
                    },
                    onMessage: onMessage)
            } catch {
                // A daemon that stops may still refuse; it is away as well.
                guard wasOpen, error.exit == .noDaemon else { throw error }
                end = .broken(error)
            }
            switch end {
            case .stopped: return true
            case .timedOut: return false
            case .broken(let failure):
                let now = time.now()
                if let deadline, now >= deadline { return false }
                guard wasOpen else { throw failure }
                let since = awaySince ?? now
                awaySince = since
                guard since.duration(to: now) < ControlSession.patience else { throw failure }
                Pause.wait(ControlSession.retryPause)
            }
        }
    }
}
