import RunwatchCore
import RunwatchDelivery
import RunwatchHTTP
import RunwatchStore
import TestSupport
import Testing

@Suite struct EmailReceiverTests {
    private func attempt(
        _ outcome: MailEnd.Outcome, _ settings: EmailSettings = MailSamples.settings()
    ) async -> AttemptResult {
        await MailSamples.attempt(
            settings, MessageSamples.delivery(MessageSamples.run()), MailEnd { _ in outcome })
    }

    @Test(arguments: EmailSettings.StartTLS.allCases)
    func `a mail goes out as configured`(_ startTLS: EmailSettings.StartTLS) async throws {
        var settings = MailSamples.settings(to: [
            EmailAddress(name: "Ops", address: "ops@example.com"),
            EmailAddress(address: "night@example.org"),
        ])
        settings.username = Secret("watcher")
        settings.password = Secret("S3CR3T")
        settings.startTLS = startTLS
        let end = MailEnd()
        let delivery = MessageSamples.delivery(MessageSamples.run())
        let result = await MailSamples.attempt(settings, delivery, end)
        #expect(
            result
                == AttemptResult(.delivered, status: 250, message: "250 2.0.0 Ok: queued as 1A"))
        let mail = try #require(end.seen.first)
        #expect(mail.url == "smtp://mail.example.com:587")
        #expect(mail.from == "runwatch@example.com")
        #expect(mail.recipients == ["ops@example.com", "night@example.org"])
        #expect(mail.username == Secret("watcher") && mail.password == Secret("S3CR3T"))
        #expect("\(mail.startTLS)" == startTLS.rawValue)
        #expect(mail.timeout == .seconds(15))
    }

    @Test func `what is refused for now and what is refused for good are both tried again`() async {
        let full = MailReply(code: 452, text: "4.2.2 mailbox full")
        let later = await attempt(
            .failure(
                MailFailure(
                    .mailRefused, "the server refused the message: \(full)", reply: full)))
        #expect(
            later
                == AttemptResult(
                    .later(hint: nil), status: 452,
                    message: "the server refused the message: 452 4.2.2 mailbox full"))
        let unknown = MailReply(code: 550, text: "5.1.1 no such user")
        let never = await attempt(
            .failure(
                MailFailure(
                    .mailRefused, "the server refused the recipient ops@example.com: \(unknown)",
                    reply: unknown)))
        #expect(
            never
                == AttemptResult(
                    .later(hint: nil), status: 550,
                    message: "the server refused the recipient ops@example.com: "
                        + "550 5.1.1 no such user (for good, says the server)"))
        let login = MailReply(code: 535, text: "5.7.8 wrong")
        let session = await attempt(
            .failure(MailFailure(.sessionRefused, "cut off", reply: login)))
        #expect(session.outcome == .later(hint: nil) && session.status == 535)
        #expect(session.message == "refused: 535 5.7.8 wrong (for good, says the server)")
    }

    @Test(arguments: [
        MailFailure.Code.name, .connect, .interrupted, .timeout, .malformed, .sessionRefused,
        .badRequest,
    ])
    func `without an answer it is tried again`(_ code: MailFailure.Code) async {
        let result = await attempt(.failure(MailFailure(code, "the words")))
        #expect(result == AttemptResult(.later(hint: nil), message: "the words"))
    }

    @Test func `a closed transport is no failure`() async {
        let result = await attempt(.failure(MailFailure(.cancelled, "closed")))
        #expect(result == AttemptResult(.abandoned))
    }

    @Test func `what a server says is shown without secrets, printable and short`() async {
        var settings = MailSamples.settings()
        settings.username = Secret("S3CR")
        settings.password = Secret("S3CR3T-PASS")
        let text = "\u{1B}[31m S3CR3T-PASS \r\n S3CR \u{202E}" + String(repeating: "é", count: 500)
        let reply = MailReply(code: 250, text: text)
        let refusal = MailReply(code: 550, text: text)
        let results = [
            await attempt(.success(reply), settings),
            await attempt(
                .failure(MailFailure(.mailRefused, "no: \(refusal)", reply: refusal)), settings),
            await attempt(.failure(MailFailure(.mailRefused, text, reply: refusal)), settings),
            await attempt(.failure(MailFailure(.connect, text)), settings),
        ]
        for result in results {
            #expect(!result.message.contains("S3CR") && result.message.contains("*** \\r\\n ***"))
            #expect(!result.message.contains("\u{1B}") && !result.message.contains("\u{202E}"))
            #expect(result.message.utf8.count <= 450)
        }
        #expect(results[0].message.utf8.count <= 200)
        #expect(results[1].message.utf8.count <= 240)
    }

    @Test(arguments: ["subject", "text"])
    func `a template that cannot be written fails the attempt, and nothing is sent`(
        _ key: String
    ) async {
        let end = MailEnd()
        let event = MessageSamples.run(message: String(repeating: "m", count: 500))
        let delivery = MessageSamples.delivery(event)
        for template in [String(repeating: "{{data.message}}", count: 3000), "{{#open}}"] {
            let settings = MailSamples.settings(
                subject: key == "subject" ? template : nil, text: key == "text" ? template : nil)
            let result = await MailSamples.attempt(settings, delivery, end)
            #expect(result.outcome == .later(hint: nil) && end.seen.isEmpty)
            #expect(result.message.contains("'\(key)'"))
        }
    }

    @Test func `a template sees every event of a digest`() async throws {
        let settings = MailSamples.settings(
            subject: "{{count}} {{type}}",
            text: "{{#events}}\n- {{name}} <{{severity}}>\n{{/events}}")
        let mail = try ParsedMail(
            await MailSamples.bytes(MessageSamples.digest(MessageSamples.many(3)), settings))
        #expect(mail.subject == "3 digest")
        #expect(
            mail.text.lines == [
                "- warehouse/run-1- <good>", "- warehouse/run-2- <good>",
                "- warehouse/run-3- <good>",
            ])
    }
}
