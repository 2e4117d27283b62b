import Dispatch
import Glibc
import RunwatchControl
import RunwatchCore
import RunwatchHTTP
import RunwatchLinux
import TestSupport
import Testing

/// Figures and health over TCP, and who may read at the socket, of the daemon as a program.
@Suite struct FiguresProgramTests {
    private struct Answer {
        var status: Int
        var text: String
        var contentType: String
    }

    /// Asks on a thread of its own, since the client blocks.
    private static func ask(
        _ address: String, _ path: String, _ method: HTTPRequest.Method = .get,
        accept: String? = nil
    ) async throws -> Answer {
        var request = HTTPRequest(method: method, url: "http://\(address)\(path)")
        if let accept { request.headers.append(("accept", accept)) }
        let sent = request
        let response = try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "test.tcp").async {
                continuation.resume(with: Result { try HTTPBlockingClient().perform(sent) })
            }
        }
        return Answer(
            status: response.status, text: String(decoding: response.body, as: UTF8.self),
            contentType: response.contentType)
    }

    private static func listen(_ stage: Stage) async throws -> String? {
        try await stage.document("/v1/status")["http"]?["listen"]?.stringValue
    }

    private static func stage(_ http: String) async throws -> Stage {
        let stage = try await Stage(script: DaemonTests.oneRun)
        stage.configure(extra: http)
        stage.watch("- service: warehouse\n  ids: [1, 2, 3]\n")
        return stage
    }

    @Test func `figures and health are served over TCP in both formats, and nothing else`()
        async throws
    {
        let stage = try await FiguresProgramTests.stage("http: {listen: 127.0.0.1:0}")
        try await stage.start()
        let address = try #require(try await FiguresProgramTests.listen(stage))
        #expect(address.hasPrefix("127.0.0.1:") && !address.hasSuffix(":0"))
        #expect(stage.daemon?.errors.contains(address) == true)
        #expect(await stage.control("wait", "warehouse/2").code == 0)
        let delivered = #"runwatch_deliveries_total{receiver="finals",outcome="delivered"} 2"#
        let hasAll = await eventually {
            let text = try? await FiguresProgramTests.ask(address, "/metrics").text
            return text?.contains(delivered) == true
        }
        #expect(hasAll)
        let plain = try await FiguresProgramTests.ask(address, "/metrics")
        #expect(plain.contentType == "text/plain")
        for line in [
            #"runwatch_transitions_total{service="warehouse",state="complete"} 1"#,
            #"runwatch_watches{service="warehouse",state="error"} 1"#,
            #"runwatch_events_total{type="run.complete"} 1"#,
            #"runwatch_service_up{service="krixik"} 1"#, "runwatch_store_writable 1",
            "runwatch_config_last_reload_successful 1",
            "runwatch_build_info{version=\"\(RunwatchVersion.text)\"} 1",
        ] {
            #expect(plain.text.contains("\n\(line)\n"), "\(line)")
        }
        let open = try await FiguresProgramTests.ask(
            address, "/metrics", accept: "application/openmetrics-text")
        #expect(open.contentType == "application/openmetrics-text")
        #expect(open.text.hasSuffix("# EOF\n"))
        #expect(try await FiguresProgramTests.ask(address, "/healthz").status == 200)
        #expect(try await FiguresProgramTests.ask(address, "/readyz").status == 200)
        #expect(try await FiguresProgramTests.ask(address, "/v1/status").status == 404)
        #expect(try await FiguresProgramTests.ask(address, "/v1/reload", .post).status == 403)
        #expect(try await stage.document("/readyz")["ok"] == .bool(true))
        await stage.end()
    }

    @Test func `another address is taken up by a reload, and one that is taken is refused`()
        async throws
    {
        let stage = try await FiguresProgramTests.stage("http: {listen: 127.0.0.1:0}")
        try await stage.start()
        let first = try #require(try await FiguresProgramTests.listen(stage))
        let (descriptor, taken) = try ListeningSocket.loopback(port: 0)
        stage.configure(extra: "http: {listen: 127.0.0.1:\(taken)}")
        let refused = await stage.control("reload")
        #expect(refused.code == 1)
        #expect(
            (refused.output + refused.errors).firstMatch(of: /runwatch\.yaml:[1-9][0-9]*:16:\s/)
                != nil)
        let place = "http.listen cannot be opened: bind 127.0.0.1:\(taken)"
        #expect((refused.output + refused.errors).contains(place))
        #expect(try await FiguresProgramTests.listen(stage) == first)
        let figures = try await FiguresProgramTests.ask(first, "/metrics").text
        #expect(figures.contains("\nrunwatch_config_last_reload_successful 0\n"))
        close(descriptor)
        #expect(await stage.control("reload").code == 0)
        #expect(try await FiguresProgramTests.listen(stage) == "127.0.0.1:\(taken)")
        #expect(
            try await FiguresProgramTests.ask("127.0.0.1:\(taken)", "/readyz").status == 200)
        await #expect(throws: HTTPFailure.self) {
            try await FiguresProgramTests.ask(first, "/readyz")
        }
        // The same port at all addresses: the two cannot stand side by side. At first another one is in
        // the way.
        let neighbour = ListenAddress(host: .v4(0x7F00_0002), port: taken)
        let (other, _) = try ListeningSocket.tcp(neighbour)
        stage.configure(extra: "http: {listen: 0.0.0.0:\(taken)}")
        #expect(await stage.control("reload").code == 1)
        #expect(try await FiguresProgramTests.listen(stage) == "127.0.0.1:\(taken)")
        #expect(
            try await FiguresProgramTests.ask("127.0.0.1:\(taken)", "/readyz").status == 200)
        close(other)
        #expect(await stage.control("reload").code == 0)
        #expect(try await FiguresProgramTests.listen(stage) == "0.0.0.0:\(taken)")
        #expect(
            try await FiguresProgramTests.ask("127.0.0.1:\(taken)", "/readyz").status == 200)
        stage.configure()
        #expect(await stage.control("reload").code == 0)
        #expect(try await FiguresProgramTests.listen(stage) == nil)
        await stage.end()
    }

    @Test func `a start without the wanted address ends, and says which`() async throws {
        let (descriptor, taken) = try ListeningSocket.loopback(port: 0)
        defer { close(descriptor) }
        let stage = try await FiguresProgramTests.stage("http: {listen: 127.0.0.1:\(taken)}")
        stage.startWithoutWaiting()
        let daemon = try #require(stage.daemon)
        #expect(await eventually { !daemon.isRunning })
        #expect(daemon.exitStatus() == 69)
        #expect(daemon.errors.contains("http.listen cannot be opened: bind 127.0.0.1:\(taken)"))
        #expect(daemon.errors.contains("choose another port"))
        await stage.end()
    }

    @Test func `a daemon that stops is not ready, and answers until it has stopped`()
        async throws
    {
        let stage = try await Stage(script: DaemonTests.oneRun)
        let gate = stage.folder.path("gate")
        stage.folder.write(
            "runwatch.yaml",
            """
            services: {warehouse: {kind: kinetica, url: "\(stage.url)/kinetica"}}
            receivers:
              slow:
                exec: {command: [/bin/sh, -c, "while [ ! -e \(gate) ]; do sleep 0.02; done"]}
            defaults: {poll: {initial: 100ms, max: 500ms}}
            http: {listen: 127.0.0.1:0}
            """)
        stage.watch("- service: warehouse\n  id: 2\n")
        try await stage.start()
        let address = try #require(try await FiguresProgramTests.listen(stage))
        let isUnderWay = await eventually {
            let text = try? await FiguresProgramTests.ask(address, "/metrics").text
            let line = "runwatch_delivery_attempts_in_flight{receiver=\"slow\"} 1"
            return text?.contains(line) == true
        }
        #expect(isUnderWay)
        stage.daemon?.kill(SIGTERM)
        let isTold = await eventually {
            let answer = try? await FiguresProgramTests.ask(address, "/readyz")
            return answer?.status == 503 && answer?.text.contains("stopping") == true
        }
        #expect(isTold)
        stage.folder.write("gate", "")
        let daemon = try #require(stage.daemon)
        #expect(await eventually { !daemon.isRunning })
        #expect(daemon.exitStatus() == 0)
        await stage.end()
    }

    // MARK: Rights

    /// Only root can become somebody else.
    private static let canBecomeOthers =
        geteuid() == 0 && access("/usr/bin/setpriv", X_OK) == 0
        && isReachable(RunningProgram.products + "/runwatchctl")

    /// Whether everybody may run a program: each folder on the way lets them in.
    private static func isReachable(_ path: String) -> Bool {
        var place = ""
        for part in path.split(separator: "/") {
            place += "/" + part
            var status = stat()
            guard stat(place, &status) == 0, status.st_mode & 0o005 != 0 else { return false }
        }
        return true
    }

    /// Runs `runwatchctl` as somebody who is in no group that counts.
    private static func control(
        _ stage: Stage, as user: UInt32, group: UInt32, _ arguments: String...
    ) async -> (code: Int32, errors: String) {
        let program = RunningProgram(
            "/usr/bin/setpriv",
            [
                "--reuid=\(user)", "--regid=\(group)", "--clear-groups",
                RunningProgram.products + "/runwatchctl", "--socket", stage.socket,
            ] + arguments,
            in: stage.folder.path, output: "as-\(user)-\(group)-\(arguments[0])")
        _ = await eventually { !program.isRunning }
        return (program.exitStatus(), program.errors)
    }

    @Test(.enabled(if: canBecomeOthers, "only root can become another user"))
    func `who is in no group is refused with 77 and told which to join`() async throws {
        let stage = try await FiguresProgramTests.stage("control: {group: games}")
        try await stage.start()
        let games = try #require(SystemGroups.groupID(named: "games"))
        let daemons = try #require(SystemGroups.groupID(named: "daemon"))
        chmod(stage.folder.path, 0o755)
        let shut = await FiguresProgramTests.control(stage, as: 65_534, group: 65_534, "status")
        #expect(shut.code == 77)
        #expect(shut.errors.contains("join the group 'games'"))
        // The socket's mode is opened by someone: the daemon decides all the same.
        chmod(stage.socket, 0o666)
        let told = await FiguresProgramTests.control(stage, as: 65_534, group: 65_534, "list")
        #expect(told.code == 77)
        #expect(told.errors.contains("join the group 'games'"))
        let reader = await FiguresProgramTests.control(stage, as: 65_534, group: games, "status")
        #expect(reader.code == 0)
        let change = await FiguresProgramTests.control(
            stage, as: 65_534, group: games, "poll", "warehouse/1")
        #expect(change.code == 77)
        #expect(change.errors.contains("control.admin_group"))
        // Another group by a reload: the file and the rights follow.
        stage.configure(extra: "control: {group: daemon, admin_group: daemon}")
        #expect(await stage.control("reload").code == 0)
        var file = stat()
        #expect(stat(stage.socket, &file) == 0)
        #expect(file.st_gid == daemons)
        #expect(
            await FiguresProgramTests.control(stage, as: 65_534, group: games, "status", "--json")
                .code == 77)
        #expect(
            await FiguresProgramTests.control(stage, as: 65_534, group: daemons, "reload").code
                == 0)
        // None again: the daemon's own.
        stage.configure()
        #expect(await stage.control("reload").code == 0)
        #expect(stat(stage.socket, &file) == 0)
        #expect(file.st_gid == getegid())
        await stage.end()
    }
}
