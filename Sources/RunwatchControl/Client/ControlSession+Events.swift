import RunwatchCore

extension ControlSession {
    /// How long a daemon may be away, as for a restart, before following it is given up.
    static let patience: Duration = .seconds(10)

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
    /// - Parameters:
    ///   - patience: How long the daemon may be away; `nil` for ever.
    ///   - wake: A descriptor that ends a wait when it can be read; -1 for none.
    ///   - onOpen: Called at each connection.
    ///   - onIdle: Called before each wait, with the moment since which the daemon is away, or `nil`; gives
    ///     when to be called again at the latest.
    /// - Returns: `false` when the deadline passed first.
    func followThroughRestarts(
        _ path: String, deadline: Instant?, patience: Duration? = ControlSession.patience,
        wake: () -> Int32 = { -1 }, onOpen: () throws(ControlFailure) -> Bool,
        onMessage: (EventStreamParser.Message) throws(ControlFailure) -> Bool,
        onIdle: (Instant?) throws(ControlFailure) -> Instant = { _ in .distantFuture }
    ) throws(ControlFailure) -> Bool {
        var lastEventID: String?
        var wasOpen = false
        var awaySince: Instant?
        while true {
            let end: ControlClient.StreamEnd
            do throws(ControlFailure) {
                end = try client.follow(
                    path, lastEventID: &lastEventID, deadline: deadline, wake: wake(),
                    onOpen: { () throws(ControlFailure) in
                        wasOpen = true
                        let goesOn = try onOpen()
                        awaySince = nil
                        return goesOn
                    },
                    onMessage: onMessage,
                    onIdle: { () throws(ControlFailure) in try onIdle(awaySince) })
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
                let away = since.duration(to: now)
                if let patience, away >= patience { throw failure }
                try pause(
                    until: now.advanced(by: ControlSession.retryPause(after: away)), wake: wake(),
                    onIdle: { () throws(ControlFailure) in try onIdle(since) })
            }
        }
    }

    /// Between two tries to reach a daemon that is away: a restart takes moments.
    private static func retryPause(after away: Duration) -> Duration {
        away < patience ? .milliseconds(100) : .seconds(1)
    }

    private func pause(
        until end: Instant, wake: Int32, onIdle: () throws(ControlFailure) -> Instant
    ) throws(ControlFailure) {
        while time.now() < end {
            let wanted = min(end, try onIdle())
            Pause.wait(time.now().duration(to: wanted), orUntilReadable: wake)
        }
    }
}
