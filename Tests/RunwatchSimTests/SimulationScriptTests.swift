import RunwatchCore
import RunwatchSim
import Testing

@Suite struct SimulationScriptTests {
    @Test func `a script with everything in it is read`() throws {
        let script = try SimulationScript(
            json: Array(
                """
                {"seed": 7,
                 "krixik": {"api_key": "k", "version": "1.1.19", "not_found": "404",
                            "key_suffix": true, "process_life": [[0, "running"], [5, "complete"]]},
                 "kinetica": {"users": [{"name": "w", "password": "p", "sees": "own"}],
                              "token": "t", "version": "7.0", "strict": false, "roll_up": "at_once",
                              "procs": ["score"], "execute_life": [[0, "running"]],
                              "execute_segments": 3},
                 "runs": [
                   {"service": "krixik", "id": "f948a6ad-0343-e743-2b3f-0df6bc732a3a",
                    "pipeline": "nightly", "modules": 3, "start": "1m30s", "failure_module": false,
                    "not_found": "400", "life": [[0, "ongoing"], [3, 1], [8, "failed", "oom"]],
                    "gone_after": 60},
                   {"service": "kinetica", "id": "1000", "count": 4, "spread": "8s",
                    "params": {"a": "b"}, "output_lines": 0}],
                 "faults": [{"service": "kinetica", "path": "/k", "kinds": ["all"], "runs": ["1"],
                             "from": 1, "until": 2, "fraction": 0.5, "times": 3, "fault": "status",
                             "status": 429, "retry_after": 2, "body": "html"}]}
                """.utf8))
        #expect(script.seed == 7)
        #expect(script.krixik.notFound == .notFound)
        #expect(script.kinetica.rollUp == .atOnce)
        #expect(script.runs.count == 5)
        guard case .krixik(let first) = script.runs[0] else {
            Issue.record("the first run is Krixik's")
            return
        }
        #expect(first.start == Instant(nanoseconds: 90_000_000_000))
        #expect(first.modules.count == 3)
        #expect(first.failureModule == .none)
        #expect(first.life.step(at: .seconds(8)).message == "oom")
        #expect(first.life.steps.map(\.state) == [.running, .running, .error, .gone])
        let later = script.runs.dropFirst().compactMap { run -> (String, Int64)? in
            guard case .kinetica(let run) = run else { return nil }
            return (run.id, run.start.nanoseconds / 1_000_000_000)
        }
        #expect(later.map(\.0) == ["1000", "1001", "1002", "1003"])
        #expect(later.map(\.1) == [0, 2, 4, 6])
        let rule = try #require(script.faults.first)
        #expect(rule.fault.retryAfter == .seconds(2))
        #expect(rule.times == 3 && rule.fraction == 0.5)
    }

    @Test func `the empty script is one`() throws {
        let script = try SimulationScript(json: Array("{}".utf8))
        #expect(script.runs.isEmpty && script.faults.isEmpty)
    }

    @Test(arguments: [
        ("", "not JSON"), ("[]", "the document: an object was expected"),
        (#"{"run":[]}"#, "unknown member 'run'"),
        (#"{"runs":[{}]}"#, "runs[0]: a run has a 'service'"),
        (#"{"runs":[{"service":"kinetika"}]}"#, "runs[0].service: 'kinetika' is not known"),
        (#"{"runs":[{"service":"kinetica"}]}"#, "runs[0]: a run at Kinetica has an 'id'"),
        (#"{"runs":[{"service":"kinetica","id":"a","count":2}]}"#, "the 'id' is a number"),
        (#"{"runs":[{"service":"kinetica","id":"1","life":[[1]]}]}"#, "runs[0].life[0]: a step is"),
        (
            #"{"runs":[{"service":"kinetica","id":"1","life":[[2,1],[1,2]]}]}"#,
            "runs[0].life[1]: steps stand in order"
        ),
        (#"{"runs":[{"service":"krixik","id":"12"}]}"#, "runs[0]: 'id' has 36 characters"),
        (#"{"runs":[{"service":"krixik","life":[["2 s","running"]]}]}"#, "'2 s' is no duration"),
        (#"{"faults":[{"status":500}]}"#, "faults[0]: a rule has a 'fault'"),
        (#"{"faults":[{"fault":"status","status":99}]}"#, "from 200 to 599"),
        (#"{"faults":[{"fault":"reset","fraction":2}]}"#, "faults[0].fraction: a number from"),
    ])
    func `a fault of a script is told with its place`(script: String, message: String) {
        let error = #expect(throws: SimulationScriptError.self) {
            try SimulationScript(json: Array(script.utf8))
        }
        #expect(
            error?.description.replacing("the order of their times", with: "order")
                .contains(message) == true, "\(error?.description ?? "none")")
    }
}
