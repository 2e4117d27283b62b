import Glibc
import RunwatchControl
import RunwatchCore
import RunwatchSim
import TestSupport
import Testing

/// The whole job with the real programs: a hundred scripted runs, and every tenth answer faulty.
@Suite struct MainJobTests {
    /// A hundred runs at both services, each with a life drawn from a seed, and faults of every kind.
    struct Story {
        var runs: [(watch: String, end: String)] = []
        var script = ""

        init(seed: UInt64, shortest: Double, longest: Double) {
            var generator = SeededGenerator(seed: seed)
            var texts: [String] = []
            func seconds(_ range: ClosedRange<Double>) -> Double {
                (Double.random(in: range, using: &generator) * 100).rounded() / 100
            }
            for number in 1...50 {
                let id = Story.krixikID(number)
                let ends = ["complete", "complete", "error", "gone"]
                let end = ends.randomElement(using: &generator) ?? "complete"
                let length = seconds(shortest...longest)
                texts.append(
                    """
                    {"service": "krixik", "id": "\(id)", "pipeline": "nightly", "modules": 3,
                     "not_found": "\(["nulls", "400", "404"][number % 3])",
                     "life": [[0, "running"], [\(length / 2), 1], [\(length), "\(end)"]]}
                    """)
                runs.append(("krixik/\(id)", end == "gone" ? "lost" : end))
            }
            for number in 1...50 {
                let ends = ["complete", "complete", "error", "killed", "gone"]
                let end = ends.randomElement(using: &generator) ?? "complete"
                let length = seconds(shortest...longest)
                texts.append(
                    """
                    {"service": "kinetica", "id": "\(number)", "segments": 2,
                     "life": [[0, "none"], [\(length / 3), "running"], [\(length), "\(end)"]]}
                    """)
                runs.append(("warehouse/\(number)", end == "gone" ? "lost" : end))
            }
            script = """
                {"seed": \(seed), "runs": [\(texts.joined(separator: ",\n"))],
                 "faults": [\(Story.faults.joined(separator: ",\n"))]}
                """
        }

        /// Together a tenth of all answers.
        private static let faults: [String] = [
            #""fault": "status", "status": 500"#,
            #""fault": "status", "status": 503, "retry_after": 1"#,
            #""fault": "status", "status": 429"#,
            #""fault": "status", "status": 502, "body": "html""#,
            #""fault": "status", "status": 504, "body": "gateway""#,
            #""fault": "status", "status": 500, "body": "empty""#,
            #""fault": "reset""#, #""fault": "cut", "bytes": 150"#, #""fault": "bad_json""#,
            #""fault": "wrong_types""#, #""fault": "garbage""#,
            #""fault": "slow", "wait": 0.3"#,
        ].map { #"{"kinds": ["single", "all", "tagged"], "fraction": 0.0085, \#($0)}"# }

        static func krixikID(_ number: Int) -> String {
            let digits = String(number, radix: 16)
            let tail = String(repeating: "0", count: 12 - digits.count) + digits
            return "f948a6ad-0343-e743-2b3f-\(tail)"
        }

        var list: String {
            let krixik = runs.filter { $0.watch.hasPrefix("krixik/") }.map { $0.watch.dropFirst(7) }
            let warehouse = runs.filter { $0.watch.hasPrefix("warehouse/") }
                .map { $0.watch.dropFirst(10) }
            return """
                - service: krixik
                  ids: [\(krixik.joined(separator: ", "))]
                - service: warehouse
                  ids: [\(warehouse.map { "\"\($0)\"" }.joined(separator: ", "))]
                """
        }
    }

