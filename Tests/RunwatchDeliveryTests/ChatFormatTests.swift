import RunwatchCore
import RunwatchHTTP
import RunwatchStore
import Testing

@testable import RunwatchDelivery

/// What each service gets, read back as JSON.
@Suite struct ChatFormatTests {
    private var hostileDeliveries: [PendingDelivery] {
        let long = String(repeating: MessageSamples.hostile, count: 400)
        return MessageSamples.all.map(MessageSamples.delivery)
            + [
                MessageSamples.delivery(
                    MessageSamples.run(.error, "w/" + long, label: long, group: long, message: long)
                ),
                MessageSamples.delivery(
                    MessageSamples.run(message: String(repeating: "\"\u{FFFF}", count: 50_000))),
                MessageSamples.digest(MessageSamples.all),
                MessageSamples.digest(MessageSamples.many(2)),
                MessageSamples.digest(MessageSamples.many(1000, message: MessageSamples.hostile)),
                MessageSamples.digest([MessageSamples.run(message: long)]),
            ]
    }

    private func message(_ delivery: PendingDelivery) -> ChatMessage { ChatMessage(delivery) }

    private var template: ChatMessage {
        var message = message(MessageSamples.delivery(MessageSamples.run()))
        message.body = .template(
            "\n *" + String(repeating: "x\"\u{1}👩‍👩‍👧‍👦", count: 60_000) + "\n")
        return message
    }

    // MARK: Slack

    @Test func `Slack gets the title as text, and the rest in an attachment`() throws {
        let value = try JSONValue(
            parsing: SlackFormat.body(
                message(MessageSamples.delivery(MessageSamples.run(.error, message: "a <b> & c")))))
        #expect(value["text"] == .string("warehouse/12 error"))
        #expect(value["unfurl_links"] == .bool(false) && value["unfurl_media"] == .bool(false))
        let attachment = try #require(value["attachments"]?[0])
        #expect(attachment["color"]?.stringValue?.hasPrefix("#") == true)
        let blocks = try #require(attachment["blocks"]?.arrayValue)
        #expect(blocks.map { $0["type"]?.stringValue } == ["section", "section", "context"])
        #expect(blocks[0]["text"]?["type"] == .string("mrkdwn"))
        #expect(blocks[0]["text"]?["verbatim"] == .bool(true))
        #expect(blocks[0]["text"]?["text"] == .string("a &lt;b&gt; &amp; c"))
        #expect(blocks[1]["fields"]?[1]?["text"] == .string("*label*\nnightly-udf"))
    }

    @Test func `Slack's limits hold, whatever comes`() throws {
        let messages = hostileDeliveries.map(message) + [template]
        for message in messages {
            let value = try JSONValue(parsing: SlackFormat.body(message))
            let title = try #require(value["text"]?.stringValue)
            #expect((1...300).contains(title.utf16.count))
            let blocks = try #require(value["attachments"]?[0]?["blocks"]?.arrayValue)
            #expect((1...10).contains(blocks.count))
            #expect(blocks.flatMap(\.texts).reduce(0) { $0 + $1.utf16.count } <= 11_000)
            for block in blocks {
                let texts = [block["text"]?["text"]?.stringValue].compactMap(\.self)
                #expect(texts.allSatisfy { (1...3000).contains($0.utf16.count) })
                let fields = block["fields"]?.arrayValue ?? []
                #expect(fields.count <= 10)
                for field in fields {
                    #expect((1...2000).contains(field["text"]?.stringValue?.utf16.count ?? 0))
                }
            }
            // Nothing from outside is a link or a mention.
            guard case .template = message.body else {
                #expect(value.texts.allSatisfy { !$0.contains("<") })
                continue
            }
        }
    }

    // MARK: Discord

