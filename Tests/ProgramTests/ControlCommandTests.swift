import Glibc
import RunwatchControl
import RunwatchCore
import RunwatchSim
import TestSupport
import Testing

/// `runwatchctl` as a program: its verbs against a real daemon, and its exit codes.
@Suite struct ControlCommandTests {
    @Test func `wait gives the contract's codes`() async throws {
        let stage = try await Stage(
            script: """
                {"runs": [{"service": "kinetica", "id": "1", "life": [[0, "running"]]},
                          {"service": "kinetica", "id": "2", "life": [[0, "running"], [1, "complete"]]},
                          {"service": "kinetica", "id": "3", "life": [[0, "running"], [1, "error"]]}]}
                """)
        stage.configure()
        stage.watch("- service: warehouse\n  ids: [1, 2, 3]\n")
        #expect(await stage.control("wait", "warehouse/2").code == 69)
        try await stage.start()
        #expect(await stage.control("wait", "warehouse/2").code == 0)
        #expect(await stage.control("wait", "warehouse/3").code == 1)
        #expect(await stage.control("wait", "warehouse/2", "warehouse/3").code == 1)
        #expect(await stage.control("wait", "--any", "warehouse/1", "warehouse/2").code == 0)
        #expect(await stage.control("wait", "warehouse/1", "--timeout", "300ms").code == 124)
        #expect(await stage.control("wait", "warehouse/9").code == 4)
        #expect(await stage.control("wait", "nonsense").code == 64)
        #expect(await stage.control("wait").code == 64)
        #expect(await stage.control("no-such-verb").code == 64)
        await stage.end()
    }

    @Test func `wait returns at once when the final state is recorded`() async throws {
        let stage = try await Stage(
            script: """
                {"runs": [{"service": "kinetica", "id": "1", "life": [[0, "running"], [2, "complete"]]}]}
                """)
        stage.configure()
        stage.watch("- service: warehouse\n  id: 1\n")
        try await stage.start()
        let result = await stage.control("wait", "warehouse/1", "--timeout", "60s")
        #expect(result.code == 0)
        #expect(result.output.contains("complete"))
        await stage.end()
    }

    @Test func `every verb prints one JSON document with --json`() async throws {
        let stage = try await Stage(
            script: """
                {"runs": [{"service": "kinetica", "id": "1", "life": [[0, "running"]]},
                          {"service": "kinetica", "id": "2", "life": [[0, "complete"]]}]}
                """)
        stage.configure()
        stage.watch("- service: warehouse\n  ids: [1, 2]\n  group: nightly\n")
        try await stage.start()
        #expect(await stage.control("wait", "warehouse/2").code == 0)
        let isRunning = await eventually {
            (try? await stage.states())?["warehouse/1"] == "running"
        }
        #expect(isRunning)
        for arguments in [
            ["status"], ["list"], ["list", "--active"], ["list", "--state", "complete,error"],
            ["list", "--group", "nightly", "--service", "warehouse"], ["show", "warehouse/1"],
            ["events"], ["events", "--since", "1h"], ["poll", "warehouse/1"], ["reload"],
            ["check", stage.configuration], ["rewatch", "warehouse/2"],
        ] {
            let number = arguments.joined(separator: " ")
            let program = RunningProgram(
                "runwatchctl", ["--socket", stage.socket, "--json"] + arguments,
                in: stage.folder.path, output: "json-\(arguments[0])-\(arguments.count)",
                environment: ["KRIXIK_KEY": Stage.apiKey])
            _ = await eventually { !program.isRunning }
            #expect(program.exitStatus() == 0, "\(number): \(program.errors)")
            #expect(throws: Never.self, "\(number): \(program.output)") {
                try JSONValue(parsing: program.output)
            }
        }
        let shown = try JSONValue(
            parsing: await stage.control("--json", "show", "warehouse/1").output)
        #expect(shown["name"] == .string("warehouse/1"))
        #expect(shown["state"] == .string("running"))
        #expect(shown["final"] == .bool(false))
        #expect(shown["origin"]?.stringValue?.hasSuffix("watches.yaml:2") == true)
        #expect(shown["transitions"]?.arrayValue?.count == 1)
        #expect(await stage.control("show", "warehouse/9").code == 4)
        for verb in ["show", "poll", "rewatch", "wait"] {
            let refused = await stage.control(verb, "warehouse/9", "--json")
            #expect(refused.code == 4)
            let problem = try JSONValue(parsing: Array(refused.output.utf8))
            #expect(problem["status"] == .integer(404), "\(verb)")
        }
        await stage.end()
    }

    @Test func `rewatch follows a run to another end, and events keeps both`() async throws {
        let stage = try await Stage(
            script: """
                {"runs": [{"service": "kinetica", "id": "1", "life": [[0, "error"]]}]}
                """)
        stage.configure()
        stage.watch("- service: warehouse\n  id: 1\n")
        try await stage.start()
        #expect(await stage.control("wait", "warehouse/1").code == 1)
        await stage.simulator.forget()
        _ = try await stage.simulator.addRuns(
            json: #"[{"service": "kinetica", "id": "1", "life": [[0, "complete"]]}]"#)
        #expect(await stage.control("rewatch", "warehouse/1").code == 0)
        #expect(await stage.control("wait", "warehouse/1").code == 0)
        let events = try JSONValue(parsing: await stage.control("--json", "events").output)
        let types = events["events"]?.arrayValue?.compactMap { $0["type"]?.stringValue }
        #expect(types == ["run.error", "run.complete"])
        await stage.end()
    }
}
