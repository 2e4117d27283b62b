import RunwatchConfig
import RunwatchCore
import TestSupport
import Testing

/// Every key of every kind of receiver arrives in the settings.
@Suite struct ReceiverKindTests {
    private let slackURL = Secret("https://hooks.slack.com/services/hunter2-hunter2")
    private let tls = TLSSettings(
        caFile: "/c/ca.pem", certFile: "/c/client.pem", keyFile: "/c/client.key")

    /// Loads the keys of one receiver, indented by four.
    private func result(_ keys: String) -> ConfigurationResult {
        MemoryFiles([
            "/c/runwatch.yaml": "receivers:\n  ops:\n" + keys, "/c/ca.pem": "", "/c/client.pem": "",
            "/c/client.key": "", "/c/text.mustache": "{{title}}\n{{text}}\n",
        ]).load()
    }

    private func receiver(_ keys: String) throws -> ReceiverSettings {
        let result = result(keys)
        #expect(result.diagnostics == [])
        return try #require(result.configuration?.receivers.first)
    }

    @Test func `every key of a webhook arrives`() throws {
        let settings = try receiver(
            """
                webhook:
                  url: {env: SLACK_URL}
                  secret: [{env: OPS_SECRET_NEW}, {env: OPS_SECRET_OLD}]
                  format: standard
                  headers:
                    Authorization: {env: KINETICA_TOKEN}
                    X-Run: "{{data.run}}"
                    content-type: text/plain
                  body: '{"text": "{{title}}"}'
                  tls: {ca_file: ca.pem, cert_file: client.pem, key_file: client.key}
                  deny_private: true
                on: complete
                retry: [0s, 1s]
                timeout: 1s
                concurrency: 256
                digest: {window: 1s, max: 2}
            """)
        let webhook = WebhookSettings(
            url: slackURL,
            secrets: [
                Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
                Secret("an older text without a prefix"),
            ], format: .standard, body: "{\"text\": \"{{title}}\"}",
            headers: [
                HeaderSettings("authorization", .secret(Secret("battery-staple"))),
                HeaderSettings("x-run", .template("{{data.run}}")),
                HeaderSettings("content-type", .template("text/plain")),
            ], peer: PeerSettings(tls: tls, deniesPrivate: true))
        #expect(
            settings
                == ReceiverSettings(
                    name: "ops", kind: .webhook(webhook), on: [.run(.complete)],
                    retry: [.zero, .seconds(1)], timeout: .seconds(1), concurrency: 256,
                    digest: DigestSettings(window: .seconds(1), max: 2)))
    }

    @Test func `a webhook in the format of CloudEvents`() throws {
        let settings = try receiver(
            "    webhook: {url: \"https://h\", format: cloudevents, deny_private: false}\n")
        #expect(
            settings.kind
                == .webhook(WebhookSettings(url: Secret("https://h"), format: .cloudEvents)))
    }

    @Test(arguments: [ChatSettings.Service.slack, .discord, .teams])
    func `every key of a chat arrives`(_ service: ChatSettings.Service) throws {
        let settings = try receiver(
            """
                \(service.rawValue):
                  url: {env: SLACK_URL}
                  text: "{{title}}"
                  tls: {ca_file: ca.pem, cert_file: client.pem, key_file: client.key}
                  proxy: http://proxy.example.com:3128
                  deny_private: false
            """)
        let chat = ChatSettings(
            service: service, url: slackURL, text: "{{title}}",
            peer: PeerSettings(tls: tls, proxy: "http://proxy.example.com:3128"))
        #expect(settings == ReceiverSettings(name: "ops", kind: .chat(chat)))
        #expect(settings.concurrency == 1)
        #expect(settings.digest == nil)
    }

    @Test func `every key of ntfy arrives`() throws {
        let settings = try receiver(
            """
                ntfy:
                  url: https://ntfy.example.com/
                  topic: {env: SHORT_SECRET}
                  token: {env: KINETICA_TOKEN}
                  text: {file: text.mustache}
                  tls: {ca_file: ca.pem}
                  deny_private: true
            """)
        let chat = ChatSettings(
            service: .ntfy, url: Secret("https://ntfy.example.com"), topic: Secret("hunter2"),
            token: Secret("battery-staple"), text: "{{title}}\n{{text}}",
            peer: PeerSettings(tls: TLSSettings(caFile: "/c/ca.pem"), deniesPrivate: true))
        #expect(settings.kind == .chat(chat))
    }

    @Test func `ntfy needs only a topic`() throws {
        let chat = ChatSettings(
            service: .ntfy, url: Secret("https://ntfy.sh"), topic: Secret("Runs_-1"))
        #expect(try receiver("    ntfy: {topic: Runs_-1}\n").kind == .chat(chat))
    }

    @Test func `every key of an email arrives`() throws {
        let settings = try receiver(
            """
                email:
                  url: SMTP://mail.example.com:587/
                  from: Runwatch <runwatch@example.com>
                  to: [ops@example.com, "Büro, Nacht <b.n+runs@mail.example.com>"]
                  username: watcher
                  password: {env: KINETICA_PASSWORD}
                  starttls: auto
                  subject: "{{title}}"
                  text: |
                    {{text}}
                  tls: {ca_file: ca.pem, cert_file: client.pem, key_file: client.key}
                digest: {}
            """)
        let email = EmailSettings(
            url: "smtp://mail.example.com:587",
            from: EmailAddress(name: "Runwatch", address: "runwatch@example.com"),
            to: [
                EmailAddress(address: "ops@example.com"),
                EmailAddress(name: "Büro, Nacht", address: "b.n+runs@mail.example.com"),
            ], username: Secret("watcher"), password: Secret("correct horse"), startTLS: .auto,
            subject: "{{title}}", text: "{{text}}\n", tls: tls)
        #expect(
            settings
                == ReceiverSettings(name: "ops", kind: .email(email), digest: DigestSettings()))
        #expect(settings.digest?.window == .seconds(300) && settings.digest?.max == 100)
    }

    @Test func `an email needs a server, a sender and a recipient`() throws {
        let settings = try receiver(
            "    email: {url: \"smtps://[::1]:465\", from: a@localhost, to: b@c}\n    digest: none\n"
        )
        let email = EmailSettings(
            url: "smtps://[::1]:465", from: EmailAddress(address: "a@localhost"),
            to: [EmailAddress(address: "b@c")])
        #expect(settings == ReceiverSettings(name: "ops", kind: .email(email)))
        #expect(email.startTLS == .always)
    }

    @Test(
        arguments: [
            ("a@b", nil, "a@b"), (" <a@b> ", nil, "a@b"), ("Run Watch  <a@b>", "Run Watch", "a@b"),
            ("\"Run, \\\"Watch\\\"\" <a@b>", "Run, \"Watch\"", "a@b"), ("\"\" <a@b>", nil, "a@b"),
            ("Bob \"the\" Builder <a@b>", "Bob \"the\" Builder", "a@b"),
            ("Run, Watch <a@b>", "Run, Watch", "a@b"), ("a@b.c <d@e.f>", "a@b.c", "d@e.f"),
            ("日本 🙂 <a@b>", "日本 🙂", "a@b"),
            ("!#$%&'*+-/=?^_`{|}~.x@a-b.c1", nil, "!#$%&'*+-/=?^_`{|}~.x@a-b.c1"),
        ] as [(String, String?, String)])
    func `addresses are taken as people write them`(
        _ text: String, _ name: String?, _ address: String
    ) throws {
        let quoted = text.map { $0 == "'" ? "''" : String($0) }.joined()
        let settings = try receiver(
            "    email: {url: \"smtp://m\", from: '\(quoted)', to: a@b}\n")
        guard case .email(let email) = settings.kind else {
            Issue.record("no email")
            return
        }
        #expect(email.from == EmailAddress(name: name, address: address))
    }

    @Test func `a list of a hundred recipients is not too long`() throws {
        let list = (1...100).map { "r\($0)@example.com" }.joined(separator: ", ")
        let settings = try receiver(
            "    email: {url: \"smtp://m\", from: a@b, to: [\(list)]}\n")
        guard case .email(let email) = settings.kind else {
            Issue.record("no email")
            return
        }
        #expect(email.to.count == 100 && email.to[99].address == "r100@example.com")
    }

    @Test func `every key of a program arrives`() throws {
        let settings = try receiver(
            """
                exec:
                  command: [/usr/local/bin/notify, --fast, "", "two\\nlines", "{{title}}"]
                  environment: {TOKEN: {env: KINETICA_TOKEN}, MODE: fast, _E: "", PATH: /bin}
                concurrency: 1
            """)
        let exec = ExecSettings(
            command: ["/usr/local/bin/notify", "--fast", "", "two\nlines", "{{title}}"],
            environment: [
                ("TOKEN", Secret("battery-staple")), ("MODE", Secret("fast")), ("_E", Secret("")),
                ("PATH", Secret("/bin")),
            ])
        #expect(settings == ReceiverSettings(name: "ops", kind: .exec(exec), concurrency: 1))
    }

    @Test func `attempts at once are those of the kind when nothing is said`() throws {
        #expect(try receiver("    exec: {command: [/bin/sh]}\n").concurrency == 4)
        #expect(try receiver("    webhook: {url: \"http://h\"}\n").concurrency == 16)
        #expect(try receiver("    stdout: {}\n").concurrency == 256)
    }

    @Test func `a program that is not there is warned of`() {
        let result = result("    exec: {command: [/missing/notify]}\n")
        #expect(
            result.lines() == [
                "runwatch.yaml:3:22: warning: the program in 'command': "
                    + "'/missing/notify' is not there"
            ])
        #expect(result.configuration != nil)
    }

    @Test func `plain secrets of the new kinds are warned of and not shown`() {
        let result = result(
            """
                slack: {url: "https://hooks.slack.com/services/hunter2-hunter2"}
              b: {ntfy: {topic: a, token: tk_hunter2}}
              c: {email: {url: "smtp://m", from: a@b, to: a@b, username: u, password: hunter2}}
              d: {webhook: {url: "https://h", headers: {AUTHORIZATION: "Basic hunter2"}}}
            """)
        #expect(result.errors == [])
        #expect(result.warnings.map(\.line) == [3, 4, 5, 6])
        #expect(!result.lines().joined().contains("hunter2"))
        #expect(!String(describing: result).contains("hunter2-"))
    }

    @Test func `an address that a name server gives is not looked at here`() throws {
        let settings = try receiver(
            "    webhook: {url: \"https://localhost.example.com/\", deny_private: true}\n")
        guard case .webhook(let webhook) = settings.kind else {
            Issue.record("no webhook")
            return
        }
        #expect(webhook.peer == PeerSettings(deniesPrivate: true))
    }
}