    @Test func `Discord gets an embed that calls nobody`() throws {
        let value = try JSONValue(
            parsing: DiscordFormat.body(
                message(MessageSamples.delivery(MessageSamples.run(message: "a *b* @everyone")))))
        #expect(value["allowed_mentions"]?["parse"] == .array([]))
        #expect(value["embeds"]?.arrayValue?.count == 1)
        let embed = try #require(value["embeds"]?[0])
        #expect(embed["title"] == .string("warehouse/12 complete"))
        #expect(embed["description"] == .string(#"a \*b\* @everyone"#))
        #expect(embed["timestamp"]?.stringValue.flatMap { Timestamp(rfc3339: $0) } != nil)
        #expect(embed["color"]?.integerValue != nil)
        #expect(embed["fields"]?[1]?["name"] == .string("label"))
        #expect(embed["fields"]?[1]?["value"] == .string("nightly-udf"))
    }

    @Test func `Discord's limits hold, whatever comes`() throws {
        for message in hostileDeliveries.map(message) + [template] {
            let value = try JSONValue(parsing: DiscordFormat.body(message))
            let embed = try #require(value["embeds"]?[0])
            let title = try #require(embed["title"]?.stringValue)
            #expect((1...256).contains(title.utf16.count))
            let description = embed["description"]?.stringValue
            #expect((1...4096).contains(description?.utf16.count ?? 1))
            let fields = embed["fields"]?.arrayValue ?? []
            #expect(fields.count <= 25)
            for field in fields {
                #expect((1...256).contains(field["name"]?.stringValue?.utf16.count ?? 0))
                #expect((1...1024).contains(field["value"]?.stringValue?.utf16.count ?? 0))
            }
            let all = [title, description ?? ""] + fields.flatMap(\.texts)
            #expect(all.reduce(0) { $0 + $1.utf16.count } <= 6000)
            #expect(value["allowed_mentions"]?["parse"] == .array([]))
        }
    }