    /// Every run's true end was recorded and told under one ID, and not before it was true.
    private func check(_ story: Story, _ stage: Stage) async throws {
        let states = try await stage.states()
        // Deliveries follow the record; the last retries are seconds away.
        _ = await eventually { await stage.told().count == story.runs.count }
        let told = await stage.told()
        for run in story.runs {
            #expect(states[run.watch] == run.end, "\(run.watch)")
            let events = told[run.watch] ?? [:]
            #expect(events.count == 1, "\(run.watch) was told under \(events.keys.sorted())")
            guard let data = events.values.first?["data"] else { continue }
            #expect(data["state"]?.stringValue == run.end)
            let observed = data["observed_at"]?.stringValue.flatMap { Timestamp(rfc3339: $0) }
            let name = try #require(WatchName(run.watch))
            let truth = try #require(
                await stage.simulator.truth(
                    of: name.run, at: name.service == "krixik" ? .krixik : .kinetica))
            let became = try #require(truth.since)
            // Two clocks' rounding to milliseconds.
            #expect(try #require(observed) >= became.advanced(by: .milliseconds(-2)))
        }
        let statistics = await stage.simulator.statistics
        #expect(statistics.clearsComplete == 0)
        #expect(statistics.violations == [])
        #expect(statistics.faults.values.reduce(0, +) > 10)
    }

    @Test func `a hundred runs among faulty answers end as they did, each told once`()
        async throws
    {
        let story = Story(seed: 11, shortest: 0.5, longest: 6)
        let stage = try await Stage(script: story.script)
        stage.configure()
        stage.watch(story.list)
        try await stage.start()
        let ended = await eventually(within: .seconds(120)) {
            let states = (try? await stage.states()) ?? [:]
            return states.values.count { RunState(name: $0)?.isFinal == true } == story.runs.count
        }
        #expect(ended)
        try await check(story, stage)
        let lines = stage.daemon?.output.split(separator: "\n") ?? []
        let finals = try lines.filter { line in
            let event = try JSONValue(parsing: String(line))
            let state = event["type"]?.stringValue?.dropFirst(4) ?? ""
            return RunState(name: state)?.isFinal == true
        }
        #expect(finals.count == story.runs.count)
        await stage.end()
    }

    @Test func `killed ten times on the way, the daemon loses nothing and doubles nothing`()
        async throws
    {
        let story = Story(seed: 12, shortest: 1, longest: 14)
        let stage = try await Stage(script: story.script)
        stage.configure()
        stage.watch(story.list)
        var generator = SeededGenerator(seed: 12)
        for _ in 0..<10 {
            try await stage.start()
            try await Task.sleep(for: .milliseconds(Int64.random(in: 50...1500, using: &generator)))
            await stage.stop(SIGKILL)
        }
        try await stage.start()
        let ended = await eventually(within: .seconds(120)) {
            let states = (try? await stage.states()) ?? [:]
            return states.values.count { RunState(name: $0)?.isFinal == true } == story.runs.count
        }
        #expect(ended)
        try await check(story, stage)
        #expect(await stage.stop() == 0)
        await stage.end()
    }

    @Test(arguments: [2, 2000])
    func `two watches or two thousand cost one status request an interval`(count: Int)
        async throws
    {
        let stage = try await Stage(
            script: """
                {"runs": [{"service": "kinetica", "id": "1", "count": \(count), "output_lines": 0,
                           "life": [[0, "running"]]}]}
                """)
        stage.configure(poll: "{initial: 1s, factor: 1, max: 1s, jitter: 10%}")
        let ids = (1...count).map { "\"\($0)\"" }.joined(separator: ", ")
        stage.watch("- service: warehouse\n  ids: [\(ids)]\n")
        try await stage.start()
        let isSeen = await eventually {
            ((try? await stage.document("/v1/status"))?["watches"]?["running"]?.integerValue)
                == Int64(count)
        }
        #expect(isSeen)
        let before = await stage.simulator.statistics
        let started = ContinuousClock.now
        try await Task.sleep(for: .seconds(6))
        let after = await stage.simulator.statistics
        let seconds = (ContinuousClock.now - started) / .seconds(1)
        let alls = after.count(.kinetica, .all) - before.count(.kinetica, .all)
        let singles = after.count(.kinetica, .single) - before.count(.kinetica, .single)
        #expect(singles == 0)
        // One each 0.9 to 1.1 s and the time that the answer takes; never more, however many watches.
        #expect(alls >= 1)
        #expect(Double(alls) <= seconds / 0.88 + 1)
        await stage.end()
    }
}
