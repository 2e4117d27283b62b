import RunwatchCore
import RunwatchHTTP
import RunwatchStore
import Testing

@testable import RunwatchDelivery

@Suite struct WebhookFormatTests {
    private func sent(
        _ delivery: PendingDelivery, format: WebhookSettings.Format = .standard,
        body: String? = nil, headers: [HeaderSettings] = [], secrets: [String] = []
    ) async throws -> ScriptedEnd.Seen {
        let end = ScriptedEnd()
        let settings = WebhookSettings(
            url: Secret("https://hooks.example.com/x"), secrets: secrets.map { Secret($0) },
            format: format, body: body, headers: headers)
        let result = await MessageSamples.attempt(.webhook(settings), delivery, end)
        #expect(result.outcome == .delivered)
        return try #require(end.seen.first)
    }

    private func template(_ name: String, _ text: String) -> HeaderSettings {
        HeaderSettings(name, .template(text))
    }

    // MARK: Formats

    @Test func `the standard format is the event as it is stored`() async throws {
        for event in MessageSamples.all {
            let seen = try await sent(MessageSamples.delivery(event))
            #expect(seen.body == event.json)
            #expect(seen.headers["content-type"] == "application/json")
        }
    }

    @Test func `a standard digest holds the events as they are stored`() async throws {
        let events = MessageSamples.many(3)
        let seen = try await sent(MessageSamples.digest(events))
        let texts = events.map { String(decoding: $0.json, as: UTF8.self) }
        #expect(
            String(decoding: seen.body, as: UTF8.self)
                == #"{"type":"digest","timestamp":"\#(events[2].timestamp)","data":{"count":3,"#
                + #""events":[\#(texts.joined(separator: ","))]}}"#)
        #expect(seen.id == "msg_digest" && seen.headers["content-type"] == "application/json")
    }