    @Test(arguments: [
        (429, #"{"message":"limited","retry_after":64.57,"global":false}"#, 64_570),
        (429, #"{"retry_after":1}"#, 1000), (429, #"{"retry_after":0.0001}"#, 1),
        (429, #"{"retry_after":1e300}"#, 86_400_000), (429, #"{"retry_after":-1}"#, nil),
        (429, #"{"retry_after":"7"}"#, nil), (429, "nonsense", nil), (429, "", nil),
        (500, #"{"retry_after":7}"#, nil),
    ])
    func `Discord's own word for a wait`(status: Int, body: String, milliseconds: Int?) {
        let wait = DiscordFormat.wait(HTTPResponse(status: status, body: Array(body.utf8)))
        #expect(wait == milliseconds.map { .milliseconds($0) })
    }

    // MARK: Teams

    @Test func `Teams gets an Adaptive Card`() throws {
        let value = try JSONValue(
            parsing: TeamsFormat.body(
                message(MessageSamples.delivery(MessageSamples.run(.error, message: "a *b*")))))
        #expect(value["type"] == .string("message"))
        let attachment = try #require(value["attachments"]?[0])
        #expect(attachment["contentType"] == .string("application/vnd.microsoft.card.adaptive"))
        #expect(attachment["contentUrl"] == .null)
        let card = try #require(attachment["content"])
        #expect(card["type"] == .string("AdaptiveCard") && card["version"] == .string("1.4"))
        let body = try #require(card["body"]?.arrayValue)
        #expect(body[0]["inlines"]?[0]?["text"] == .string("warehouse/12 error"))
        #expect(body[0]["inlines"]?[0]?["color"] == .string("Attention"))
        // Not Markdown, so not escaped.
        #expect(body[1]["type"] == .string("RichTextBlock"))
        #expect(body[1]["inlines"]?[0]?["text"] == .string("a *b*"))
        #expect(body[2]["type"] == .string("FactSet"))
        #expect(body[2]["facts"]?[1]?["title"] == .string("label"))
        #expect(body[2]["facts"]?[1]?["value"] == .string("nightly-udf"))
    }

    @Test func `a card stays below 28 KB, whatever comes`() throws {
        for message in hostileDeliveries.map(message) + [template] {
            let bytes = TeamsFormat.body(message)
            #expect(bytes.count <= 28_000)
            let value = try JSONValue(parsing: bytes)
            #expect(value["attachments"]?[0]?["content"]?["body"]?[0] != nil)
        }
    }

    @Test func `a template's text is Markdown for Teams`() throws {
        var message = message(MessageSamples.delivery(MessageSamples.run()))
        message.body = .template("**done**")
        let value = try JSONValue(parsing: TeamsFormat.body(message))
        let body = try #require(value["attachments"]?[0]?["content"]?["body"]?.arrayValue)
        #expect(body[1]["type"] == .string("TextBlock") && body[1]["wrap"] == .bool(true))
        #expect(body[1]["text"] == .string("**done**"))
        #expect(!body.contains { $0["type"] == .string("FactSet") })
    }

    // MARK: ntfy

    @Test func `ntfy gets title, text, priority and tags`() throws {
        let value = try JSONValue(
            parsing: NtfyFormat.body(
                message(MessageSamples.delivery(MessageSamples.run(.error, message: "a *b*"))),
                topic: "runs"))
        #expect(value["topic"] == .string("runs"))
        #expect(value["title"] == .string("warehouse/12 error"))
        #expect(
            value["message"]?.stringValue?.hasPrefix("state: running → error\nlabel: nightly-udf\n")
                == true)
        #expect(value["message"]?.stringValue?.hasSuffix("\na *b*") == true)
        #expect(value["priority"] == .integer(4))
        #expect(value["tags"] == .array([.string("rotating_light"), .string("run.error")]))
    }

    @Test func `ntfy's limits hold, whatever comes, and a message is never empty`() throws {
        for message in hostileDeliveries.map(message) + [template] {
            let bytes = NtfyFormat.body(message, topic: String(repeating: "t", count: 64))
            #expect(bytes.count <= 8192)
            let value = try JSONValue(parsing: bytes)
            #expect((1...4096).contains(value["message"]?.stringValue?.utf8.count ?? 0))
            #expect((0...250).contains(value["title"]?.stringValue?.utf8.count ?? 0))
            #expect((1...5).contains(value["priority"]?.integerValue ?? 0))
        }
        var message = message(MessageSamples.delivery(MessageSamples.run()))
        message.body = .template(" \n")
        let value = try JSONValue(parsing: NtfyFormat.body(message, topic: "runs"))
        #expect(value["message"] == .string("warehouse/12 complete") && value["title"] == nil)
    }

    // MARK: Digests

    @Test(arguments: ChatSettings.Service.allCases)
    func `a digest has its events in order, and counts those that it leaves out`(
        service: ChatSettings.Service
    ) throws {
        for count in [2, 12, 100, 1000] {
            let message = message(MessageSamples.digest(MessageSamples.many(count)))
            let bytes =
                switch service {
                case .slack: SlackFormat.body(message)
                case .discord: DiscordFormat.body(message)
                case .teams: TeamsFormat.body(message)
                case .ntfy: NtfyFormat.body(message, topic: "runs")
                }
            let texts = try JSONValue(parsing: bytes).texts.joined(separator: "\n")
            let lines = texts.split(separator: "\n")
            #expect(lines.contains { $0.contains("\(count) events: ") })
            let shown = lines.compactMap { line in
                line.firstMatch(of: /run-(\d+)-/).flatMap { Int($0.1) }
            }
            #expect(shown == Array(1...shown.count))
            #expect(shown.count >= min(count, 20))
            let rest = lines.compactMap { line in
                line.firstMatch(of: /… and (\d+) more events/).flatMap { Int($0.1) }
            }
            #expect(rest == (shown.count < count ? [count - shown.count] : []))
        }
    }

    @Test(arguments: ChatSettings.Service.allCases)
    func `a digest of one event is that event's message`(service: ChatSettings.Service) {
        let event = MessageSamples.run(message: "done")
        var digest = message(MessageSamples.digest([event]))
        #expect(digest.type == "digest")
        digest.type = "run.complete"
        #expect(digest == message(MessageSamples.delivery(event)))
    }
}
