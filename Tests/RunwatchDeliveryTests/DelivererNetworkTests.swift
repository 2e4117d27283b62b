import RunwatchCore
import RunwatchDelivery
import RunwatchHTTP
import RunwatchLinux
import RunwatchStore
import TestSupport
import Testing

/// The deliverer with the real transport and a server on the loopback.
@Suite struct DelivererNetworkTests {
    private func deliverer(_ receivers: [ReceiverSettings], _ store: Store) async -> Deliverer {
        let deliverer = Deliverer(
            store: store, time: SystemTime(), logger: LogBook().logger, seed: 1, standardOutput: -1
        ) { CurlTransport(queue: $0, options: $1) }
        await store.onCommit { [weak deliverer] in deliverer?.wake($0.receivers) }
        await deliverer.apply(receivers)
        return deliverer
    }

    private func webhook(_ server: ScriptedTCPServer, timeout: Duration = .seconds(15))
        -> ReceiverSettings
    {
        ReceiverSettings(
            name: "ops",
            kind: .webhook(
                WebhookSettings(
                    url: Secret("http://127.0.0.1:\(server.port)/hook?x=1"),
                    secrets: [Secret(WebhookSignatureTests.secret)])),
            retry: [.zero] + Array(repeating: .milliseconds(20), count: 100), timeout: timeout)
    }

    private func owed(_ store: Store) async throws -> Int {
        let later = SystemTime().wallClock().advanced(by: .seconds(86_400))
        return try await store.dueDeliveries(
            for: "ops", now: later, limit: 100_000, excluding: []
        ).deliveries.count
    }

    @Test func `a webhook on the wire`() async throws {
        let server = ScriptedTCPServer { _ in
            [.forever([.request, .send("HTTP/1.1 204 No Content\r\n\r\n")])]
        }
        defer { server.stop() }
        let store = try Store(at: .memory)
        let deliverer = await deliverer([webhook(server)], store)
        let event = DelivererBench.event("a/1", ["ops"])
        store.submit(.event(event, stalled: nil))
        #expect(await server.hasRead(requests: 1))
        let request = try #require(server.requests.first)
        let headers = Dictionary(
            request.prefix { $0 != "{" }.split(separator: "\r\n").dropFirst().map {
                let parts = $0.split(separator: ":", maxSplits: 1)
                return (
                    parts[0].lowercased(),
                    parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
                )
            }
        ) { $0 + "," + $1 }
        #expect(request.hasPrefix("POST /hook?x=1 HTTP/1.1\r\n"))
        #expect(request.hasSuffix("\r\n\r\n" + String(decoding: event.json, as: UTF8.self)))
        #expect(headers["content-type"] == "application/json")
        let id = try #require(headers["webhook-id"])
        let timestamp = try #require(headers["webhook-timestamp"].flatMap { Int64($0) })
        let signature = try WebhookSignature(secrets: [Secret(WebhookSignatureTests.secret)])
        #expect(
            headers["webhook-signature"]
                == signature.header(id: id, timestamp: timestamp, body: event.json))
        try await eventually("nothing is owed") { try await owed(store) == 0 }
        await deliverer.drain(until: SystemTime().now().advanced(by: .seconds(10)))
        await store.close()
    }

    @Test func `errors, resets, redirects and silence are tried again until one answers`()
        async throws
    {
        let server = ScriptedTCPServer { connection in
            switch connection {
            case 0: [.request, .send("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n")]
            case 1: [.request, .reset]
            case 2: [.request, .send("nonsense\r\n\r\n")]
            case 3:
                [.request, .send("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")]
            case 4: [.request, .hold]
            default: [.request, .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")]
            }
        }
        defer { server.stop() }
        let store = try Store(at: .memory)
        let deliverer = await deliverer([webhook(server, timeout: .milliseconds(500))], store)
        store.submit(.event(DelivererBench.event("a/1", ["ops"]), stalled: nil))
        try await eventually("nothing is owed") {
            server.requests.count >= 6 ? try await owed(store) == 0 : false
        }
        let ids = server.requests.compactMap { request in
            request.split(separator: "\r\n").first { $0.lowercased().hasPrefix("webhook-id:") }
        }
        #expect(ids.count >= 6 && Set(ids).count == 1)
        await deliverer.drain(until: SystemTime().now().advanced(by: .seconds(10)))
        await store.close()
    }
}
