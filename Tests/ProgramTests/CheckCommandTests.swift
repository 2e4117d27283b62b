import Glibc
import RunwatchCore
import RunwatchSim
import TestSupport
import Testing

/// `runwatchctl check` as a program.
@Suite struct CheckCommandTests {
    private static let run = "f948a6ad-0343-e743-2b3f-0df6bc732a3a"
    private static let script = """
        {"kinetica": {"users": [{"name": "watcher", "password": "hunter2-hunter2", "sees": "all"}]},
         "runs": [
          {"service": "krixik", "id": "\(run)", "pipeline": "nightly", "life": [[0, "running"]]},
          {"service": "kinetica", "id": "1", "life": [[0, "running"]]},
          {"service": "kinetica", "id": "2", "life": [[0, "complete"]]}]}
        """

    /// Ends with its code, and what it wrote.
    private func check(
        _ folder: TemporaryFolder, _ arguments: String..., environment: [String: String] = [:]
    ) async -> (code: Int32, output: String, errors: String) {
        let program = RunningProgram(
            "runwatchctl", ["check"] + arguments, in: folder.path,
            output: "check-\(arguments.joined().utf8.count)-\(Int.random(in: 0..<1 << 40))",
            environment: environment)
        _ = await eventually { !program.isRunning }
        return (program.exitStatus(), program.output, program.errors)
    }

    private let environment = [
        "GOOD_KEY": Stage.apiKey, "BAD_KEY": "no-such-key-no-such-key",
        "GOOD_PASSWORD": "hunter2-hunter2", "BAD_PASSWORD": "hunter3-hunter3",
    ]

    /// Its timeout, as those below, is longer than any machine is busy.
    private func krixik(_ name: String, _ url: String, key: String) -> String {
        """
          \(name):
            kind: krixik
            url: \(url)/krixik
            api_key: \(key)
            pipeline: nightly
            timeout: 10m

        """
    }

    private func kinetica(
        _ name: String, _ url: String, password: String = "{env: GOOD_PASSWORD}",
        extra: String = "    timeout: 10m"
    ) -> String {
        """
          \(name):
            kind: kinetica
            url: \(url)
            username: watcher
            password: \(password)
        \(extra)

        """
    }

    /// The words of a probe's line after the service.
    private func line(_ service: String, _ output: String) -> String {
        let line = output.split(separator: "\n").first { $0.hasPrefix(service + " ") }
        return String((line ?? "").dropFirst(service.count).drop { $0 == " " })
    }

    // MARK: Probes

    @Test func `a probe says what each service answers, and fails when one is no use`() async throws
    {
        let stage = try await Stage(script: CheckCommandTests.script)
        let slow = ScriptedTCPServer(.request, .hold)
        let strange = ScriptedTCPServer(
            .request,
            .send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"a\": \u{1B}[3"))
        defer {
            slow.stop()
            strange.stop()
        }
        let url = stage.url
        let services =
            krixik("keyed", url, key: "{env: GOOD_KEY}")
            + krixik("unkeyed", url, key: "{env: BAD_KEY}")
            + krixik("idle", url, key: "{env: GOOD_KEY}")
            + krixik("private", url, key: "{credential: private-key}")
            + kinetica("warehouse", url + "/kinetica")
            + kinetica("spare", url + "/kinetica")
            + kinetica("locked", url + "/kinetica", password: "{env: BAD_PASSWORD}")
            + kinetica("slow", slow.url, extra: "    timeout: 300ms")
            + kinetica("strange", strange.url) + kinetica("closed", "http://127.0.0.1:1")
        stage.folder.write("runwatch.yaml", "services:\n" + services)
        var list = "- {service: warehouse, ids: [1, 2, 9]}\n"
        for service in ["keyed", "unkeyed", "private"] {
            list += "- {service: \(service), id: \(CheckCommandTests.run)}\n"
        }
        for service in ["locked", "slow", "strange", "closed"] {
            list += "- {service: \(service), id: 1}\n"
        }
        stage.watch(list)

