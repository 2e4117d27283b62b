import Glibc
import RunwatchCore
import RunwatchSim
import TestSupport
import Testing

/// The live views of `runwatchctl` as programs on a terminal, against a real daemon.
@Suite struct LiveViewProgramTests {
    private static let runs = """
        {"service": "kinetica", "id": "1", "life": [[0, "running"]]},
        {"service": "kinetica", "id": "100", "count": 20, "life": [[0, "running"]]}
        """

    /// A daemon that watches runs 1 and 2, which run until the test says otherwise.
    private func stage() async throws -> Stage {
        let second = #"{"service": "kinetica", "id": "2", "life": [[0, "running"]]}"#
        let stage = try await Stage(
            script: #"{"runs": [\#(LiveViewProgramTests.runs), \#(second)]}"#)
        stage.configure()
        stage.watch("- service: warehouse\n  ids: [1, 2]\n")
        try await stage.start()
        let areRunning = await eventually {
            let states = try? await stage.states()
            return states?.filter { $0.value == "running" }.count == 2
        }
        try #require(areRunning)
        return stage
    }

    private func completeSecond(_ stage: Stage) async throws {
        let second = #"{"service": "kinetica", "id": "2", "life": [[0, "complete"]]}"#
        await stage.simulator.forget()
        _ = try await stage.simulator.addRuns(json: "[\(LiveViewProgramTests.runs), \(second)]")
    }

    private func control(
        _ stage: Stage, _ arguments: String..., environment: [String: String] = ["TERM": "xterm"]
    ) -> TerminalProgram {
        TerminalProgram(
            "runwatchctl", ["--socket", stage.socket] + arguments, columns: 90, rows: 12,
            environment: environment)
    }

    @Test func `a list on a terminal follows runs, reloads, sizes and restarts, until Ctrl-C`()
        async throws
    {
        let stage = try await stage()
        let list = control(stage, "list", "--follow")
        #expect(await eventually { list.screen.text.contains("warehouse/2  running") })
        try await completeSecond(stage)
        #expect(await eventually { list.screen.text.contains("warehouse/2  complete") })
        #expect(list.screen.text.contains("warehouse/1  running"))
        #expect(list.screen.lines.count == 4)
        #expect(!list.screen.isCursorShown)
        #expect(!list.showsInput)
        list.type("typed\r")

        let more = (100..<120).map { String($0) }.joined(separator: ", ")
        stage.watch("- service: warehouse\n  ids: [1, 2, \(more)]\n")
        #expect(await eventually { list.screen.lines.last == "… and 13 more" })
        list.resize(columns: 40, rows: 6)
        #expect(await eventually { list.screen.lines.last == "… and 19 more" })
        #expect(list.screen.lines.count == 6)

        await stage.stop(SIGKILL)
        #expect(
            await eventually { list.screen.lines.first?.hasPrefix("the daemon is away") == true })
        try await stage.start()
        #expect(await eventually { list.screen.lines.first?.contains("22 watches") == true })

        list.type("\u{3}")
        #expect(await eventually { !list.isRunning })
        #expect(list.exitStatus == 130)
        #expect(await eventually { list.screen.isCursorShown })
        #expect(list.showsInput)
        #expect(!list.screen.hasWrapped)
        #expect(list.screen.unknown.isEmpty)
        #expect(!list.screen.text.contains("typed"))
        await stage.end()
    }

    @Test(arguments: [SIGTERM, SIGHUP])
    func `whatever ends a list, its terminal is whole`(signal: Int32) async throws {
        let stage = try await stage()
        let list = control(stage, "list", "--follow", "--active")
        #expect(await eventually { list.screen.text.contains("warehouse/1  running") })
        // Stopped by Ctrl-Z it gives the terminal back, and takes it again when it goes on.
        list.type("\u{1A}")
        #expect(await eventually { list.screen.isCursorShown && list.showsInput })
        list.kill(SIGCONT)
        #expect(await eventually { !list.screen.isCursorShown && !list.showsInput })
        list.kill(signal)
        #expect(await eventually { !list.isRunning })
        #expect(list.exitStatus == 128 + signal)
        #expect(await eventually { list.screen.isCursorShown })
        #expect(list.showsInput)
        await stage.end()
    }

    @Test func `a terminal that cannot move its cursor gets plain lines`() async throws {
        let stage = try await stage()
        let list = control(stage, "list", "--follow", environment: ["TERM": "dumb"])
        #expect(await eventually { list.screen.text.contains("warehouse/2  running") })
        try await completeSecond(stage)
        #expect(await eventually { list.screen.text.contains("running → complete") })
        #expect(list.screen.lines.first?.hasPrefix("NAME ") == true)
        #expect(list.screen.isCursorShown)
        list.type("\u{3}")
        #expect(await eventually { list.exitStatus == 130 })
        await stage.end()
    }

    @Test func `a wait on a terminal says how it stands, and leaves the result alone`() async throws
    {
        let stage = try await stage()
        let wait = control(stage, "wait", "warehouse/2")
        #expect(
            await eventually { wait.screen.lines.last?.hasPrefix("0 of 1 final · 1 ") == true })
        try await completeSecond(stage)
        #expect(await eventually { wait.exitStatus != nil })
        #expect(wait.exitStatus == 0)
        #expect(
            await eventually {
                wait.screen.lines.count == 1
                    && wait.screen.text.hasPrefix("warehouse/2  complete  after ")
            })
        let interrupted = control(stage, "wait", "warehouse/1")
        #expect(await eventually { interrupted.screen.text.contains("1 running") })
        interrupted.type("\u{3}")
        #expect(await eventually { interrupted.exitStatus == 130 })
        #expect(await eventually { !interrupted.screen.text.contains("final") })
        await stage.end()
    }

    @Test func `a list elsewhere is lines, and with JSON objects`() async throws {
        let stage = try await stage()
        let programs = [["list", "--follow"], ["list", "--follow", "--json"]].map { arguments in
            RunningProgram(
                "runwatchctl", ["--socket", stage.socket] + arguments, in: stage.folder.path,
                output: arguments.joined(), environment: ["TERM": "xterm"])
        }
        #expect(
            await eventually {
                programs[0].output.contains("warehouse/2  running")
                    && programs[1].output.split(separator: "\n").count >= 2
            })
        try await completeSecond(stage)
        #expect(
            await eventually {
                programs[0].output.contains("  warehouse/2  running → complete\n")
            })
        #expect(programs[0].output.hasPrefix("NAME "))
        #expect(!programs[0].output.contains("\u{1B}"))
        #expect(await eventually { programs[1].output.contains(#""state":"complete""#) })
        for line in programs[1].output.split(separator: "\n") {
            let watch = try JSONValue(parsing: String(line))
            #expect(watch["name"]?.stringValue?.hasPrefix("warehouse/") == true)
        }
        for program in programs {
            program.kill(SIGINT)
            #expect(program.exitStatus() == 130)
            #expect(program.errors == "")
        }
        await stage.end()
    }
}