    @Test func `a CloudEvent`() async throws {
        let event = MessageSamples.run(number: 7)
        let seen = try await sent(MessageSamples.delivery(event), format: .cloudEvents)
        #expect(seen.headers["content-type"] == "application/cloudevents+json")
        let value = try JSONValue(parsing: seen.body)
        #expect(
            value.members?.map(\.name) == [
                "specversion", "id", "source", "type", "subject", "time", "datacontenttype",
                "sequence", "data",
            ])
        #expect(value["specversion"] == .string("1.0") && value["id"] == .string("msg_01"))
        #expect(value["source"] == .string("/runwatch/warehouse"))
        #expect(value["type"] == .string("run.complete"))
        #expect(value["subject"] == .string("warehouse/12"))
        #expect(value["time"] == .string(event.timestamp.description))
        #expect(value["datacontenttype"] == .string("application/json"))
        #expect(value["sequence"] == .string("00000000000000000009"))
        #expect(value["data"] == event.tree["data"])
        // No digit of what the service said is lost.
        #expect(String(decoding: seen.body, as: UTF8.self).contains("12345678901234567890.10"))
    }

    @Test func `every CloudEvent has what it must have`() async throws {
        for event in MessageSamples.all {
            let seen = try await sent(MessageSamples.delivery(event), format: .cloudEvents)
            let value = try JSONValue(parsing: seen.body)
            for name in ["specversion", "id", "source", "type", "subject", "sequence"] {
                let text = try #require(value[name]?.stringValue)
                #expect(!text.isEmpty)
                #expect(!text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0xFFFE })
            }
            #expect(value["time"]?.stringValue.flatMap { Timestamp(rfc3339: $0) } != nil)
            #expect(value["sequence"]?.stringValue?.utf8.count == 20)
            let source = try #require(value["source"]?.stringValue)
            switch event.type {
            case .run, .runStalled, .serviceDown, .serviceUp:
                #expect(source.hasPrefix("/runwatch/"))
                #expect(!source.contains { $0 == " " || $0 == "<" || $0 == "\n" })
            default: #expect(source == "/runwatch")
            }
        }
    }

    @Test func `the name of a service is one part of the source`() async throws {
        let event = MessageSamples.run(.complete, "Ä b?#%/1/2")
        let seen = try await sent(MessageSamples.delivery(event), format: .cloudEvents)
        let source = try JSONValue(parsing: seen.body)["source"]
        #expect(source == .string("/runwatch/%C3%84%20b%3F%23%25"))
    }

    @Test func `what is no run is ordered by its number`() async throws {
        let event = MessageSamples.service(.serviceDown, number: 4711)
        let seen = try await sent(MessageSamples.delivery(event), format: .cloudEvents)
        let value = try JSONValue(parsing: seen.body)
        #expect(value["sequence"] == .string("00000000000000004711"))
        #expect(value["source"] == .string("/runwatch/warehouse"))
    }

    @Test func `a digest is a batch of CloudEvents, each with its delivery's ID`() async throws {
        for count in [1, 5] {
            let events = MessageSamples.many(count)
            let seen = try await sent(MessageSamples.digest(events), format: .cloudEvents)
            #expect(seen.headers["content-type"] == "application/cloudevents-batch+json")
            #expect(seen.id == "msg_digest")
            let batch = try #require(try JSONValue(parsing: seen.body).arrayValue)
            #expect(batch.map { $0["id"] } == (0..<count).map { .string("msg_part\($0)") })
            #expect(batch.map { $0["subject"] } == events.map { .string($0.subject) })
        }
    }

    // MARK: Signatures

    @Test func `the known vector, over the body that a template writes`() async throws {
        let seen = try await sent(
            MessageSamples.delivery(MessageSamples.run()), body: #"{"type":"job.completed"}"#,
            secrets: [WebhookSignatureTests.secret])
        #expect(String(decoding: seen.body, as: UTF8.self) == #"{"type":"job.completed"}"#)
        #expect(seen.headers["webhook-signature"] == WebhookSignatureTests.expected)
    }

    @Test(arguments: ["standard", "cloudevents", "template"], [true, false])
    func `the bytes that are sent are signed, and a retry sends them again`(
        format: String, isDigest: Bool
    ) async throws {
        let delivery =
            isDigest
            ? MessageSamples.digest(MessageSamples.all)
            : MessageSamples.delivery(MessageSamples.run())
        let settings = WebhookSettings(
            url: Secret("https://hooks.example.com/x"),
            secrets: [Secret(WebhookSignatureTests.secret)],
            format: format == "cloudevents" ? .cloudEvents : .standard,
            body: format == "template" ? "{{title}} {{{event}}}" : nil)
        let end = ScriptedEnd { _ in .status(500) }
        for seconds in [1_700_000_000, 1_700_000_300] {
            _ = await MessageSamples.attempt(
                .webhook(settings), delivery, end,
                at: Timestamp(milliseconds: Int64(seconds) * 1000))
        }
        #expect(end.seen.count == 2)
        #expect(end.seen[0].body == end.seen[1].body && end.seen[0].id == end.seen[1].id)
        #expect(end.seen[0].id == delivery.id)
        let signature = try WebhookSignature(secrets: settings.secrets)
        for seen in end.seen {
            let timestamp = try #require(
                seen.headers["webhook-timestamp"].flatMap { Int64($0) })
            #expect(
                seen.headers["webhook-signature"]
                    == signature.header(id: seen.id, timestamp: timestamp, body: seen.body))
        }
    }

    // MARK: Templates

    @Test func `a body template writes JSON unless another type is set`() async throws {
        let event = MessageSamples.run(message: "a \"b\"\n<c>&")
        let delivery = MessageSamples.delivery(event)
        let seen = try await sent(
            delivery, body: #"{"text":"{{data.message}}","all":{{{event}}}}"#)
        #expect(seen.headers["content-type"] == "application/json")
        let value = try JSONValue(parsing: seen.body)
        #expect(value["text"] == .string("a \"b\"\n<c>&"))
        #expect(value["all"]?["type"] == .string("run.complete"))
    }

    @Test(arguments: [
        ("text/html; charset=utf-8", "a &amp;=&lt;b&gt; é"),
        ("application/x-www-form-urlencoded", "a%20%26%3D%3Cb%3E%20%C3%A9"),
        ("text/plain", "a &=<b> é"), ("application/vnd.example+json", "a &=<b> é"),
        ("TEXT/HTML", "a &amp;=&lt;b&gt; é"),
    ])
    func `values are escaped for the type of the body`(type: String, body: String) async throws {
        let event = MessageSamples.run(message: "a &=<b> é")
        let seen = try await sent(
            MessageSamples.delivery(event), body: "{{data.message}}",
            headers: [template("content-type", type)])
        #expect(String(decoding: seen.body, as: UTF8.self) == body)
        #expect(seen.headers["content-type"] == type)
    }

    @Test(arguments: [
        ("application/json", "json"), ("application/problem+json;x=1", "json"),
        (" Text/JSON ", "json"), ("text/html", "html"),
        ("application/x-www-form-urlencoded; charset=UTF-8", "uri"), ("text/plain", "none"),
        ("application/jsonl", "none"), ("", "none"),
    ])
    func `which escape a type asks for`(type: String, escape: String) {
        #expect("\(WebhookBody.escape(for: type))" == escape)
    }

    @Test func `a template that cannot be written fails the attempt, and nothing is sent`() async {
        let event = MessageSamples.run(message: String(repeating: "m", count: 500))
        for (body, headers, place) in [
            (String(repeating: "{{data.message}}", count: 3000), [], "'body'"),
            ("{{#open}}", [], "'body'"),
            (
                nil, [template("x-a", String(repeating: "{{data.message}}", count: 3000))],
                "'headers.x-a'"
            ),
        ] as [(String?, [HeaderSettings], String)] {
            let end = ScriptedEnd()
            let settings = WebhookSettings(
                url: Secret("https://hooks.example.com/x"), body: body, headers: headers)
            let result = await MessageSamples.attempt(
                .webhook(settings), MessageSamples.delivery(event), end)
            #expect(result.outcome == .later(hint: nil) && end.seen.isEmpty)
            #expect(result.message.contains(place) && result.message.utf8.count <= 500)
        }
    }

    // MARK: Headers

    @Test func `headers are templates and secrets, in one line each`() async throws {
        let event = MessageSamples.run(.error, message: "a\r\nx-evil: 1\u{0}\u{85}b ")
        let seen = try await sent(
            MessageSamples.delivery(event),
            headers: [
                template("x-title", "{{title}}"), template("x-message", "{{{data.message}}}"),
                template("x-none", " {{data.nothing}}\n"),
                HeaderSettings("authorization", .secret(Secret("Bearer abc def"))),
                template("x-html", "{{data.group}}<&"),
            ])
        #expect(seen.headers["x-title"] == "warehouse/12 error")
        #expect(seen.headers["x-message"] == "a  x-evil: 1  b")
        #expect(seen.headers["x-none"] == nil)
        #expect(seen.headers["authorization"] == "Bearer abc def")
        #expect(seen.headers["x-html"] == "nightly<&")
        #expect(seen.body == event.json)
    }

    @Test func `no header overrides what the receiver relies on`() async throws {
        let seen = try await sent(
            MessageSamples.delivery(MessageSamples.run()),
            headers: [
                template("webhook-id", "mine"), template("Webhook-Timestamp", "0"),
                template("webhook-signature", "v1,mine"), template("content-length", "1"),
                HeaderSettings("transfer-encoding", .secret(Secret("chunked"))),
            ], secrets: [WebhookSignatureTests.secret])
        #expect(seen.id == "msg_01" && seen.headers["webhook-timestamp"] == "1700000000")
        #expect(seen.headers["webhook-signature"]?.hasPrefix("v1,mine") == false)
        #expect(
            seen.headers.keys.sorted() == [
                "content-type", "webhook-id", "webhook-signature", "webhook-timestamp",
            ])
    }

    @Test func `an empty content type is the format's own`() async throws {
        let seen = try await sent(
            MessageSamples.delivery(MessageSamples.run()), format: .cloudEvents,
            headers: [template("content-type", "{{data.nothing}}")])
        #expect(seen.headers["content-type"] == "application/cloudevents+json")
    }

    @Test func `a header without end is cut`() async throws {
        let event = MessageSamples.run(message: String(repeating: "é", count: 5000))
        let seen = try await sent(
            MessageSamples.delivery(event), headers: [template("x-message", "{{data.message}}")])
        let value = try #require(seen.headers["x-message"])
        #expect(value.utf8.count <= 2048 && value.hasSuffix("é…"))
    }
}
