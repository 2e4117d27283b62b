import Dispatch
import RunwatchCore
import RunwatchDelivery
import RunwatchHTTP
import RunwatchStore
import TestSupport
import Testing

@Suite struct WebhookReceiverTests {
    static let secret = WebhookSignatureTests.secret
    static let url = "https://hooks.example.com/runwatch/T0KEN"

    private func attempt(
        _ answer: Answer, secrets: [String] = [], end: ScriptedEnd? = nil
    ) async -> AttemptResult {
        let end = end ?? ScriptedEnd { _ in answer }
        let queue = DispatchQueue(label: "test")
        let time = ManualTime()
        return await withCheckedContinuation { continuation in
            queue.async {
                let receiver = WebhookReceiver(
                    WebhookSettings(url: Secret(Self.url), secrets: secrets.map { Secret($0) }),
                    timeout: .seconds(15), time: time, transport: end.make(queue, .init()),
                    queue: queue)
                let event = RecordedEvent(
                    number: 1, type: .run(.complete), timestamp: time.wallClock(),
                    subject: "a/1", json: WebhookSignatureTests.body)
                receiver.attempt(
                    PendingDelivery(id: "msg_01", receiver: "ops", event: event, attempts: 0),
                    at: Timestamp(milliseconds: 1_700_000_000_999)
                ) { continuation.resume(returning: $0) }
            }
        }
    }

    @Test func `the request is a Standard Webhook`() async throws {
        let end = ScriptedEnd()
        let result = await attempt(.never, secrets: [Self.secret], end: end)
        #expect(result.outcome == .delivered)
        let seen = try #require(end.seen.first)
        #expect(seen.url == Self.url)
        #expect(seen.body == WebhookSignatureTests.body)
        #expect(seen.timeout == .seconds(15))
        #expect(
            seen.headers == [
                "content-type": "application/json", "webhook-id": "msg_01",
                "webhook-timestamp": "1700000000",
                "webhook-signature": WebhookSignatureTests.expected,
            ])
    }

    @Test func `without a secret nothing is signed`() async throws {
        let end = ScriptedEnd()
        _ = await attempt(.never, end: end)
        #expect(end.seen.first?.headers["webhook-signature"] == nil)
    }

    @Test func `with a secret that cannot be read nothing is sent`() async {
        let end = ScriptedEnd()
        let result = await attempt(.never, secrets: ["whsec_?"], end: end)
        #expect(result.outcome == .later(hint: nil))
        #expect(result.message.contains("whsec_"))
        #expect(end.seen.isEmpty)
    }

    @Test(arguments: [200, 201, 202, 204, 299])
    func `any 2xx is delivered`(status: Int) async {
        let result = await attempt(.status(status))
        #expect(result.outcome == .delivered && result.status == status)
    }

    @Test(arguments: [301, 302, 307, 400, 401, 404, 409, 429, 500, 503, 199, 600])
    func `anything else is tried later`(status: Int) async {
        let result = await attempt(.status(status, "sorry"))
        #expect(result.outcome == .later(hint: nil) && result.status == status)
        #expect(result.message.contains("\(status)") && result.message.contains("sorry"))
        #expect(result.message.contains("redirect") == (300..<400).contains(status))
    }

    @Test func `410 is for good`() async {
        #expect(await attempt(.status(410)).outcome == .refusedForGood)
    }

    @Test(arguments: [400, 429, 500, 503, 302])
    func `Retry-After counts with any status`(status: Int) async {
        let result = await attempt(.status(status, retryAfter: .after(.seconds(7))))
        #expect(result.outcome == .later(hint: .seconds(7)))
        let date = ManualTime().wallClock().advanced(by: .seconds(90))
        let dated = await attempt(.status(status, retryAfter: .at(date)))
        #expect(dated.outcome == .later(hint: .seconds(90)))
    }

    @Test func `no answer is tried later, and a cancelled request was no attempt`() async {
        let timeout = await attempt(.failure(HTTPFailure(.timeout, "no answer in 15s")))
        #expect(timeout == AttemptResult(.later(hint: nil), message: "no answer in 15s"))
        let cancelled = await attempt(.failure(HTTPFailure(.cancelled, "closed")))
        #expect(cancelled.outcome == .abandoned)
    }

    @Test func `a message is short, printable, and holds no secret`() async {
        let key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
        let body =
            "\u{1b}[31mbad signature\r\n with \(Self.secret) or \(key) at \(Self.url) "
            + String(repeating: "é", count: 5000)
        let result = await attempt(.status(400, body), secrets: [Self.secret])
        #expect(result.message.utf8.count <= 220)
        #expect(!result.message.contains("MDEy") && !result.message.contains("T0KEN"))
        #expect(!result.message.unicodeScalars.contains { $0.value < 0x20 })
        #expect(result.message.contains("bad signature"))
        let failure = await attempt(.failure(HTTPFailure(.connect, "cannot reach \(Self.url)")))
        #expect(!failure.message.contains("T0KEN"))
    }

    @Test func `a secret across the cut is not shown in part`() async {
        let body = String(repeating: "x", count: 190) + Self.secret
        let result = await attempt(.status(500, body), secrets: [Self.secret])
        #expect(!result.message.contains("whsec_"))
    }

    @Test func `an answer that is not text does no harm`() async {
        let bytes = (0..<2000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let result = await attempt(.response(HTTPResponse(status: 500, body: bytes)))
        #expect(result.message.utf8.count <= 500)
    }
}
