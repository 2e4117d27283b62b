import RunwatchCore
import RunwatchHTTP
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct CurlMailTransportTests {
    let fixture = MailFixture()

    @Test func `a mail goes out line by line, and its queue number comes back`() async {
        let server = ScriptedTCPServer(
            SMTPScript(recipients: ["250 2.1.5 Ok\r\n", "251 forwarded\r\n"]))
        let mail = server.mail(to: ["ops@example.com", "on-call@example.org"])
        #expect(
            await fixture.send(mail).reply
                == MailReply(code: 250, text: "2.0.0 Ok: queued as 1A"))
        #expect(
            server.requests == [
                "EHLO client.example\r\n", "MAIL FROM:<runwatch@example.com> SIZE=18\r\n",
                "RCPT TO:<ops@example.com>\r\n", "RCPT TO:<on-call@example.org>\r\n", "DATA\r\n",
                "Subject: x\r\n\r\nhi\r\n.\r\n", "QUIT\r\n",
            ])
    }

    @Test func `each mail has a connection of its own`() async {
        let server = ScriptedTCPServer(SMTPScript())
        for _ in 0..<3 { #expect(await fixture.send(server.mail()).reply?.code == 250) }
        #expect(server.connectionCount == 3)
    }

    @Test func `replies may have many lines, and an old server may know no EHLO`() async throws {
        let script = SMTPScript(
            greeting: "220-mx.example\r\n220-no spam\r\n220 please\r\n",
            hello: "502 unknown command\r\n", login: ["250 mx.example\r\n"], sender: "250\r\n",
            recipients: ["250-one\r\n250 two\r\n"],
            message: "250-2.0.0 Ok:\r\n250 queued\tas 1A\r\n"
        )
        let server = ScriptedTCPServer(script)
        let reply = try await fixture.send(server.mail()).get()
        #expect(reply.description == "250 2.0.0 Ok: queued as 1A")
        #expect(server.requests[1] == "HELO client.example\r\n")
    }

    @Test func `no sender is an empty one`() async {
        let server = ScriptedTCPServer(SMTPScript())
        var mail = server.mail()
        mail.from = ""
        mail.url += "/"
        mail.helloName = "[127.0.0.1]"
        #expect(await fixture.send(mail).reply?.code == 250)
        #expect(server.requests[0] == "EHLO [127.0.0.1]\r\n")
        #expect(server.requests[1] == "MAIL FROM:<> SIZE=18\r\n")
    }

    @Test(arguments: [
        ".", "..", "a", ".a\r\n", "a\r\n.", "a\r\n.\r\nb\r\n", "a\r\n..\r\n", "\r\n\r\n.\r\n",
        ".\r\nRSET\r\nMAIL FROM:<evil@example.com>\r\n",
    ])
    func `a dot at the start of a line does not end the message`(_ text: String) async {
        let server = ScriptedTCPServer(SMTPScript())
        #expect(await fixture.send(server.mail(message: text)).reply?.code == 250)
        #expect(server.requests.count == 6)
        #expect(server.requests.dropFirst(4).first.map(unstuffed) == whole(text))
    }

    /// libcurl sends in pieces of 64 KiB; a dot may stand on either side of a seam.
    @Test(arguments: 0..<6)
    func `a large message with dots everywhere arrives as it was`(_ shift: Int) async {
        let server = ScriptedTCPServer(SMTPScript())
        let text =
            String(repeating: "x", count: shift)
            + String(repeating: "\r\n.\r\n..\r\na.b\r\n", count: 20_000)
        #expect(await fixture.send(server.mail(message: text)).reply?.code == 250)
        #expect(server.requests.dropFirst(4).first.map(unstuffed) == whole(text))
    }

    @Test func `the queue does not wait for a server that thinks`() async {
        let script = SMTPScript()
        let server = ScriptedTCPServer { _ in script.steps(upTo: .message) + [.hold] }
        let mail = server.mail()
        async let outcome = fixture.send(mail)
        // The message is out, and libcurl waits for the reply.
        #expect(await server.hasRead(requests: 5))
        let good = ScriptedTCPServer(script)
        #expect(await fixture.send(good.mail()).reply?.code == 250)
        server.stop()
        #expect(await outcome.failure?.code == .interrupted)
    }

    @Test func `no more mails are under way than allowed`() async {
        let fixture = MailFixture(maximumConnections: 2)
        let script = SMTPScript()
        let server = ScriptedTCPServer { _ in script.steps(upTo: .message) + [.hold] }
        let mails = [MailRequest](repeating: server.mail(), count: 5)
        async let outcomes = fixture.burst(mails)
        #expect(await server.hasRead(requests: 10))
        server.stop()
        // The others find nobody.
        #expect(await outcomes.allSatisfy { $0.failure != nil })
        #expect(server.connectionCount == 2)
    }

    @Test func `one after the other they go in the order of sending`() async {
        let fixture = MailFixture(maximumConnections: 1)
        let server = ScriptedTCPServer(SMTPScript())
        let mails = (0..<20).map { server.mail(to: ["\($0)@example.com"]) }
        let outcomes = await fixture.burst(mails)
        #expect(outcomes.allSatisfy { $0.reply?.code == 250 })
        let recipients = server.requests.filter { $0.hasPrefix("RCPT") }
        #expect(recipients == (0..<20).map { "RCPT TO:<\($0)@example.com>\r\n" })
    }

    @Test func `a completion may send again, and none runs within send`() async {
        let server = ScriptedTCPServer(SMTPScript())
        let mail = server.mail()
        let isNeverWithin = await withCheckedContinuation {
            (continuation: CheckedContinuation<Bool, Never>) in
            fixture.onTransport { transport in
                var isSending = false
                var wasCalledWithin = false
                var left = 10
                func next() {
                    isSending = true
                    var mail = mail
                    // Every other mail fails before it is sent.
                    if left % 2 == 0 { mail.recipients = [] }
                    transport.send(mail) { _ in
                        if isSending { wasCalledWithin = true }
                        left -= 1
                        if left == 0 {
                            continuation.resume(returning: !wasCalledWithin)
                        } else {
                            next()
                        }
                    }
                    isSending = false
                }
                next()
            }
        }
        #expect(isNeverWithin)
    }

    @Test func `closing cancels what is under way and what waits`() async {
        let fixture = MailFixture(maximumConnections: 1)
        let script = SMTPScript()
        let server = ScriptedTCPServer { _ in script.steps(upTo: .message) + [.hold] }
        let mail = server.mail()
        async let first = fixture.send(mail)
        #expect(await server.hasRead(requests: 5))
        async let second = fixture.send(mail)
        await fixture.close()
        #expect(await first.failure?.code == .cancelled)
        #expect(await second.failure?.code == .cancelled)
        #expect(await fixture.send(mail).failure?.code == .cancelled)
        await fixture.close()
        #expect(server.connectionCount == 1)
    }

    /// The message as it was, from what went over the line (RFC 5321, section 4.5.2).
    private func unstuffed(_ text: String) -> String {
        var lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        #expect(lines.popLast() == "")
        #expect(lines.popLast() == ".")
        return lines.map { $0.hasPrefix(".") ? $0.dropFirst() : $0 }
            .joined(separator: "\r\n") + "\r\n"
    }

    /// The message with a line end, which is added where it is missing.
    private func whole(_ text: String) -> String { text.hasSuffix("\r\n") ? text : text + "\r\n" }
}
