import RunwatchConfig
import RunwatchCore
import RunwatchTemplate
import TestSupport
import Testing

/// The configurations that ship with the project work.
@Suite struct ExampleTests {
    private func load(_ path: String, environment: [String: String] = testEnvironment)
        -> ConfigurationResult
    {
        // The programs that examples name are not those of this machine.
        ConfigurationLoader.load(
            file: path, environment: environment, programFault: { _ in nil })
    }

    @Test func `the configuration as shipped says the defaults`() throws {
        let result = load(Folders.examples + "/runwatch.yaml", environment: [:])
        #expect(result.diagnostics == [])
        let configuration = try #require(result.configuration)
        #expect(configuration.services == [])
        #expect(configuration.watches == [])
        #expect(configuration.receivers == [ReceiverSettings(name: "log", kind: .stdout(.json))])
        #expect(configuration.defaults == WatchSettings(notify: ["log"]))
        #expect(configuration.retention == .seconds(30 * 86_400))
        #expect(configuration.control == ControlSettings())
        #expect(configuration.http.listen == nil)
        #expect(configuration.log == LogSettings())
    }

    @Test func `every key behind a hash works when it is taken into use`() throws {
        func uncommented(_ name: String) throws -> String {
            let lines = try text(of: Folders.examples + "/" + name)
                .split(separator: "\n", omittingEmptySubsequences: false)
            return lines.map { line -> String in
                let indent = line.prefix { $0 == " " }
                let rest = line.dropFirst(indent.count)
                guard rest.first == "#", let next = rest.dropFirst().first, next != " " else {
                    return String(line)
                }
                return String(indent + rest.dropFirst())
            }.joined(separator: "\n")
        }
        let result = MemoryFiles([
            "/c/runwatch.yaml": try uncommented("runwatch.yaml"),
            "/c/watches.yaml": try uncommented("watches.yaml"),
            "/c/tls/ca.pem": "", "/c/tls/client.pem": "", "/c/tls/client.key": "",
        ]).load()
        #expect(result.diagnostics == [])
        let configuration = try #require(result.configuration)
        #expect(configuration.services.map(\.name) == ["krixik", "warehouse"])
        #expect(configuration.services[1].tls.keyFile == "/c/tls/client.key")
        #expect(configuration.services[1].limits == ServiceLimits(concurrency: 8, rate: 20))
        #expect(
            configuration.receivers.map(\.name) == ["log", "ops", "chat", "phone", "mail", "hook"])
        #expect(
            configuration.receivers.map(\.kind.name) == [
                "stdout", "webhook", "slack", "ntfy", "email", "exec",
            ])
        #expect(configuration.receivers[1].retry == ReceiverSettings.standardRetry)
        #expect(configuration.receivers[1].on == EventType.finalStates)
        #expect(configuration.watches.count == 2)
        #expect(configuration.discoveries.map(\.runTag) == ["nightly"])
        #expect(configuration.control == ControlSettings(group: "runwatch", adminGroup: "runwatch"))
        #expect(configuration.http.listen == .loopback(port: 9788))
    }

    @Test func `every example loads without a word`() throws {
        let folder = TemporaryFolder()
        folder.write("krixik-api-key", "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9\n")
        for name in ["slack-url", "discord-url", "teams-url", "pager-url"] {
            folder.write(name, "https://hooks.example.com/\(name)\n")
        }
        for name in ["ntfy-token", "smtp-password", "next-step-token", "broker-token"] {
            folder.write(name, "a token\n")
        }
        var environment = testEnvironment
        environment["CREDENTIALS_DIRECTORY"] = folder.path
        let examples = Folders.examples + "/examples/"
        let lists = ["krixik-watches.yaml", "kinetica-watches.yaml"]
        let mains = names(in: examples, ending: ".yaml").filter { !lists.contains($0) }
        #expect(mains.count >= 8)
        for name in mains {
            let result = load(examples + name, environment: environment)
            #expect(result.diagnostics == [], "\(name)")
            #expect(result.configuration != nil, "\(name)")
        }
    }

    @Test func `the template of the pager writes JSON`() throws {
        let template = try Template(text(of: Folders.examples + "/examples/pager.mustache"))
        let event = JSONValue.object([
            .init("name", .string("a\"b")), .init("event", .object([])),
        ])
        let value = JSONValue.object([
            .init("title", .string("2 events: \n\\")), .init("severity", .string("bad")),
            .init("id", .string("msg_1")), .init("count", .integer(2)),
            .init("events", .array([event, event])),
        ])
        let body = try JSONValue(
            parsing: Array(template.render(value, escape: .json, limit: 4096).utf8))
        #expect(body["summary"] == .string("2 events: \n\\"))
        #expect(body["details"]?.arrayValue?.count == 3)
        #expect(body["details"]?.arrayValue?.first?["what"] == .string("a\"b"))
    }

    @Test func `the examples mean what they say`() throws {
        let examples = Folders.examples + "/examples/"
        let kinetica = try #require(load(examples + "kinetica.yaml").configuration)
        #expect(
            kinetica.watches.map(\.name.description) == [
                "local/12", "warehouse/1001", "warehouse/1002", "warehouse/1003",
            ])
        #expect(kinetica.watches[0].settings.deadline == .seconds(3600))
        #expect(kinetica.watches[2].origin == .file(examples + "kinetica-backlog.txt", line: 3))
        let rotation = try #require(load(examples + "webhook-rotation.yaml").configuration)
        guard case .webhook(let webhook) = rotation.receivers[1].kind else {
            Issue.record("ops is no webhook")
            return
        }
        #expect(webhook.secrets.count == 2)
        #expect(rotation.receivers[0].on == Set(EventType.all))
        #expect(rotation.receivers[1].concurrency == 16)
    }
}
