import Glibc
import RunwatchControl
import RunwatchCore
import RunwatchSim
import TestSupport
import Testing

/// How the daemon behaves as a program: starting, reloading, stopping, and with bad neighbours.
@Suite struct DaemonTests {
    static let oneRun = """
        {"runs": [{"service": "kinetica", "id": "1", "life": [[0, "running"]]},
                  {"service": "kinetica", "id": "2", "life": [[0, "running"], [2, "complete"]]},
                  {"service": "kinetica", "id": "3", "life": [[0, "running"], [1, "error"]]}]}
        """

    @Test func `an edit of the watch list takes effect by itself`() async throws {
        let stage = try await Stage(script: DaemonTests.oneRun)
        stage.configure()
        stage.watch("- service: warehouse\n  id: 1\n")
        try await stage.start()
        #expect(try await stage.states().keys.sorted() == ["warehouse/1"])
        // As editors do it: a new file in the old one's place.
        stage.folder.write("new", "- service: warehouse\n  ids: [1, 2]\n")
        rename(stage.folder.path("new"), stage.folder.path("watches.yaml"))
        #expect(await eventually { (try? await stage.states().count) == 2 })
        // In place.
        stage.watch("- service: warehouse\n  ids: [2]\n")
        #expect(await eventually { (try? await stage.states().keys.sorted()) == ["warehouse/2"] })
        // Through a link that is swapped.
        stage.folder.write("first.yaml", "- service: warehouse\n  ids: [1]\n")
        unlink(stage.folder.path("watches.yaml"))
        symlink("first.yaml", stage.folder.path("link"))
        rename(stage.folder.path("link"), stage.folder.path("watches.yaml"))
        #expect(await eventually { (try? await stage.states().keys.sorted()) == ["warehouse/1"] })
        // The history of what left the list stays.
        #expect(await stage.control("show", "warehouse/2").code == 0)
        await stage.end()
    }

    @Test func `a watch that left the list has no origin, and waiting for it says so`()
        async throws
    {
        let stage = try await Stage(script: DaemonTests.oneRun)
        stage.configure()
        stage.watch("- service: warehouse\n  ids: [1, 2]\n")
        try await stage.start()
        stage.watch("- service: warehouse\n  ids: [2]\n")
        #expect(await eventually { (try? await stage.states().keys.sorted()) == ["warehouse/2"] })
        let left = try await stage.document("/v1/watches/warehouse/1")
        #expect(left["origin"] == nil)
        #expect(left["next_poll_at"] == nil)
        let wait = await stage.control("wait", "warehouse/1", "--timeout", "300ms")
        #expect(wait.code == 124)
        #expect(wait.errors.contains("left the watch list"))
        await stage.end()
    }

    @Test func `IDs that look alike and long ones are watches of their own`() async throws {
        let long = String(repeating: "😀", count: 200)
        let stage = try await Stage(
            script: """
                {"runs": [{"service": "kinetica", "id": "\(long)", "life": [[0, "complete"]]},
                          {"service": "kinetica", "id": "\u{E9}", "life": [[0, "running"]]}]}
                """)
        stage.configure()
        stage.watch("- service: warehouse\n  ids: [\"\u{E9}\", \"e\u{301}\", \"\(long)\"]\n")
        try await stage.start()
        #expect(await stage.control("wait", "warehouse/\(long)", "--timeout", "60s").code == 0)
        for id in ["\u{E9}", "e\u{301}"] {
            let isPolled = await eventually {
                let shown = await stage.control("show", "warehouse/\(id)", "--json").output
                guard let watch = try? JSONValue(parsing: Array(shown.utf8)),
                    let run = watch["run"]?.stringValue, run.utf8.elementsEqual(id.utf8)
                else { return false }
                return (watch["polls"]?.integerValue ?? 0) > 0
            }
            #expect(isPolled, "\(id)")
        }
        let list = try await stage.document("/v1/watches")
        #expect(list["watches"]?.arrayValue?.count == 3)
        await stage.end()
    }

    @Test func `refused credentials are told as a service that is down`() async throws {
        let stage = try await Stage(
            script: """
                {"faults": [{"service": "kinetica", "fault": "status", "status": 401}],
                 "runs": [{"service": "kinetica", "id": "1", "life": [[0, "running"]]}]}
                """)
        stage.configure()
        stage.watch("- service: warehouse\n  id: 1\n")
        try await stage.start()
        #expect(await eventually { stage.daemon?.output.contains("service.down") == true })
        let services = try await stage.document("/v1/status")["services"]?.arrayValue ?? []
        let warehouse = services.first { $0["name"]?.stringValue == "warehouse" }
        #expect(warehouse?["health"]?.stringValue == "down")
        #expect(warehouse?["next_probe"] != nil)
        // Late for that reason alone, which no limit mends.
        #expect(warehouse?["lateness"] == nil)
        #expect(try await stage.states() == ["warehouse/1": "unknown"])
        await stage.end()
    }

    @Test func `a broken edit changes nothing and is named by its place everywhere`()
        async throws
    {
        let stage = try await Stage(script: DaemonTests.oneRun)
        stage.configure()
        stage.watch("- service: warehouse\n  id: 1\n")
        try await stage.start()
        stage.watch("- service: warehouse\n  idd: 1\n")
        let place = "watches.yaml:2:3: "
        #expect(await eventually { stage.daemon?.errors.contains(place) == true })
        let status = await stage.control("status")
        #expect(status.code == 0)
        #expect(status.output.contains(place))
        let check = await stage.control("check", stage.configuration)
        #expect(check.code == 1)
        #expect((check.output + check.errors).contains(place))
        let reload = await stage.control("reload")
        #expect(reload.code == 1)
        #expect(try await stage.states().keys.sorted() == ["warehouse/1"])
        stage.watch("- service: warehouse\n  ids: [1, 2]\n")
        #expect(await eventually { (try? await stage.states().count) == 2 })
        #expect(await stage.control("reload").code == 0)
        await stage.end()
    }

