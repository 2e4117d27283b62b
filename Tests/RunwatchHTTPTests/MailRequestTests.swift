import RunwatchCore
import RunwatchHTTP
import TestSupport
import Testing

/// Mails that are never sent, and how a login is made.
@Suite(.timeLimit(.minutes(2))) struct MailRequestTests {
    let fixture = MailFixture()

    // MARK: - Refused before sending

    @Test(arguments: [
        "a@b\r\nRSET", "a@b\n", "a@b\0", "<a@b>", "a@b> SIZE=1", "a b@c", "Ops <ops@example.com>",
        "a@b\u{7f}", "a\t@b",
    ])
    func `an address that would become a command is refused`(_ address: String) async {
        let server = ScriptedTCPServer(SMTPScript())
        var mail = server.mail(to: ["ops@example.com", address])
        #expect(await fixture.send(mail).failure?.code == .badRequest)
        mail.recipients = ["ops@example.com"]
        mail.from = address
        #expect(await fixture.send(mail).failure?.code == .badRequest)
        #expect(server.connectionCount == 0)
    }

    @Test(arguments: [[], [""], ["a@b", ""]])
    func `a mail without a recipient is refused`(_ recipients: [String]) async {
        let server = ScriptedTCPServer(SMTPScript())
        #expect(await fixture.send(server.mail(to: recipients)).failure?.code == .badRequest)
        #expect(server.connectionCount == 0)
    }

    @Test(arguments: ["", "a\n", "a\r", "a\rb\r\n", "a\n.\nb\r\n", "\r\r\n", "a\r\n\n", "\n"])
    func `a message whose lines do not end in CR LF is refused`(_ text: String) async {
        let server = ScriptedTCPServer(SMTPScript())
        #expect(await fixture.send(server.mail(message: text)).failure?.code == .badRequest)
        #expect(server.connectionCount == 0)
    }

    @Test(arguments: [
        "", "mail.example", "http://mail.example", "smtp://", "smtps:///",
        "smtp://u:p@mail.example",
        "smtp://mail.example/path", "smtp://mail.example?x", "smtp://mail.example#x",
        "smtp://mail.example\r\nX", "smtp://mail.example\0", "smtp://a b", "smtp://a%0d%0ab",
        "smtp://mail.example:99999",
    ])
    func `a bad URL is the mail's own fault`(_ url: String) async {
        var mail = ScriptedTCPServer(SMTPScript()).mail()
        mail.url = url
        #expect(await fixture.send(mail).failure?.code == .badRequest)
    }

    @Test(arguments: ["", "a b", "a\r\nRSET", "a/b", "a\0", "a%0d"])
    func `a bad name for EHLO is refused`(_ name: String) async {
        let server = ScriptedTCPServer(SMTPScript())
        var mail = server.mail()
        mail.helloName = name
        #expect(await fixture.send(mail).failure?.code == .badRequest)
        #expect(server.connectionCount == 0)
    }

    @Test(
        arguments: [
            (nil, "secret"), ("user", nil), ("", "secret"), ("user", ""), ("user\0", "secret"),
            ("user", "secret\0"),
        ] as [(String?, String?)])
    func `half a login is refused`(_ username: String?, _ password: String?) async {
        let server = ScriptedTCPServer(SMTPScript())
        var mail = server.mail()
        mail.username = username.map { Secret($0) }
        mail.password = password.map { Secret($0) }
        let failure = await fixture.send(mail).failure
        #expect(failure?.code == .badRequest)
        #expect(failure?.message.contains("secret") == false)
        #expect(server.connectionCount == 0)
    }

    @Test func `what only HTTP can keep is not promised`() async {
        let server = ScriptedTCPServer(SMTPScript())
        let fixture = MailFixture(options: HTTPConnectionOptions(refusesPrivate: true))
        #expect(await fixture.send(server.mail()).failure?.code == .badRequest)
        #expect(server.connectionCount == 0)
    }

    // MARK: - Login and TLS

    @Test(arguments: ["AUTH PLAIN", "AUTH GSSAPI NTLM DIGEST-MD5 XOAUTH2 PLAIN LOGIN"])
    func `a login with PLAIN`(_ offer: String) async {
        let server = ScriptedTCPServer(
            SMTPScript(hello: "250-mx\r\n250 \(offer)\r\n", login: ["334 \r\n", "235 Ok\r\n"]))
        #expect(await fixture.send(login(server)).reply?.code == 250)
        #expect(server.requests[1] == "AUTH PLAIN\r\n")
        #expect(server.requests[2] == Base64.encode("\0us\"er@x\0p ä\\ss".utf8) + "\r\n")
        #expect(server.requests[3].hasPrefix("MAIL FROM:"))
    }

    @Test func `a login with LOGIN`() async {
        let server = ScriptedTCPServer(
            SMTPScript(
                hello: "250-mx\r\n250 AUTH LOGIN NTLM\r\n",
                login: ["334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n", "235 Ok\r\n"]))
        #expect(await fixture.send(login(server)).reply?.code == 250)
        #expect(
            server.requests[1...3] == [
                "AUTH LOGIN\r\n", Base64.encode("us\"er@x".utf8) + "\r\n",
                Base64.encode("p ä\\ss".utf8) + "\r\n",
            ])
    }

    @Test(arguments: [
        "535 5.7.8 no: p ä\\ss",
        "535 5.7.8 no: " + Base64.encode("p ä\\ss".utf8),
        "454 4.7.0 no: us\"er@x " + Base64.encode("\0us\"er@x\0p ä\\ss".utf8),
    ])
    func `a refused login tells no secret, though the server does`(_ reply: String) async throws {
        let server = ScriptedTCPServer(
            SMTPScript(
                hello: "250-mx\r\n250 AUTH PLAIN\r\n", login: ["334 \r\n", reply + "\r\n"]))
        let failure = try #require(await fixture.send(login(server)).failure)
        #expect(failure.code == .sessionRefused)
        #expect(failure.reply?.code == Int(reply.prefix(3)))
        #expect(failure.message.hasPrefix("the server refused the login: \(reply.prefix(9))"))
        let told = "\(failure) \(failure.reply?.text ?? "")"
        for secret in ["ä", "us\"er", Base64.encode("p ä\\ss".utf8), "AHVz"] {
            #expect(!told.contains(secret))
        }
        #expect(failure.message.contains("***"))
    }

    @Test func `no way to log in in common is a refusal`() async {
        let server = ScriptedTCPServer(
            SMTPScript(hello: "250-mx\r\n250 AUTH GSSAPI NTLM\r\n", login: ["250 Ok\r\n"]))
        let failure = await fixture.send(login(server)).failure
        #expect(failure?.code == .sessionRefused)
        #expect(failure?.message.contains("PLAIN") == true)
        #expect(!server.requests.contains { $0.hasPrefix("AUTH") })
    }

    @Test(arguments: [MailRequest.StartTLS.always, .auto])
    func `a password is never sent over a line that can be read`(
        _ startTLS: MailRequest.StartTLS
    ) async {
        let offer = "250-mx\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"
        let scripts = [
            SMTPScript(hello: "250-mx\r\n250 AUTH PLAIN\r\n").steps,
            SMTPScript(hello: offer, login: ["454 no\r\n"]).steps,
            // Somebody on the line speaks for the server, before TLS and instead of it.
            SMTPScript(hello: offer, login: ["220 go\r\n250 AUTH PLAIN\r\n"]).steps,
            Array(SMTPScript(hello: offer, login: ["220 go\r\n"]).steps.prefix(5))
                + [.pause(.milliseconds(20)), .send("334 \r\n")],
        ]
        for script in scripts {
            let server = ScriptedTCPServer { _ in script }
            var mail = login(server)
            mail.startTLS = startTLS
            #expect(await fixture.send(mail).failure != nil)
            #expect(!server.requests.contains { $0.hasPrefix("AUTH") || $0.hasPrefix("MAIL") })
        }
    }

    @Test func `without a password TLS is used where it is offered, if so wanted`() async {
        let plain = ScriptedTCPServer(SMTPScript())
        var mail = plain.mail()
        mail.startTLS = .auto
        #expect(await fixture.send(mail).reply?.code == 250)
        mail.startTLS = .always
        let failure = await fixture.send(mail).failure
        #expect(failure?.code == .sessionRefused)
        #expect(failure?.message == "the server does not offer STARTTLS")
        let offering = ScriptedTCPServer(
            SMTPScript(hello: "250-mx\r\n250 STARTTLS\r\n", login: ["454 not now\r\n"]))
        mail.url = offering.mailURL
        let refused = await fixture.send(mail).failure
        #expect(refused?.code == .sessionRefused)
        #expect(refused?.reply == MailReply(code: 454, text: "not now"))
        #expect(offering.requests[1] == "STARTTLS\r\n")
        mail.startTLS = .never
        let ignored = ScriptedTCPServer(SMTPScript(hello: "250-mx\r\n250 STARTTLS\r\n"))
        mail.url = ignored.mailURL
        #expect(await fixture.send(mail).reply?.code == 250)
    }

    private func login(_ server: ScriptedTCPServer) -> MailRequest {
        var mail = server.mail()
        mail.username = Secret("us\"er@x")
        mail.password = Secret("p ä\\ss")
        return mail
    }
}
