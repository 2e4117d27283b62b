import RunwatchCore
import RunwatchHTTP
import TestSupport
import Testing

/// Servers that refuse, hang, break off or do not speak SMTP.
@Suite(.timeLimit(.minutes(2))) struct CurlMailFailureTests {
    let fixture = MailFixture()

    struct Refusal: Sendable, CustomTestStringConvertible {
        var script: SMTPScript
        var code: MailFailure.Code
        var reply: MailReply
        var words: String
        var testDescription: String { words }
    }

    @Test(arguments: [
        Refusal(
            script: SMTPScript(greeting: "554 no service here\r\n"), code: .sessionRefused,
            reply: MailReply(code: 554, text: "no service here"), words: "the connection"),
        Refusal(
            script: SMTPScript(hello: "421 too busy\r\n", login: ["421 too busy\r\n"]),
            code: .sessionRefused, reply: MailReply(code: 421, text: "too busy"), words: "EHLO"),
        Refusal(
            script: SMTPScript(sender: "451 4.7.1 later\r\n"), code: .mailRefused,
            reply: MailReply(code: 451, text: "4.7.1 later"),
            words: "the sender runwatch@example.com"),
        Refusal(
            script: SMTPScript(recipients: ["450 4.2.0 greylisted\r\n"]), code: .mailRefused,
            reply: MailReply(code: 450, text: "4.2.0 greylisted"),
            words: "the recipient a@example.com"),
        Refusal(
            script: SMTPScript(
                recipients: ["250 Ok\r\n", "550-5.1.1 no such user\r\n550 5.1.1 really\r\n"]),
            code: .mailRefused,
            reply: MailReply(code: 550, text: "5.1.1 no such user 5.1.1 really"),
            words: "the recipient b@example.com"),
        Refusal(
            script: SMTPScript(recipients: ["250 Ok\r\n", "250 Ok\r\n"], data: "503 5.5.1 no\r\n"),
            code: .mailRefused, reply: MailReply(code: 503, text: "5.5.1 no"), words: "DATA"),
        Refusal(
            script: SMTPScript(
                recipients: ["250 Ok\r\n", "250 Ok\r\n"], message: "554 5.7.1 smells\r\n"),
            code: .mailRefused, reply: MailReply(code: 554, text: "5.7.1 smells"),
            words: "the message"),
        Refusal(
            script: SMTPScript(recipients: ["250 Ok\r\n", "250 Ok\r\n"], message: "452 full\r\n"),
            code: .mailRefused, reply: MailReply(code: 452, text: "full"), words: "the message"),
    ])
    func `a refusal tells who refused what, and in which words`(_ refusal: Refusal) async {
        let server = ScriptedTCPServer(refusal.script)
        let mail = server.mail(to: ["a@example.com", "b@example.com"])
        let failure = await fixture.send(mail).failure
        #expect(failure?.code == refusal.code)
        #expect(failure?.reply == refusal.reply)
        #expect(failure?.reply?.isTemporary == (refusal.reply.code < 500))
        #expect(failure?.message == "the server refused \(refusal.words): \(refusal.reply)")
        let message = server.requests.first { $0.hasPrefix("Subject:") }
        #expect((message == nil) == (refusal.words != "the message"))
    }

    @Test(arguments: SMTPScript.Step.allCases)
    func `a server that hangs ends by the timeout`(_ step: SMTPScript.Step) async {
        let script = SMTPScript()
        let server = ScriptedTCPServer { _ in script.steps(upTo: step) + [.hold] }
        let start = ContinuousClock.now
        // The farewell has a limit of its own, and the way there must be made.
        let timeout = step == .quit ? Duration.seconds(18) : .milliseconds(400)
        let outcome = await fixture.send(server.mail(timeout: timeout))
        // Well below libcurl's own two minutes for a reply.
        #expect(ContinuousClock.now - start < .seconds(20))
        guard step != .quit else {
            // Accepted is accepted.
            #expect(outcome.reply?.text == "2.0.0 Ok: queued as 1A")
            return
        }
        #expect(outcome.failure?.code == .timeout)
        #expect(outcome.failure?.reply == nil)
    }

    @Test(arguments: SMTPScript.Step.allCases, [true, false])
    func `a connection that breaks off before the acceptance interrupts the mail`(
        _ step: SMTPScript.Step, _ isReset: Bool
    ) async {
        let script = SMTPScript()
        let server = ScriptedTCPServer { _ in
            script.steps(upTo: step) + (isReset ? [.reset] : [])
        }
        let outcome = await fixture.send(server.mail())
        guard step != .quit else {
            #expect(outcome.reply?.code == 250)
            return
        }
        #expect(outcome.failure?.reply == nil)
        // A reset at once may come before the connection counts as made.
        if isReset, step == .greeting, outcome.failure?.code == .connect { return }
        #expect(outcome.failure?.code == .interrupted)
        let awaited =
            switch step {
            case .greeting: "the greeting"
            case .hello: "the answer to EHLO"
            case .sender: "the answer to the sender runwatch@example.com"
            case .recipient: "the answer to the recipient ops@example.com"
            case .data: "the answer to DATA"
            case .message, .quit: "the answer to the message"
            }
        #expect(outcome.failure?.message == "the connection ended before \(awaited)")
    }

    @Test(arguments: [true, false])
    func `what was accepted stays so when the connection is cut at once`(_ isReset: Bool) async {
        let script = SMTPScript()
        let server = ScriptedTCPServer { _ in
            // The pause lets the reply arrive: a reset throws away what was not read yet.
            script.steps(upTo: .message) + [.send(script.message), .pause(.milliseconds(50))]
                + (isReset ? [.reset] : [])
        }
        #expect(await fixture.send(server.mail()).reply?.text == "2.0.0 Ok: queued as 1A")
    }

    @Test func `a refusal is told although the server hangs at the farewell`() async {
        let script = SMTPScript(recipients: ["550 no\r\n"])
        let server = ScriptedTCPServer { _ in
            script.steps(upTo: .data) + [.hold]
        }
        let start = ContinuousClock.now
        let failure = await fixture.send(server.mail(timeout: .seconds(100))).failure
        #expect(failure?.reply?.code == 550)
        #expect(ContinuousClock.now - start < .seconds(60))
    }

    @Test func `a refused connection and an unknown name are told apart`() async {
        let server = ScriptedTCPServer(.hold)
        var mail = server.mail()
        server.stop()
        #expect(await fixture.send(mail).failure?.code == .connect)
        mail.url = "smtp://mail.invalid"
        #expect(await fixture.send(mail).failure?.code == .name)
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n", "\0\0\0\r\n", "2\r\n",
        "220x\r\n", "hello\n",
    ])
    func `what does not speak SMTP is malformed`(_ text: String) async {
        let server = ScriptedTCPServer(.send(text))
        let failure = await fixture.send(server.mail()).failure
        #expect(failure?.code == .malformed, "\(failure?.message ?? "accepted")")
        let silent = ScriptedTCPServer(.send(text), .hold)
        let late = await fixture.send(silent.mail(timeout: .seconds(1))).failure
        #expect(late?.code == .malformed, "\(late?.message ?? "accepted")")
    }

    @Test(arguments: [
        SMTPScript(greeting: "354 go on\r\n"), SMTPScript(sender: "354 go on\r\n"),
        SMTPScript(recipients: ["354 go on\r\n"]), SMTPScript(data: "250 Ok\r\n"),
        SMTPScript(message: "354 go on\r\n"),
    ])
    func `a reply out of place is malformed`(_ script: SMTPScript) async {
        let server = ScriptedTCPServer(script)
        let failure = await fixture.send(server.mail()).failure
        #expect(failure?.code == .malformed, "\(failure?.message ?? "accepted")")
    }

    @Test(arguments: ["220-a\r\n", "x\r\n", String(repeating: "y", count: 5000) + "\r\n"])
    func `endless replies end`(_ line: String) async {
        let server = ScriptedTCPServer(.forever([.send(line)]))
        let failure = await fixture.send(server.mail()).failure
        #expect(failure?.code == .malformed, "\(failure?.message ?? "accepted")")
    }

    @Test func `a reply of any length is kept in part`() async throws {
        let long = String(repeating: "é", count: 300)
        let script = SMTPScript(
            message: String(repeating: "554-\(long)\r\n", count: 100) + "554 \u{1}end\r\n")
        let server = ScriptedTCPServer(script)
        let failure = try #require(await fixture.send(server.mail()).failure)
        #expect(failure.reply?.code == 554)
        #expect(try #require(failure.reply?.text.utf8.count) <= 1030)
        #expect(failure.message.utf8.count <= 1030)
    }

    @Test(arguments: 0..<20)
    func `noise neither stops the program nor the transport`(_ seed: UInt64) async {
        var random = SeededGenerator(seed: seed)
        let noise = (0..<Int.random(in: 1...3000, using: &random)).map { _ in
            UInt8.random(in: 0...255, using: &random)
        }
        let script = SMTPScript()
        let start = script.steps(upTo: SMTPScript.Step.allCases.randomElement(using: &random))
        let server = ScriptedTCPServer { _ in start + [.sendBytes(noise)] }
        _ = await fixture.send(server.mail(timeout: .seconds(2)))
        let good = ScriptedTCPServer(script)
        #expect(await fixture.send(good.mail()).reply?.code == 250)
    }
}
