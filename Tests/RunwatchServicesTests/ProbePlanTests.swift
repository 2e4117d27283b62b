import RunwatchCore
import RunwatchHTTP
import RunwatchServices
import Testing

/// What a probe asks, and what it makes of the answer.
@Suite struct ProbePlanTests {
    private func kinetica(
        _ coalesce: KineticaSettings.Coalesce = .auto, name: String = "warehouse"
    ) -> ServiceSettings {
        ServiceSettings(
            name: name,
            kind: .kinetica(
                KineticaSettings(
                    credentials: .bearer(Secret("hunter2-hunter2")), coalesce: coalesce)),
            url: "http://127.0.0.1:9191")
    }

    private let krixik = ServiceSettings(
        name: "krixik", kind: .krixik(KrixikSettings(apiKey: Secret("hunter2-hunter2"))),
        url: "http://127.0.0.1:9192")

    private func watches(
        _ runs: String..., service: String = "warehouse", initial: Duration = .seconds(2),
        parameters: [String: String] = [:]
    ) -> [WatchSpec] {
        runs.map { run in
            WatchSpec(
                name: WatchName(service: service, run: run), parameters: parameters,
                settings: WatchSettings(
                    poll: PollSettings(
                        initial: initial, factor: 1.6, maximum: .seconds(60), jitter: 0)),
                origin: .file("w", line: 1))
        }
    }

    private let nightly = DiscoverySpec(
        service: "warehouse", runTag: "nightly", settings: WatchSettings(), path: "w", line: 1)

    private func scope(
        _ coalesce: KineticaSettings.Coalesce, _ watches: [WatchSpec],
        _ discoveries: [DiscoverySpec] = []
    ) -> PollScope? {
        ProbePlan(kinetica(coalesce), watches: watches, discoveries: discoveries).scope
    }

    // MARK: What is asked

