import Glibc
import RunwatchCore
import RunwatchSim
import TestSupport
import Testing

/// The promise of deliveries, on the real program: at a receiver that fails in every way while the
/// daemon is killed again and again.
@Suite struct DeliveryTortureTests {
    private static let runs = 60
    private static let kills = 200

    /// Half of the answers are faults, in random turn.
    private static func answers(seed: UInt64) -> [SimulatedHooks.Answer] {
        var generator = SeededGenerator(seed: seed)
        return (0..<20_000).map { _ in
            var answer = SimulatedHooks.Answer.accepted
            switch Int.random(in: 0..<12, using: &generator) {
            case 0: answer.status = 500
            case 1:
                answer.status = 429
                answer.retryAfter = 1
            case 2: answer = Self.fault(.hang)
            case 3: answer = Self.fault(.close)
            case 4: answer = Self.fault(.reset)
            case 5: answer = Self.fault(.cut)
            default: break
            }
            return answer
        }
    }

    private static func fault(_ kind: SimulatedFault.Kind) -> SimulatedHooks.Answer {
        var answer = SimulatedHooks.Answer(status: nil)
        answer.fault = kind
        return answer
    }

    /// Three transitions each, spread over the time that the kills take.
    private static var script: String {
        let runs = (0..<runs).map { index in
            let start = Double(index) / 2.5
            return """
                {"service": "kinetica", "id": "\(index)", "life": [[0, "none"],
                 [\(start + 0.5), "running"], [\(start + 1.5), "complete"]]}
                """
        }
        return "{\"runs\": [\(runs.joined(separator: ",\n"))]}"
    }

    private struct Arrival {
        var run: String
        var state: String
        var sequence: Int64
        var id: String
        var wasAccepted: Bool
    }

    private func arrivals(_ stage: Stage) async throws -> [Arrival] {
        try await stage.simulator.hooks(at: "all").received.map { received in
            let data = try #require(try JSONValue(parsing: received.body)["data"])
            return Arrival(
                run: data["run"]?.stringValue ?? "", state: data["state"]?.stringValue ?? "",
                sequence: data["sequence"]?.integerValue ?? 0, id: received.webhookID,
                wasAccepted: received.status == 200)
        }
    }

    @Test func `two hundred kills and a bad receiver lose nothing, double nothing and keep order`()
        async throws
    {
        let stage = try await Stage(script: Self.script)
        stage.folder.write(
            "runwatch.yaml",
            """
            services:
              warehouse:
                kind: kinetica
                url: \(stage.url)/kinetica
            receivers:
              all:
                webhook:
                  url: \(stage.url)/sim/hooks/all
                on: [pending, running, complete]
                timeout: 200ms
                retry: [0s\(String(repeating: ", 100ms", count: 99))]
            defaults:
              poll: {initial: 200ms, factor: 1, max: 200ms}
            """)
        let ids = (0..<Self.runs).map { "\"\($0)\"" }.joined(separator: ", ")
        stage.watch("- service: warehouse\n  ids: [\(ids)]\n")
        await stage.simulator.answerHooks(at: "all", with: Self.answers(seed: 7))
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<Self.kills {
            stage.startWithoutWaiting()
            // From before the database is open to some way into the deliveries.
            try await Task.sleep(for: .milliseconds(Int64.random(in: 5...250, using: &generator)))
            await stage.stop(SIGKILL)
        }
        await stage.simulator.answerHooks(at: "all", with: [])
        try await stage.start()
        let isOver = await eventually(within: .seconds(120)) {
            let ended = (try? await stage.states()) ?? [:]
            let status = try? await stage.document("/v1/status")
            let pending = status?["receivers"]?.arrayValue?.first?["pending"]?.integerValue
            return ended.values.count { $0 == "complete" } == Self.runs && pending == 0
        }
        #expect(isOver)
        try check(await arrivals(stage))
        let statistics = await stage.simulator.statistics
        #expect(statistics.violations == [])
        await stage.end()
    }

    private func check(_ arrivals: [Arrival]) throws {
        #expect(arrivals.count { !$0.wasAccepted } > 50, "the receiver was not bad enough")
        for (id, of) in Dictionary(grouping: arrivals, by: \.id) {
            #expect(Set(of.map { "\($0.run) \($0.sequence)" }).count == 1, "\(id) told two things")
        }
        for run in 0..<Self.runs {
            let told = arrivals.filter { $0.run == "\(run)" }
            // As a receiver sees them that remembers what it has accepted.
            var seen: [Arrival] = []
            for arrival in told
            where arrival.wasAccepted && !seen.contains(where: { $0.id == arrival.id }) {
                seen.append(arrival)
            }
            #expect(seen.map(\.sequence) == seen.map(\.sequence).sorted(), "run \(run)")
            #expect(Set(seen.map(\.sequence)).count == seen.count, "run \(run) under two IDs")
            #expect(seen.last?.state == "complete", "run \(run): \(seen.map(\.state))")
            #expect(seen.count == Int(seen.last?.sequence ?? 0), "run \(run) lost one")
        }
    }
}
