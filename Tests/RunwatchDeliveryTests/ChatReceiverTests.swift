import RunwatchCore
import RunwatchDelivery
import RunwatchHTTP
import RunwatchStore
import TestSupport
import Testing

@Suite struct ChatReceiverTests {
    private func attempt(
        _ service: ChatSettings.Service, _ end: ScriptedEnd, text: String? = nil,
        _ delivery: PendingDelivery = MessageSamples.delivery(MessageSamples.run())
    ) async -> AttemptResult {
        await MessageSamples.attempt(
            .chat(MessageSamples.chat(service, text: text)), delivery, end)
    }

    /// The text that a receiver with this template sends.
    private func text(
        _ service: ChatSettings.Service, _ template: String,
        _ event: RecordedEvent = MessageSamples.run()
    ) async throws -> String? {
        let end = ScriptedEnd()
        _ = await attempt(service, end, text: template, MessageSamples.delivery(event))
        let value = try JSONValue(parsing: try #require(end.seen.first).body)
        return switch service {
        case .slack: value["attachments"]?[0]?["blocks"]?[0]?["text"]?["text"]?.stringValue
        case .discord: value["embeds"]?[0]?["description"]?.stringValue
        case .teams: value["attachments"]?[0]?["content"]?["body"]?[1]?["text"]?.stringValue
        case .ntfy: value["message"]?.stringValue
        }
    }

    @Test(arguments: ChatSettings.Service.allCases)
    func `a message is posted as JSON`(service: ChatSettings.Service) async throws {
        let end = ScriptedEnd { _ in .status(service == .discord ? 204 : 200, "ok") }
        let result = await attempt(service, end)
        #expect(result.outcome == .delivered)
        let seen = try #require(end.seen.first)
        #expect(seen.url == "https://chat.example.com/services/T0000/S3CR3T-PATH")
        #expect(seen.headers["content-type"] == "application/json")
        #expect(seen.headers["authorization"] == (service == .ntfy ? "Bearer tk_T0KEN" : nil))
        #expect(seen.headers.keys.allSatisfy { !$0.hasPrefix("webhook-") })
        #expect(seen.timeout == .seconds(15))
        let value = try JSONValue(parsing: seen.body)
        #expect(value["topic"] == (service == .ntfy ? .string("T0PIC-NAME") : nil))
        #expect(value.texts.contains("warehouse/12 complete"))
    }

    @Test(arguments: ChatSettings.Service.allCases)
    func `answers are judged as a webhook's`(service: ChatSettings.Service) async {
        for status in [200, 202, 204] {
            let result = await attempt(service, ScriptedEnd { _ in .status(status) })
            #expect(result.outcome == .delivered)
        }
        for status in [302, 400, 403, 404, 429, 500] {
            let result = await attempt(service, ScriptedEnd { _ in .status(status, "no_service") })
            #expect(result.outcome == .later(hint: nil) && result.status == status)
            #expect(result.message.contains("no_service"))
        }
        #expect(
            await attempt(service, ScriptedEnd { _ in .status(410) }).outcome == .refusedForGood)
        let gone = await attempt(
            service, ScriptedEnd { _ in .failure(HTTPFailure(.cancelled, "")) })
        #expect(gone.outcome == .abandoned)
    }

    @Test(arguments: ChatSettings.Service.allCases)
    func `Retry-After counts in seconds and as a date`(service: ChatSettings.Service) async {
        let seconds = await attempt(
            service, ScriptedEnd { _ in .status(429, retryAfter: .after(.seconds(7))) })
        #expect(seconds.outcome == .later(hint: .seconds(7)))
        let date = ManualTime().wallClock().advanced(by: .seconds(90))
        let dated = await attempt(service, ScriptedEnd { _ in .status(429, retryAfter: .at(date)) })
        #expect(dated.outcome == .later(hint: .seconds(90)))
    }

    @Test(arguments: [(7, 7000), (70, 70_000), (nil, 64_570)])
    func `the longer wait of Discord's two counts`(header: Int?, milliseconds: Int) async {
        let body = #"{"retry_after": \#(header == 7 ? 6.5 : 64.57)}"#
        let end = ScriptedEnd { _ in
            .status(429, body, retryAfter: header.map { .after(.seconds($0)) })
        }
        #expect(await attempt(.discord, end).outcome == .later(hint: .milliseconds(milliseconds)))
        let longer = ScriptedEnd { _ in
            .status(429, #"{"retry_after":99.5}"#, retryAfter: .after(.seconds(7)))
        }
        #expect(await attempt(.discord, longer).outcome == .later(hint: .milliseconds(99_500)))
    }

    @Test func `a template is in the service's markup, and what it takes from the event is text`()
        async throws
    {
        let event = MessageSamples.run(message: "<!channel> *b* [l](u)")
        let template = "*{{title}}* {{data.message}}|{{{data.message}}}"
        #expect(
            try await text(.slack, template, event)
                == "*warehouse/12 complete* &lt;!channel&gt; *b* [l](u)|&lt;!channel&gt; *b* [l](u)"
        )
        #expect(
            try await text(.discord, template, event)
                == #"*warehouse/12 complete* \<!channel> \*b\* \[l\](u)|"#
                + #"\<!channel> \*b\* \[l\](u)"#)
        #expect(
            try await text(.teams, template, event)
                == #"*warehouse/12 complete* <!channel> \*b\* \[l\](u)|<!channel> \*b\* \[l\](u)"#)
        #expect(
            try await text(.ntfy, template, event)
                == "*warehouse/12 complete* <!channel> *b* [l](u)|<!channel> *b* [l](u)")
    }

    @Test(arguments: ChatSettings.Service.allCases)
    func `a template sees every event of a digest`(service: ChatSettings.Service) async throws {
        let end = ScriptedEnd()
        _ = await attempt(
            service, end, text: "{{count}} {{type}}:{{#events}} {{name}}{{/events}}",
            MessageSamples.digest(MessageSamples.many(3)))
        let texts = try JSONValue(parsing: try #require(end.seen.first).body).texts
        #expect(
            texts.contains("3 digest: warehouse/run-1- warehouse/run-2- warehouse/run-3-"))
    }

    @Test(arguments: ChatSettings.Service.allCases)
    func `a template that cannot be written fails the attempt, and nothing is sent`(
        service: ChatSettings.Service
    ) async {
        let end = ScriptedEnd()
        let long = String(repeating: "{{data.message}}", count: 3000)
        let event = MessageSamples.run(message: String(repeating: "m", count: 500))
        let result = await attempt(service, end, text: long, MessageSamples.delivery(event))
        #expect(result.outcome == .later(hint: nil) && end.seen.isEmpty)
        #expect(result.message.contains("'text'") && result.message.contains("1048576"))
        let faulty = await attempt(service, end, text: "{{#open}}")
        #expect(faulty.outcome == .later(hint: nil) && end.seen.isEmpty)
        #expect(faulty.message.contains("'text'"))
    }

    @Test(arguments: ChatSettings.Service.allCases)
    func `a retry sends the same bytes`(service: ChatSettings.Service) async {
        let end = ScriptedEnd()
        let delivery = MessageSamples.digest(MessageSamples.many(30))
        _ = await attempt(service, end, delivery)
        _ = await MessageSamples.attempt(
            .chat(MessageSamples.chat(service)), delivery, end,
            at: Timestamp(milliseconds: 1_800_000_000_000))
        #expect(end.seen.count == 2 && end.seen[0].body == end.seen[1].body)
    }
}