    @Test func `the request is the one that the daemon would begin with`() {
        #expect(scope(.auto, watches("1")) == .run("1"))
        #expect(scope(.auto, watches("1", "2")) == .all)
        #expect(scope(.always, watches("1")) == .all)
        #expect(scope(.never, watches("1", "2", "3")) == .run("1"))
        #expect(scope(.auto, [], [nightly]) == .tag("nightly"))
        #expect(scope(.auto, watches("1"), [nightly]) == .all)
        #expect(scope(.never, watches("1"), [nightly]) == .tag("nightly"))
        // A second watch that is polled seldom saves too little.
        #expect(
            scope(.auto, watches("1") + watches("2", initial: .seconds(10))) == .run("1"))
    }

    @Test func `a service that nobody watches is asked only if it can tell of all its runs`() {
        #expect(scope(.auto, []) == .all)
        #expect(scope(.never, []) == nil)
        #expect(ProbePlan(krixik, watches: [], discoveries: []).scope == nil)
    }

    @Test func `each service gets a plan with its own watches`() {
        let configuration = Configuration(
            file: "c", services: [krixik, kinetica(), kinetica(.never, name: "lake")],
            watches: watches("1", "2")
                + watches("a", service: "krixik", parameters: ["pipeline": "p"]))
        let plans = ProbePlan.plans(configuration)
        #expect(plans.map(\.service.name) == ["krixik", "warehouse", "lake"])
        #expect(plans.map(\.scope) == [.run("a"), .all, nil])
        let body = plans[0].request(for: .run("a")).body
        #expect(String(decoding: body, as: UTF8.self).contains(#""pipeline":"p""#))
    }

    // MARK: What came back

    private func answer(_ status: Int, _ body: String) -> Result<HTTPResponse, HTTPFailure> {
        .success(response(status, body))
    }

    private func runs(_ statuses: String) -> Result<HTTPResponse, HTTPFailure> {
        answer(200, wrapped(#"{"overall_statuses":{\#(statuses)}}"#))
    }

    @Test(arguments: [
        (#""1":"running""#, "run 1 is running"), (#""1":"none""#, "run 1 is pending"),
        ("", "run 1 is not found"), (#""1":"odd""#, "run 1 is 'odd', a state not known"),
    ])
    func `a good answer says how the run is`(statuses: String, expected: String) {
        let plan = ProbePlan(kinetica(.never), watches: watches("1"), discoveries: [])
        let probe = plan.judge(runs(statuses), of: .run("1"), after: .milliseconds(12))
        #expect(probe.outcome == .up && probe.isFine)
        #expect(probe.message == expected)
        #expect(probe.run == "1" && probe.status == 200 && probe.duration == .milliseconds(12))
    }

    @Test func `an answer about many says how many of them are watched`() {
        let all = runs(#""1":"running","3":"complete""#)
        func message(_ watches: [WatchSpec]) -> String {
            ProbePlan(kinetica(), watches: watches, discoveries: []).judge(
                all, of: .all, after: .zero
            ).message
        }
        #expect(message(watches("1", "2")) == "2 runs, among them 1 of 2 watched")
        #expect(message([]) == "2 runs")
        let plan = ProbePlan(kinetica(), watches: [], discoveries: [nightly])
        let probe = plan.judge(all, of: .tag("nightly"), after: .zero)
        #expect(probe.message == "2 runs with the tag 'nightly'" && probe.run == nil)
    }

    @Test func `refused credentials, a bad body and no connection are told as such`() {
        let plan = ProbePlan(kinetica(.never), watches: watches("1"), discoveries: [])
        func judge(_ result: Result<HTTPResponse, HTTPFailure>) -> ServiceProbe {
            plan.judge(result, of: .run("1"), after: .zero)
        }
        let refused = judge(
            answer(401, #"{"status":"ERROR","message":"no hunter2-hunter2","data_str":""}"#))
        #expect(refused.outcome == .failed(.unauthorized) && !refused.isFine)
        #expect(refused.message == "HTTP 401: no ***; check the service's credentials")
        let lacking = judge(
            answer(401, #"{"status":"ERROR","message":"Insufficient credentials"}"#))
        #expect(lacking.message == "Insufficient credentials; check the service's credentials")
        #expect(judge(answer(200, "<html>")).outcome == .failed(.unreadable))
        #expect(judge(answer(503, "")).outcome == .failed(.unavailable))
        let down = judge(.failure(HTTPFailure(.connect, "nobody there")))
        #expect(down.outcome == .failed(.connection) && down.status == nil)
        #expect(down.message == "nobody there")
        let large = judge(.failure(HTTPFailure(.tooLarge, "too large", status: 200)))
        #expect(large.outcome == .failed(.tooLarge) && large.status == 200)
    }

    @Test func `a run that the service refuses is not its fault, and not fine`() {
        let plan = ProbePlan(
            krixik, watches: watches("a", service: "krixik", parameters: ["pipeline": "p"]),
            discoveries: [])
        let probe = plan.judge(
            answer(400, #"{"request_id":"r","message":"pipeline of process_id does not match"}"#),
            of: .run("a"), after: .zero)
        #expect(probe.outcome == .refused && !probe.isFine)
    }

    @Test func `after a useless answer about all runs a single one is asked for`() {
        let refusal = answer(400, #"{"status":"ERROR","message":"not for you","data_str":""}"#)
        let plan = ProbePlan(kinetica(), watches: watches("1", "2"), discoveries: [])
        let probe = plan.judge(refusal, of: .all, after: .zero)
        #expect(probe.outcome == .failed(.refused))
        #expect(plan.next(after: probe, of: .all) == .run("1"))
        #expect(plan.next(after: probe, of: .run("1")) == nil)
        let always = ProbePlan(kinetica(.always), watches: watches("1"), discoveries: [])
        #expect(always.next(after: always.judge(refusal, of: .all, after: .zero), of: .all) == nil)
        let down = plan.judge(answer(503, ""), of: .all, after: .zero)
        #expect(plan.next(after: down, of: .all) == nil)
    }

    @Test func `a service without its credential is not asked`() {
        let asked = ProbePlan(krixik, watches: watches("a", service: "krixik"), discoveries: [])
        let idle = ProbePlan(kinetica(.never), watches: [], discoveries: [])
        let probes = ServiceProber.ask(
            [asked, idle], without: ["krixik": "key", "warehouse": "w"])
        #expect(probes.map(\.outcome) == [.noCredential, .notAsked])
        #expect(probes.map(\.isFine) == [false, true])
        #expect(probes[0].message.contains("LoadCredential=key:"))
    }
}
