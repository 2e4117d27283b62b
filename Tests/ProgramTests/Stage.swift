import Dispatch
import Glibc
import RunwatchControl
import RunwatchCore
import RunwatchSim
import TestSupport
import Testing

/// Simulated services, a folder with a configuration, and a daemon that is started and ended at will.
final class Stage {
    let folder = TemporaryFolder()
    let simulator: Simulator
    let port: UInt16
    private(set) var daemon: RunningProgram?

    static let apiKey = "0a1b2c3d-1111-e222-3333-444455556666"

    init(script: String = "{}") async throws {
        var parsed = try SimulationScript(json: Array(script.utf8))
        parsed.krixik.apiKey = Stage.apiKey
        simulator = Simulator(script: parsed)
        port = try await simulator.start()
    }

    var url: String { "http://127.0.0.1:\(port)" }
    var socket: String { folder.path("control.sock") }
    var configuration: String { folder.path("runwatch.yaml") }

    /// Both services, a hook for everything, and a hook for the final states alone.
    func configure(
        poll: String = "{initial: 100ms, factor: 1.4, max: 700ms}", extra: String = "",
        warehouse: String = ""
    ) {
        folder.write(
            "runwatch.yaml",
            """
            services:
              krixik:
                kind: krixik
                url: \(url)/krixik
                api_key: {env: KRIXIK_KEY}
                pipeline: nightly
              warehouse:
                kind: kinetica
                url: \(url)/kinetica
            \(warehouse)
            receivers:
              log:
                stdout: {format: json}
                on: [all]
              finals:
                webhook:
                  url: \(url)/sim/hooks/finals
                  secret: whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=
                retry: [0s, 200ms, 500ms, 1s, 1s, 1s, 2s, 2s, 2s]
            defaults:
              poll: \(poll)
            \(extra)
            """)
    }

    func watch(_ list: String) {
        folder.write("watches.yaml", list)
    }

    /// Starts the daemon and waits until it answers.
    func start() async throws {
        startWithoutWaiting()
        let isReady = await eventually { (try? await self.document("/v1/status")) != nil }
        try #require(isReady, "\(daemon?.errors ?? "")")
    }

    func startWithoutWaiting() {
        daemon = RunningProgram(
            "runwatchd",
            ["--config", configuration, "--state-dir", folder.path("state"), "--socket", socket],
            in: folder.path, environment: ["KRIXIK_KEY": Stage.apiKey])
    }

    /// What the API answers, asked on a thread of its own: the client blocks, and there are few
    /// threads for all the tests together.
    func document(_ path: String) async throws -> JSONValue {
        let client = ControlClient(socket: socket)
        return try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "test.client").async {
                continuation.resume(with: Result { try client.document(path) })
            }
        }
    }

    /// Ends the daemon by a signal and waits for its end.
    @discardableResult
    func stop(_ signal: Int32 = SIGTERM) async -> Int32 {
        guard let daemon else { return -1 }
        daemon.kill(signal)
        _ = await eventually { !daemon.isRunning }
        self.daemon = nil
        return daemon.exitStatus()
    }

    /// Ends everything.
    func end() async {
        await stop()
        await simulator.stop()
    }

    /// Runs `runwatchctl` to its end.
    func control(_ arguments: String...) async -> (code: Int32, output: String, errors: String) {
        await control(arguments)
    }

    func control(_ arguments: [String]) async -> (code: Int32, output: String, errors: String) {
        let number = controls
        controls += 1
        let program = RunningProgram(
            "runwatchctl", ["--socket", socket] + arguments, in: folder.path,
            output: "runwatchctl-\(number)")
        _ = await eventually { !program.isRunning }
        return (program.exitStatus(), program.output, program.errors)
    }

    private var controls = 0

    /// The states of all watches, by name, as the API gives them.
    func states() async throws -> [String: String] {
        let document = try await document("/v1/watches?limit=1000")
        var states: [String: String] = [:]
        for watch in document["watches"]?.arrayValue ?? [] {
            states[watch["name"]?.stringValue ?? ""] = watch["state"]?.stringValue
        }
        return states
    }

    /// What the receiver of final states was told: by watch, its webhook IDs and its events.
    func told() async -> [String: [String: JSONValue]] {
        var told: [String: [String: JSONValue]] = [:]
        for received in await simulator.hooks(at: "finals").received where received.status == 200 {
            guard let event = try? JSONValue(parsing: received.body), let data = event["data"],
                let service = data["service"]?.stringValue, let run = data["run"]?.stringValue
            else { continue }
            told["\(service)/\(run)", default: [:]][received.webhookID] = event
        }
        return told
    }
}
