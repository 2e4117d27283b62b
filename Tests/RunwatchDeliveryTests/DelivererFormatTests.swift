import RunwatchCore
import RunwatchDelivery
import RunwatchHTTP
import RunwatchLinux
import RunwatchStore
import TestSupport
import Testing

/// The deliverer with receivers that write messages of their own.
@Suite struct DelivererFormatTests {
    typealias Bench = DelivererBench

    // However slow the machine is, no delivery is given up.
    private let retry = [Duration.zero] + Array(repeating: .milliseconds(20), count: 10_000)

    @Test(arguments: ["standard", "cloudevents", "slack", "discord", "teams", "ntfy"])
    func `a digest that fails is sent again as it was, under its ID`(format: String) async throws {
        let webhook = WebhookSettings(
            url: Secret("https://hooks.test/"),
            format: WebhookSettings.Format(rawValue: format) ?? .standard)
        let kind =
            ChatSettings.Service(rawValue: format).map { .chat(MessageSamples.chat($0)) }
            ?? ReceiverSettings.Kind.webhook(webhook)
        let bench = try await Bench([
            ReceiverSettings(
                name: "ops", kind: kind, retry: retry,
                digest: DigestSettings(window: .seconds(3600), max: 3))
        ])
        bench.end.script { _ in .status(500) }
        for number in 1...3 { bench.submit("a/\(number)", ["ops"], number: number) }
        try await eventually("two attempts") { bench.end.seen.count >= 2 }
        // What comes meanwhile waits for the next message.
        bench.submit("a/4", ["ops"])
        bench.end.script { _ in .status(204) }
        try await eventually("it is delivered") {
            await bench.deliverer.status().first?.lastSuccessAt != nil
        }
        await bench.stop()
        let seen = bench.end.seen
        #expect(Set(seen.map(\.body)).count == 1 && Set(seen.map(\.id)).count == 1)
        let text = String(decoding: seen[0].body, as: UTF8.self)
        let places = try (1...3).map { number in
            try #require(text.firstRange(of: "a/\(number)")).lowerBound
        }
        #expect(places == places.sorted() && !text.contains("a/4"))
    }

    @Test func `a receiver that denies private addresses tells its transport`() async throws {
        let bench = try await Bench([
            ReceiverSettings(
                name: "ops",
                kind: .webhook(
                    WebhookSettings(
                        url: Secret("https://ops.test/"), peer: PeerSettings(deniesPrivate: true)))),
            ReceiverSettings(name: "chat", kind: .chat(MessageSamples.chat(.slack))),
        ])
        #expect(Set(bench.end.options) == [.init(refusesPrivate: true), .init()])
        await bench.stop()
        #expect(bench.end.closed == 2)
    }

    @Test(arguments: [true, false])
    func `a 2xx is delivered, however long or broken its text`(isLong: Bool) async throws {
        let server = ScriptedTCPServer(
            .request,
            .send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n"),
            .send(String(repeating: "ok ", count: isLong ? 100_000 : 10)),
            isLong ? .hold : .reset)
        defer { server.stop() }
        let store = try Store(at: .memory)
        let deliverer = Deliverer(
            store: store, time: SystemTime(), logger: LogBook().logger, seed: 1, standardOutput: -1
        ) { CurlTransport(queue: $0, options: $1) }
        await store.onCommit { [weak deliverer] in deliverer?.wake($0.receivers) }
        let webhook = WebhookSettings(url: Secret("http://127.0.0.1:\(server.port)/hook"))
        await deliverer.apply([ReceiverSettings(name: "ops", kind: .webhook(webhook), retry: retry)]
        )
        store.submit(.event(Bench.event("a/1", ["ops"]), stalled: nil))
        try await eventually("it is delivered") {
            await deliverer.status().first?.lastSuccessAt != nil
        }
        #expect(server.requests.count == 1)
        await deliverer.drain(until: SystemTime().now().advanced(by: .seconds(10)))
        await store.close()
    }

    @Test func `a test of a chat receiver says what came back`() async throws {
        let bench = try await Bench([
            ReceiverSettings(name: "team", kind: .chat(MessageSamples.chat(.slack)))
        ])
        bench.end.script { _ in .status(404, "no_service") }
        let test = try #require(await bench.deliverer.test("team"))
        #expect(test.result.status == 404 && test.result.message == "HTTP 404: no_service")
        let value = try JSONValue(parsing: try #require(bench.end.seen.first).body)
        #expect(value["text"] == .string("test of receiver team"))
        await bench.stop()
    }
}
