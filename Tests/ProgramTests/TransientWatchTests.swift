import Glibc
import RunwatchControl
import RunwatchCore
import RunwatchSim
import TestSupport
import Testing

/// `runwatchctl add` and `remove` against a real daemon, through its deaths and its reloads.
@Suite struct TransientWatchTests {
    private static let runs = """
        {"runs": [{"service": "kinetica", "id": "1", "life": [[0, "running"]]},
                  {"service": "kinetica", "id": "2", "life": [[0, "running"]]},
                  {"service": "kinetica", "id": "3", "life": [[0, "complete"]]},
                  {"service": "kinetica", "id": "4", "life": [[0, "running"]]}]}
        """

    @Test func `an added watch outlives a crash and a reload, and ends by remove`() async throws {
        let stage = try await Stage(script: TransientWatchTests.runs)
        stage.configure()
        stage.watch("- service: warehouse\n  id: 4\n")
        try await stage.start()
        let added = await stage.control(
            "add", "warehouse", "1", "2", "3", "--label", "by hand", "--group", "g", "--notify",
            "log,finals", "--deadline", "2h")
        #expect(added.code == 0, "\(added.errors)")
        #expect(added.output == (1...3).map { "warehouse/\($0)  is watched\n" }.joined())
        #expect(await stage.control("wait", "warehouse/3", "--timeout", "60s").code == 0)
        await stage.stop(SIGKILL)
        try await stage.start()
        let shown = try await stage.document("/v1/watches/warehouse/1")
        #expect(shown["origin"] == .string("transient"))
        #expect(shown["label"] == .string("by hand"))
        #expect(await stage.control("reload").code == 0)
        #expect(await stage.control("remove", "warehouse/1").code == 0)
        #expect(await stage.control("remove", "warehouse/1").code == 4)
        #expect(await stage.control("remove", "warehouse/9").code == 4)
        let ofFile = await stage.control("remove", "warehouse/4")
        #expect(ofFile.code == 64)
        #expect(ofFile.errors.contains("watches.yaml:1;"))
        await stage.stop(SIGKILL)
        try await stage.start()
        #expect(
            try await stage.states().keys.sorted()
                == ["warehouse/2", "warehouse/3", "warehouse/4"])
        #expect(try await stage.document("/v1/watches/warehouse/1")["origin"] == nil)
        let again = await stage.control("add", "warehouse", "3", "--json", "--group", "g")
        #expect(again.code == 64)
        let problem = try JSONValue(parsing: again.output)
        #expect(problem["status"] == .integer(409))
        #expect(problem["detail"]?.stringValue?.contains("label, deadline, notify differ") == true)
        // The last active one leaves: the group has finished.
        #expect(await stage.control("remove", "warehouse/2").code == 0)
        let isTold = await eventually { stage.daemon?.output.contains("group.finished") == true }
        #expect(isTold)
        #expect(await stage.told()["warehouse/3"]?.count == 1)
        await stage.end()
    }

    @Test func `a service that leaves the configuration and returns finds its watches again`()
        async throws
    {
        let stage = try await Stage(script: TransientWatchTests.runs)
        stage.configure()
        try await stage.start()
        #expect(await stage.control("add", "warehouse", "1").code == 0)
        stage.folder.write("runwatch.yaml", "services: {}\n")
        #expect(await stage.control("reload").code == 0)
        let parked = await stage.control("show", "warehouse/1")
        #expect(parked.output.contains("'warehouse' is not configured"))
        #expect(await stage.control("poll", "warehouse/1").code == 64)
        stage.configure()
        #expect(await stage.control("reload").code == 0)
        let isPolled = await eventually {
            (try? await stage.states())?["warehouse/1"] == "running"
        }
        #expect(isPolled)
        await stage.end()
    }

    @Test func `IDs come from standard input, and a fault in it is named by its line`()
        async throws
    {
        let stage = try await Stage()
        stage.configure()
        try await stage.start()
        let many = (1...3000).map { "run \($0) # no \($0)\n" }.joined()
        stage.folder.write("ids", "# the November backlog\n\n" + many + "-")
        stage.folder.write("bad", "a\nb\n  \u{7}\nd\n")
        func add(_ file: String, _ arguments: String...) async -> RunningProgram {
            let program = RunningProgram(
                "runwatchctl", ["--socket", stage.socket, "add", "warehouse"] + arguments,
                in: stage.folder.path, output: "add-\(file)", input: stage.folder.path(file))
            _ = await eventually { !program.isRunning }
            return program
        }
        let good = await add("ids", "first", "-", "last")
        #expect(good.exitStatus() == 0, "\(good.errors)")
        let lines = good.output.split(separator: "\n")
        #expect(lines.count == 3003)
        #expect(lines.first == "warehouse/first  is watched")
        #expect(lines.suffix(2) == ["warehouse/-  is watched", "warehouse/last  is watched"])
        #expect(try await stage.document("/v1/status")["watches"]?["unknown"] == .integer(3003))
        let bad = await add("bad", "-")
        #expect(bad.exitStatus() == 64)
        #expect(bad.output == "warehouse/a  is watched\nwarehouse/b  is watched\n")
        #expect(bad.errors.contains("standard input, line 3: the ID '?' holds a control character"))
        await stage.end()
    }
}
