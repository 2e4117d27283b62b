import Glibc
import RunwatchConfig
import RunwatchCore
import TestSupport
import Testing

@Suite struct ServiceAndReceiverTests {
    private func service(_ keys: String) throws -> ServiceSettings {
        let result = load(kineticaService + keys)
        #expect(result.errors == [])
        return try #require(result.configuration?.services.first)
    }

    private func receiver(_ keys: String) throws -> ReceiverSettings {
        let result = load("receivers:\n  ops:\n" + keys)
        #expect(result.errors == [])
        return try #require(result.configuration?.receivers.first)
    }

    @Test func `every key of a service arrives`() throws {
        let settings = try service(
            """
                token: {env: KINETICA_TOKEN}
                coalesce: always
                max_all_answer: 1GiB
                max_answer: 65536
                timeout: 1m30s
                proxy: SOCKS5h://proxy.example.com:1080
                limits: {concurrency: 1000, rate: 600/m}
            """)
        let kinetica = KineticaSettings(
            credentials: .bearer(Secret("battery-staple")), coalesce: .always,
            maximumAllAnswer: 1 << 30)
        #expect(
            settings
                == ServiceSettings(
                    name: "warehouse", kind: .kinetica(kinetica), url: "http://127.0.0.1:9191",
                    limits: ServiceLimits(concurrency: 1000, rate: 10), timeout: .seconds(90),
                    proxy: "socks5h://proxy.example.com:1080", maximumAnswer: 65_536))
    }

    @Test(arguments: [
        ("http://localhost", "http://localhost"), ("HTTPS://Host.Example/", "https://Host.Example"),
        ("http://[::1]:9191/gpudb-0//", "http://[::1]:9191/gpudb-0"),
        ("http://10.0.0.1:65535/a%20b/", "http://10.0.0.1:65535/a%20b"),
        ("http://my_host", "http://my_host"),
    ])
    func `a base URL loses its trailing slash`(_ text: String, _ expected: String) {
        let result = load("services: {a: {kind: kinetica, url: \"\(text)\"}}")
        #expect(result.diagnostics == [])
        #expect(result.configuration?.services.first?.url == expected)
    }

    @Test(arguments: [("0.5/s", 0.5), ("30/m", 0.5), ("3600/h", 1.0)])
    func `a rate counts per second, minute or hour`(_ text: String, _ expected: Double) throws {
        #expect(try service("    limits: {rate: \(text)}\n").limits.rate == expected)
    }

    @Test func `every key of a receiver arrives`() throws {
        let settings = try receiver(
            """
                webhook:
                  url: https://hooks.example.com/run?token=abc
                  secret: [{env: OPS_SECRET_NEW}, {env: OPS_SECRET_OLD}]
                  proxy: http://proxy.example.com:3128/
                on: [run.complete, stalled, service.down]
                retry: [0s, 500ms]
                timeout: 2s
            """)
        let webhook = WebhookSettings(
            url: Secret("https://hooks.example.com/run?token=abc"),
            secrets: [
                Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
                Secret("an older text without a prefix"),
            ], peer: PeerSettings(proxy: "http://proxy.example.com:3128"))
        #expect(
            settings
                == ReceiverSettings(
                    name: "ops", kind: .webhook(webhook),
                    on: [.run(.complete), .runStalled, .serviceDown],
                    retry: [.zero, .milliseconds(500)], timeout: .seconds(2)))
    }

    @Test(arguments: ["all", "[all]", "[complete, all]"])
    func `all stands for every type of event`(_ on: String) throws {
        let settings = try receiver("    stdout:\n    on: \(on)\n")
        #expect(settings.on == Set(EventType.all))
        #expect(settings.kind == .stdout(.json))
    }

    @Test func `a webhook's URL keeps its slash`() throws {
        let settings = try receiver("    webhook: {url: \"https://hooks.example.com/\"}\n")
        #expect(
            settings.kind == .webhook(WebhookSettings(url: Secret("https://hooks.example.com/"))))
    }

    @Test func `a secret's file that everyone may read is warned of`() throws {
        let folder = TemporaryFolder()
        let secret = folder.write("api.key", "0123456789\n")
        let main = folder.write(
            "runwatch.yaml",
            "services: {a: {kind: krixik, url: \"http://a\", api_key: {file: api.key}}}\n")
        func load() -> ConfigurationResult {
            ConfigurationLoader.load(file: main, environment: [:])
        }
        chmod(secret, 0o644)
        #expect(
            load().lines(without: folder.path + "/") == [
                "runwatch.yaml:1:63: warning: 'api_key': everyone may read 'api.key'; 'chmod o-r' it"
            ])
        chmod(secret, 0o640)
        #expect(load().diagnostics == [])
        guard case .krixik(let krixik)? = load().configuration?.services.first?.kind else {
            Issue.record("no krixik service")
            return
        }
        #expect(krixik.apiKey.reveal() == "0123456789")
    }

    @Test func `a secret's file is refused when it is too large or no text`() {
        let folder = TemporaryFolder()
        folder.write("large", String(repeating: "x", count: 70_000))
        let path = folder.path("binary")
        let file = fopen(path, "w")
        #expect(fwrite([UInt8](repeating: 0xFF, count: 9), 1, 9, file) == 9)
        fclose(file)
        let main = folder.write(
            "runwatch.yaml",
            """
            services:
              a: {kind: krixik, url: "http://a", api_key: {file: large}}
              b: {kind: krixik, url: "http://a", api_key: {file: binary}}
            """)
        let result = ConfigurationLoader.load(file: main, environment: [:])
        #expect(
            result.lines(without: folder.path + "/") == [
                "runwatch.yaml:2:54: 'api_key': cannot read 'large': larger than 65536 bytes",
                "runwatch.yaml:3:54: 'api_key': 'binary' is not UTF-8",
            ])
    }

    @Test func `a plain secret works and is warned of without being shown`() {
        let result = load("services: {a: {kind: krixik, url: \"http://a\", api_key: hunter2}}")
        #expect(result.configuration != nil)
        #expect(result.warnings.count == 1)
        #expect(!result.lines().joined().contains("hunter2"))
        #expect(!String(describing: result).contains("hunter2"))
    }
}
