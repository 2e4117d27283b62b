package import RunwatchCore
import RunwatchHTTP
import RunwatchLinux

/// Why a simulator could not be started.
package struct SimulatorError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Simulated Krixik and Kinetica services on one loopback port, with a view behind the scenes.
///
/// | path | is |
/// | --- | --- |
/// | `/krixik`, and anything that ends like one of its calls | Krixik's base URL |
/// | `/`, `/kinetica`, `/kinetica/gpudb-0`, `/gpudb-0` | Kinetica's base URL |
/// | `GET /sim/runs` | every run as it truly is, and since when |
/// | `POST /sim/runs` | adds runs, written as in a script |
/// | `GET /sim/faults` `POST /sim/faults` | how many rules there are · replaces them |
/// | `GET /sim/statistics` | what was asked, what went wrong, and what broke the protocol |
/// | `POST /sim/forget` | Kinetica restarts and forgets every run |
/// | `POST /sim/hooks/NAME` | takes a webhook |
/// | `GET /sim/hooks/NAME` `DELETE /sim/hooks/NAME` | what came (`?since=INDEX`) · empties it |
/// | `POST /sim/hooks/NAME/answers` | what to answer next: `[500, {"status": 429, "retry_after": 2}, 200]` |
package actor Simulator {
    private let time: any TimeSource
    private let wantedPort: UInt16
    let clock: SimulatedClock
    var krixik: SimulatedKrixik
    var kinetica: SimulatedKinetica
    var faults: SimulatedFaultBox
    var hooks: [String: SimulatedHooks] = [:]
    package private(set) var statistics = SimulationStatistics()
    private var server: HTTPServer?

    /// - Parameters:
    ///   - script: Its runs begin now.
    ///   - time: Moves the runs' lives; the waits of faults are real whatever it is.
    ///   - port: 0 for any free one.
    package init(
        script: SimulationScript = SimulationScript(), time: any TimeSource = SystemTime(),
        port: UInt16 = 0
    ) {
        self.time = time
        wantedPort = port
        let now = time.now()
        clock = SimulatedClock(time)
        krixik = SimulatedKrixik(settings: script.krixik, seed: script.seed)
        kinetica = SimulatedKinetica(settings: script.kinetica)
        faults = SimulatedFaultBox(seed: script.seed, at: now)
        faults.replace(script.faults, at: now)
        for run in script.runs {
            switch run.started(at: now) {
            case .krixik(let run): krixik.add(run)
            case .kinetica(let run): kinetica.add(run)
            }
        }
    }

    /// Starts to serve.
    ///
    /// - Returns: The port.
    /// - Throws: `SimulatorError` when the port is taken, or the simulator was started before.
    @discardableResult
    package func start() async throws(SimulatorError) -> UInt16 {
        guard server == nil else { throw SimulatorError("the simulator runs already") }
        // More connections and larger bodies than any service would take: the limits are to be the
        // clients' own.
        let limits = HTTPServerLimits(
            connections: 4000, memoryPerConnection: 64 << 10, requestTimeout: .seconds(120),
            body: 64 << 20, held: .max)
        do {
            let (descriptor, port) = try ListeningSocket.loopback(port: wantedPort)
            server = try HTTPServer(
                descriptor: descriptor, label: "simulator", limits: limits,
                replying: { [weak self] request in
                    await self?.reply(to: request) ?? .close
                })
            return port
        } catch {
            throw SimulatorError("\(error)")
        }
    }

    /// Stops serving; requests that hang or drip are cut off.
    package func stop() async {
        let server = server
        self.server = nil
        await server?.close(within: .milliseconds(500))
    }

    // MARK: For tests

    package var now: Instant { time.now() }

    /// Adds runs whose starts count from now, or replaces those with their IDs.
    package func add(_ runs: [SimulationScript.Run]) {
        for run in runs {
            switch run.started(at: now) {
            case .krixik(let run): krixik.add(run)
            case .kinetica(let run): kinetica.add(run)
            }
        }
    }

    /// Adds runs written as in a script: `{"runs": […]}`, or the list alone.
    @discardableResult
    package func addRuns(json: String) throws(SimulationScriptError) -> [SimulationScript.Run] {
        let runs = try SimulationScript.runs(
            json: Array(json.utf8), rollUp: kinetica.settings.rollUp)
        add(runs)
        return runs
    }

    /// Replaces the fault rules; their windows begin now.
    package func setFaults(_ rules: [SimulatedFaultRule]) {
        faults.replace(rules, at: now)
    }

    /// Replaces the fault rules by those written as in a script.
    package func setFaults(json: String) throws(SimulationScriptError) {
        setFaults(try SimulationScript.faults(json: Array(json.utf8)))
    }

    /// Every run as it truly is.
    package func truths() -> [SimulatedTruth] {
        let now = now
        return krixik.truths(at: now, clock: clock) + kinetica.truths(at: now, clock: clock)
    }

    /// One run as it truly is; `nil` when there never was one.
    package func truth(of id: String, at service: SimulatedService) -> SimulatedTruth? {
        truths().first { $0.service == service && $0.id == id }
    }

    /// Kinetica restarts and forgets every run.
    package func forget() {
        kinetica.forget(at: now)
    }

    /// What came to a place for webhooks.
    package func hooks(at name: String) -> SimulatedHooks {
        hooks[name] ?? SimulatedHooks()
    }

    /// Sets what a place for webhooks answers.
    package func answerHooks(
        at name: String, with answers: [SimulatedHooks.Answer],
        then last: SimulatedHooks.Answer = .accepted
    ) {
        hooks[name, default: SimulatedHooks()].answer(with: answers, then: last)
    }

    // MARK: Requests

    private func reply(to request: HTTPServerRequest) async -> HTTPServerReply {
        if request.rawPath == "/sim" || request.rawPath.hasPrefix("/sim/") {
            return await control(request)
        }
        let now = now
        let service: SimulatedService
        let answer: SimulatedAnswer
        if let found = krixik.answer(request, at: now, clock: clock) {
            (service, answer) = (.krixik, found)
        } else if let found = kinetica.answer(request, at: now) {
            (service, answer) = (.kinetica, found)
        } else {
            return .response(
                HTTPServerResponse(
                    status: 404, headers: [("content-type", "application/json")],
                    body: .bytes(Array(#"{"message":"Missing Authentication Token"}"#.utf8))))
        }
        statistics.began(service, answer)
        defer { statistics.ended(service) }
        guard let fault = faults.fault(for: answer, of: service, path: request.rawPath, at: now)
        else {
            return .response(
                HTTPServerResponse(
                    status: answer.status, headers: answer.headers, body: .bytes(answer.body)))
        }
        statistics.faults[fault.kind, default: 0] += 1
        let (wait, reply) = fault.spoil(answer, of: service, wallClock: time.wallClock())
        // Ends early when the peer goes away; then nobody reads the reply.
        if wait > .zero { try? await Task.sleep(for: wait) }
        return reply
    }
}
