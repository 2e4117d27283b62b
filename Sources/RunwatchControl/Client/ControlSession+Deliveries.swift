import RunwatchCore

// What concerns deliveries and receivers.
extension ControlSession {
    /// How long all the failed deliveries of a long outage may take to become pending.
    private static let redeliveryLimit = Duration.seconds(600)
    /// Above the longest `timeout` that a receiver can have, one hour.
    private static let testLimit = Duration.seconds(3660)

    /// The deliveries, the oldest first.
    /// - Parameter limit: Only the last so many; `nil` for all.
    package func deliveries(
        _ query: DeliveryQuery, limit: Int?
    ) throws(ControlFailure) -> ExitStatus {
        let states = DeliveryView.State.allCases.filter(query.states.contains).map(\.rawValue)
        let parameters: [(String, String?)] = [
            ("state", states.isEmpty ? nil : states.joined(separator: ",")),
            ("receiver", query.receiver), ("name", query.name),
        ]
        let path = "/v1/deliveries"
        if let limit {
            let last = try latest(limit, path, parameters)
            if isJSON { return say(document: document("deliveries", last)) }
            return try say(last, of: query)
        }
        if isJSON { return try joined(path, "deliveries", parameters) }
        var table = DeliveryTableText(now: time.wallClock())
        _ = try pages(path, "deliveries", parameters) { (element) throws(ControlFailure) in
            table.append(try client.view(try client.parse(Array(element))))
            return true
        }
        return say(table, of: query)
    }

    /// Makes deliveries pending again, one after the other, and has them attempted now.
    package func redeliver(_ ids: [String]) throws(ControlFailure) -> ExitStatus {
        try each(ids, "deliveries") { (id) throws(ControlFailure) in
            let bytes = try client.post(ControlPath.delivery(id, verb: "redeliver"))
            guard !isJSON else { return bytes }
            _ = say(DeliveryText.redelivered(try client.view(try client.parse(bytes))))
            return bytes
        }
    }

    /// Makes all failed deliveries pending again.
    /// - Parameter receiver: Only this one's.
    package func redeliverFailed(receiver: String?) throws(ControlFailure) -> ExitStatus {
        let path = ControlPath.query(
            "/v1/deliveries/redeliver", [("state", "failed"), ("receiver", receiver)])
        let bytes = try client.post(path, within: ControlSession.redeliveryLimit)
        if isJSON { return say(document: bytes) }
        guard let count = try client.parse(bytes)["redelivered"]?.integerValue else {
            throw client.stranger("its answer does not say how many are pending again")
        }
        return say(DeliveryText.redelivered(count: Int(clamping: count)))
    }

    /// Has a `receiver.test` event sent, and says what came back.
    package func testReceiver(_ name: String) throws(ControlFailure) -> ExitStatus {
        let bytes = try client.post(
            ControlPath.receiver(name, verb: "test"), within: ControlSession.testLimit)
        let delivery: DeliveryView = try client.view(try client.parse(bytes))
        let exit: ExitStatus = delivery.state == .delivered ? .done : .failed
        if isJSON { return say(document: bytes, exit) }
        return say(DeliveryText.tested(delivery, style: style), exit)
    }

    // MARK: Lists

    /// The last elements of a list, the oldest first.
    private func latest(
        _ limit: Int, _ path: String, _ parameters: [(String, String?)]
    ) throws(ControlFailure) -> [[UInt8]] {
        var found: [[UInt8]] = []
        _ = try pages(path, "deliveries", parameters + [("order", "desc")], upTo: limit) {
            (element) throws(ControlFailure) in
            found.append(Array(element))
            return found.count < limit
        }
        return found.reversed()
    }

    private func say(
        _ documents: [[UInt8]], of query: DeliveryQuery
    ) throws(ControlFailure) -> ExitStatus {
        var table = DeliveryTableText(now: time.wallClock())
        for document in documents {
            table.append(try client.view(try client.parse(document)))
        }
        return say(table, of: query)
    }

    private func say(_ table: DeliveryTableText, of query: DeliveryQuery) -> ExitStatus {
        if table.isEmpty {
            output.warn(
                query == DeliveryQuery() ? "there are no deliveries" : "no delivery matches")
        }
        return say(table.text(style))
    }
}