        let result = await check(
            stage.folder, stage.configuration, "--probe", environment: environment)
        let output = result.output
        #expect(result.code == 1)
        #expect(output.contains("10 services, 1 receiver, 10 watches: ok, 1 warning\n"))
        #expect(line("keyed", output).hasPrefix("up         200 in "))
        #expect(line("keyed", output).hasSuffix(": run \(CheckCommandTests.run) is running"))
        #expect(line("unkeyed", output).hasPrefix("failed     403 in "))
        #expect(line("unkeyed", output).contains("check the service's credentials"))
        #expect(line("idle", output) == "not asked  no watch names this service")
        #expect(
            line("private", output).hasPrefix("not asked  it needs the credential 'private-key'"))
        #expect(line("warehouse", output).hasSuffix(": 2 runs, among them 2 of 3 watched"))
        #expect(line("spare", output).hasSuffix(": 2 runs"))
        #expect(line("locked", output).hasPrefix("failed     401 in "))
        #expect(line("slow", output).hasPrefix("failed     "))
        #expect(line("strange", output).hasPrefix("failed     200 in "))
        #expect(line("closed", output).hasPrefix("failed     "))
        #expect(output.hasSuffix("\n6 services of 10 gave no usable answer\n"))
        #expect(!output.contains("\u{1B}"))
        // Nobody waits at a terminal.
        #expect(result.errors == "")
        for secret in environment.values { #expect(!output.contains(secret)) }

        let json = await check(
            stage.folder, "--json", stage.configuration, "--probe", environment: environment)
        let document = try JSONValue(parsing: json.output)
        #expect(json.code == 1 && document["ok"] == .bool(false))
        #expect(document["errors"] == .array([]))
        let probes = try #require(document["probes"]?.arrayValue)
        func told(_ service: String, _ key: String) -> JSONValue? {
            probes.first { $0["service"] == .string(service) }?[key]
        }
        #expect(probes.count == 10)
        #expect(told("keyed", "outcome") == .string("up"))
        #expect(told("keyed", "run") == .string(CheckCommandTests.run))
        #expect(told("keyed", "status") == .integer(200))
        #expect(told("slow", "reason") == .string("timeout"))
        #expect(told("strange", "reason") == .string("unreadable"))
        #expect(told("closed", "reason") == .string("connection"))
        #expect(told("locked", "reason") == .string("unauthorized"))
        #expect(told("idle", "outcome") == .string("not_asked"))
        #expect(told("private", "outcome") == .string("no_credential"))
        await stage.end()
    }

    @Test func `a probe of services that all answer succeeds`() async throws {
        let stage = try await Stage(script: CheckCommandTests.script)
        stage.folder.write(
            "runwatch.yaml",
            "services:\n" + krixik("keyed", stage.url, key: "{credential: key}")
                + krixik("idle", stage.url, key: "{env: GOOD_KEY}")
                + kinetica("warehouse", stage.url + "/kinetica"))
        stage.watch(
            """
            - {service: keyed, id: \(CheckCommandTests.run)}
            - {service: warehouse, id: "1"}
            """)
        stage.folder.write("key", Stage.apiKey + "\n")
        // As in the service itself, where systemd passes the credentials.
        var environment = environment
        environment["CREDENTIALS_DIRECTORY"] = stage.folder.path
        let result = await check(
            stage.folder, stage.configuration, "--probe", environment: environment)
        #expect(result.code == 0, "\(result.output)")
        #expect(line("warehouse", result.output).hasSuffix(": run 1 is running"))
        #expect(line("keyed", result.output).hasPrefix("up "))
        // One request each, and nothing else.
        let requests = await stage.simulator.statistics.requests
        #expect(requests.values.flatMap(\.values).reduce(0, +) == 2, "\(requests)")
        await stage.end()
    }

    @Test func `a probe goes on to a single run, and reads no more than it may`() async throws {
        func answer(_ status: String, _ body: String) -> ScriptedTCPServer.Step {
            .send(
                "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
        let one = #"{\"overall_statuses\":{\"1\":\"running\"}}"#
        let single = ScriptedTCPServer(
            .request, answer("400 No", #"{"status":"ERROR","message":"not all","data_str":""}"#),
            .request, answer("200 OK", #"{"status":"OK","message":"","data_str":"\#(one)"}"#))
        let large = ScriptedTCPServer(
            .request, answer("200 OK", String(repeating: " ", count: 5000)))
        defer {
            single.stop()
            large.stop()
        }
        let folder = TemporaryFolder()
        let file = folder.write(
            "runwatch.yaml",
            "services:\n" + kinetica("single", single.url)
                + kinetica("large", large.url, extra: "    timeout: 10m\n    max_answer: 4KiB"))
        folder.write(
            "watches.yaml", "- {service: single, ids: [1, 2]}\n- {service: large, id: 1}\n")
        let result = await check(folder, "--json", file, "--probe", environment: environment)
        let probes = try #require(try JSONValue(parsing: result.output)["probes"]?.arrayValue)
        #expect(result.code == 1)
        #expect(probes[0]["outcome"] == .string("up") && probes[0]["run"] == .string("1"))
        let message = try #require(probes[0]["message"]?.stringValue)
        #expect(message.hasPrefix("run 1 is running (asked about one run, since about all: "))
        #expect(message.contains("not all"))
        #expect(single.requests.count == 2)
        #expect(probes[1]["reason"] == .string("too_large"))
    }

    @Test func `a faulty configuration is told, and no service is asked`() async throws {
        let folder = TemporaryFolder()
        let server = ScriptedTCPServer(.request, .hold)
        defer { server.stop() }
        let file = folder.write(
            "runwatch.yaml", "services:\n" + kinetica("s", server.url) + "nope: 1\n")
        let result = await check(folder, file, "--probe", "--explain", environment: environment)
        #expect(result.code == 1)
        #expect(result.output.contains("unknown key 'nope'"))
        #expect(result.output.hasSuffix("\n1 error\nno service was asked\n"))
        #expect(server.connectionCount == 0)
    }

    // MARK: Explanations

    @Test func `every setting is explained, or those of one watch`() async throws {
        let folder = TemporaryFolder()
        let file = folder.write(
            "runwatch.yaml",
            "services:\n"
                + kinetica("s", "http://127.0.0.1:1", extra: "    poll: {initial: 1s}"))
        folder.write("watches.yaml", "- {service: s, ids: [1, 2], deadline: 2h}\n")
        let all = await check(folder, file, "--explain", environment: environment)
        #expect(all.code == 0)
        #expect(all.output.contains("\n\nservice s  (\(file):2)\n"))
        #expect(
            all.output.contains("\n\n2 watches of s: 1, 2  (\(folder.path("watches.yaml")):1)\n"))
        #expect(all.output.contains("{env: GOOD_PASSWORD}"))
        #expect(!all.output.contains("hunter2"))

        let one = await check(
            folder, file, "--explain", "--watch", "s/2", environment: environment)
        #expect(one.code == 0)
        #expect(one.output.contains("\nwatch s/2  ("))
        #expect(one.output.contains("(\(file):7, services.s.poll)\n"))
        #expect(!one.output.contains("service s"))

        let json = await check(
            folder, file, "--explain", "--watch", "s/2", "--json", environment: environment)
        let document = try JSONValue(parsing: json.output)
        let watches = try #require(document["explanation"]?["watches"]?.arrayValue)
        #expect(watches.count == 1)
        #expect(watches[0]["settings"]?["deadline"]?["source"]?["line"] == .integer(1))

        let none = await check(
            folder, file, "--explain", "--watch", "s/3", environment: environment)
        #expect(none.code == 4)
        #expect(none.errors.contains("no watch list has s/3"))
    }

    // MARK: Usage

    @Test func `wrong usage is told apart from a wrong configuration`() async throws {
        let folder = TemporaryFolder()
        let file = folder.write("runwatch.yaml", "{}")
        #expect(await check(folder, file).code == 0)
        #expect(await check(folder, folder.path("missing.yaml")).code == 1)
        #expect(await check(folder, folder.path).code == 1)
        #expect(await check(folder, "-").code == 64)
        #expect(await check(folder, file, file).code == 64)
        #expect(await check(folder, file, "--watch", "s/1").code == 64)
        #expect(await check(folder, file, "--explain", "--watch", "nonsense").code == 64)
    }
}