    @Test func `a log in JSON has every name of a line once`() async throws {
        let stage = try await Stage(
            script: """
                {"runs": [{"service": "kinetica", "id": "1",
                           "life": [[0, "running"], [1, "error", "it says \\"no\\""]]}]}
                """)
        stage.configure(extra: "log: {level: debug, format: json}")
        stage.watch("- service: warehouse\n  id: 1\n")
        try await stage.start()
        #expect(await stage.control("wait", "warehouse/1").code == 1)
        let isLogged = await eventually { stage.daemon?.errors.contains("it says") == true }
        #expect(isLogged)
        let daemon = try #require(stage.daemon)
        await stage.stop()
        for line in daemon.errors.split(separator: "\n") {
            let names = try #require(try JSONValue(parsing: Array(line.utf8)).members).map(\.name)
            #expect(Set(names).count == names.count, "\(line)")
            #expect(Set(names).isSuperset(of: ["timestamp", "level", "message"]))
        }
        await stage.end()
    }

    @Test func `SIGHUP reloads`() async throws {
        let stage = try await Stage(script: DaemonTests.oneRun)
        stage.configure()
        stage.watch("- service: warehouse\n  id: 1\n")
        try await stage.start()
        let before = try await stage.document("/v1/status")["configuration"]?["loaded_at"]
        stage.daemon?.kill(SIGHUP)
        let isNew = await eventually {
            (try? await stage.document("/v1/status"))?["configuration"]?["loaded_at"] != before
        }
        #expect(isNew)
        await stage.end()
    }

    @Test func `a configuration with errors does not start, and says where`() async throws {
        let folder = TemporaryFolder()
        let path = folder.write(
            "runwatch.yaml", "services: {a: {kind: krixk, url: http://127.0.0.1}}\n")
        let daemon = RunningProgram(
            "runwatchd", ["--config", path, "--state-dir", folder.path("state")], in: folder.path)
        _ = await eventually { !daemon.isRunning }
        #expect(daemon.exitStatus() == 78)
        #expect(daemon.errors.contains("runwatch.yaml:1:22: "))
        #expect(daemon.errors.contains("krixik"))
    }

    @Test func `wrong usage ends with 64 and a hint, help and version with 0`() async throws {
        let folder = TemporaryFolder()
        let wrong = RunningProgram("runwatchd", ["--confg", "x"], in: folder.path, output: "wrong")
        #expect(wrong.exitStatus() == 64)
        #expect(wrong.errors.contains("did you mean '--config'?"))
        #expect(wrong.output.isEmpty)
        let help = RunningProgram("runwatchd", ["--help"], in: folder.path, output: "help")
        #expect(help.exitStatus() == 0)
        #expect(help.output.contains("--state-dir DIR"))
        #expect(help.errors.isEmpty)
        let version = RunningProgram("runwatchd", ["--version"], in: folder.path, output: "version")
        #expect(version.exitStatus() == 0)
        #expect(version.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
    }

    @Test func `a second daemon is turned away and the first goes on`() async throws {
        let stage = try await Stage(script: DaemonTests.oneRun)
        stage.configure()
        stage.watch("- service: warehouse\n  id: 1\n")
        try await stage.start()
        let second = RunningProgram(
            "runwatchd",
            [
                "--config", stage.configuration, "--state-dir", stage.folder.path("state"),
                "--socket", stage.socket,
            ], in: stage.folder.path, output: "second", environment: ["KRIXIK_KEY": Stage.apiKey])
        _ = await eventually { !second.isRunning }
        #expect(second.exitStatus() == 75)
        let first = try #require(stage.daemon)
        #expect(second.errors.contains("\(first.processID)"))
        #expect(await stage.control("status").code == 0)
        await stage.end()
    }

    @Test func `SIGTERM ends it with 0 and takes the socket away`() async throws {
        let stage = try await Stage(script: DaemonTests.oneRun)
        stage.configure()
        stage.watch("- service: warehouse\n  id: 1\n")
        try await stage.start()
        #expect(await stage.stop() == 0)
        #expect(access(stage.socket, F_OK) != 0)
        #expect(await stage.control("status").code == 69)
        await stage.end()
    }

    @Test func `peers that send garbage, half a request or nothing disturb nobody`()
        async throws
    {
        let stage = try await Stage(script: DaemonTests.oneRun)
        stage.configure()
        stage.watch("- service: warehouse\n  id: 1\n")
        try await stage.start()
        var peers: [Int32] = []
        for text in ["", "GET /v1/st", "\u{1}\u{2}garbage\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"] {
            for _ in 0..<25 {
                let peer = DaemonTests.connect(stage.socket)
                #expect(peer >= 0)
                _ = text.withCString { send(peer, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
                peers.append(peer)
            }
        }
        let long = String(repeating: "x", count: 1 << 20)
        let peer = DaemonTests.connect(stage.socket)
        _ = "GET /\(long) HTTP/1.1\r\n".withCString {
            send(peer, $0, strlen($0), Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
        }
        peers.append(peer)
        #expect(await stage.control("status").code == 0)
        for peer in peers { close(peer) }
        #expect(await stage.control("status").code == 0)
        await stage.end()
    }

    private static func connect(_ path: String) -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        return code == 0 ? descriptor : -1
    }
}
