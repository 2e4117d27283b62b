import Glibc
import RunwatchControl
import RunwatchCore
import Testing

/// The verbs of deliveries, over a socket.
@Suite struct DeliverySessionTests {
    private func live(_ deliveries: [DeliveryView]) throws -> LiveControl {
        let backend = FakeBackend()
        backend.edit { $0.deliveries = deliveries }
        return try LiveControl(backend)
    }

    private func ids(_ outcome: LiveControl.Outcome) -> [String] {
        outcome.document?["deliveries"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
    }

    @Test func `deliveries joins all pages, or gives the last of them, the oldest first`()
        async throws
    {
        let live = try live((1...2300).map { Samples.delivery("msg_\($0)") })
        let all = await live.run(json: true) { session throws(ControlFailure) in
            try session.deliveries(DeliveryQuery(), limit: nil)
        }
        #expect(all.exit == .done)
        #expect(ids(all) == (1...2300).map { "msg_\($0)" })
        #expect(all.document?.members?.map(\.name) == ["deliveries"])
        for limit in [3, 1500, 5000] {
            let last = await live.run(json: true) { session throws(ControlFailure) in
                try session.deliveries(DeliveryQuery(), limit: limit)
            }
            #expect(ids(last) == (1...2300).suffix(limit).map { "msg_\($0)" })
        }
        // No page is longer than what is wanted.
        #expect(live.backend.edit { $0.deliveryLimits.contains(3) })
        let table = await live.run { session throws(ControlFailure) in
            try session.deliveries(DeliveryQuery(), limit: 2)
        }
        #expect(table.output.lines.count == 3)
        #expect(table.output.lines.last?.hasSuffix("msg_2300") == true)
        await live.stop()
    }

    @Test func `deliveries passes its conditions on, and says when nothing meets them`()
        async throws
    {
        let live = try live([
            Samples.delivery("msg_1", .delivered), Samples.delivery("msg_2", .pending),
            Samples.delivery("msg_3"),
        ])
        let query = DeliveryQuery(states: [.pending, .failed], receiver: "ops")
        let found = await live.run(json: true) { session throws(ControlFailure) in
            try session.deliveries(query, limit: nil)
        }
        #expect(ids(found) == ["msg_2", "msg_3"])
        #expect(live.backend.edit { $0.lastDeliveryQuery } == query)
        let none = await live.run { session throws(ControlFailure) in
            try session.deliveries(DeliveryQuery(receiver: "a & b"), limit: nil)
        }
        #expect(none.text.isEmpty)
        #expect(none.warnings == ["no delivery matches"])
        let empty = await live.run(json: true) { session throws(ControlFailure) in
            try session.deliveries(DeliveryQuery(receiver: "a & b"), limit: 5)
        }
        #expect(empty.text == "{\"deliveries\":[]}\n")
        await live.stop()
    }

    @Test func `redeliver names each delivery, or gives its document`() async throws {
        // The tests may run as any user; only the server's answer matters where it may not change.
        let mayChange = geteuid() == 0
        let live = try live([Samples.delivery("msg_1"), Samples.delivery("msg_2")])
        let both = await live.run { session throws(ControlFailure) in
            try session.redeliver(["msg_1", "msg_2"])
        }
        #expect(both.exit == (mayChange ? .done : .denied))
        guard mayChange else { return await live.stop() }
        #expect(
            both.output.lines == [
                "msg_1 to ops: pending again, attempted now",
                "msg_2 to ops: pending again, attempted now",
            ])
        let one = await live.run(json: true) { session throws(ControlFailure) in
            try session.redeliver(["msg_1"])
        }
        #expect(one.document?["id"] == .string("msg_1"))
        let two = await live.run(json: true) { session throws(ControlFailure) in
            try session.redeliver(["msg_1", "msg_2"])
        }
        #expect(ids(two) == ["msg_1", "msg_2"])
        let missing = await live.run { session throws(ControlFailure) in
            try session.redeliver(["msg_9"])
        }
        #expect(missing.exit == .notFound)
        #expect(
            missing.warnings
                == ["There is no delivery 'msg_9'; `runwatchctl deliveries` shows them all."])
        await live.stop()
    }

    @Test func `redeliver of all that failed says how many`() async throws {
        guard geteuid() == 0 else { return }
        let live = try live([
            Samples.delivery("msg_1"), Samples.delivery("msg_2", .delivered),
            Samples.delivery("msg_3"),
        ])
        let text = await live.run { session throws(ControlFailure) in
            try session.redeliverFailed(receiver: nil)
        }
        #expect(text.text == "2 deliveries are pending again\n")
        let json = await live.run(json: true) { session throws(ControlFailure) in
            try session.redeliverFailed(receiver: "log")
        }
        #expect(json.text == "{\"redelivered\":0}\n")
        #expect(live.backend.edit { $0.redeliveredFailed } == [nil, "log"])
        let unknown = await live.run { session throws(ControlFailure) in
            try session.redeliverFailed(receiver: "opps")
        }
        #expect(unknown.exit == .notFound)
        await live.stop()
    }

    @Test func `test-receiver says what came back, and ends by it`() async throws {
        guard geteuid() == 0 else { return }
        let live = try live([])
        live.backend.edit { $0.tests["ops"] = Samples.delivery("msg_t") }
        let failed = await live.run { session throws(ControlFailure) in
            try session.testReceiver("ops")
        }
        #expect(failed.exit == .failed)
        #expect(failed.text == "ops: not delivered: HTTP 503 in 12ms: try later\n")
        live.backend.edit { $0.tests["ops"]?.state = .delivered }
        let json = await live.run(json: true) { session throws(ControlFailure) in
            try session.testReceiver("ops")
        }
        #expect(json.exit == .done)
        #expect(json.document?["state"] == .string("delivered"))
        let unknown = await live.run { session throws(ControlFailure) in
            try session.testReceiver("none")
        }
        #expect(unknown.exit == .notFound)
        #expect(
            unknown.warnings
                == ["There is no receiver 'none'; `runwatchctl status` shows them all."])
        await live.stop()
    }
}
