import Glibc
import RunwatchControl
import RunwatchCore
import RunwatchSim
import TestSupport
import Testing

/// `deliveries`, `redeliver` and `test-receiver` against a real daemon and a real receiver.
@Suite struct DeliveryCommandTests {
    private static let threeEnded = """
        {"runs": [{"service": "kinetica", "id": "1", "life": [[0, "complete"]]},
                  {"service": "kinetica", "id": "2", "life": [[0, "error"]]},
                  {"service": "kinetica", "id": "3", "life": [[0, "complete"]]}]}
        """
    private static let secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    private static let refusing = SimulatedHooks.Answer(status: 503)

    /// A stage with the receivers given, each a line or more of YAML, and `log`.
    private func stage(
        script: String = threeEnded, receivers: (_ url: String) -> String
    ) async throws -> Stage {
        let stage = try await Stage(script: script)
        configure(stage, receivers: receivers(stage.url))
        return stage
    }

    private func configure(_ stage: Stage, receivers: String) {
        let list = receivers.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n")
        stage.folder.write(
            "runwatch.yaml",
            """
            services:
              warehouse:
                kind: kinetica
                url: \(stage.url)/kinetica
            receivers:
              log:
                stdout: {format: json}
            \(list)
            defaults:
              poll: {initial: 100ms, factor: 1.4, max: 700ms}
            """)
    }

    private static func ops(_ url: String, _ more: String = "retry: [0s]") -> String {
        """
        ops:
          webhook: {url: "\(url)/sim/hooks/ops", secret: \(secret)}
          \(more)
        """
    }

    private func deliveries(_ stage: Stage, _ query: String) async throws -> [JSONValue] {
        try await stage.document("/v1/deliveries?\(query)")["deliveries"]?.arrayValue ?? []
    }

    private func has(_ count: Int, _ query: String, _ stage: Stage) async -> Bool {
        await eventually {
            // Asked again while the daemon is busy.
            (try? await deliveries(stage, query))?.count == count
        }
    }

    // MARK: Again

    @Test func `what was given up is shown with its attempts and sent again under its old ID`()
        async throws
    {
        let stage = try await stage { DeliveryCommandTests.ops($0) }
        await stage.simulator.answerHooks(
            at: "ops", with: [], then: DeliveryCommandTests.refusing)
        stage.watch("- service: warehouse\n  ids: [1, 2, 3]\n")
        try await stage.start()
        #expect(await has(3, "state=failed", stage))

        let listed = await stage.control("deliveries", "--failed")
        #expect(listed.code == 0)
        let lines = listed.output.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[0].hasPrefix("RECEIVER  EVENT"))
        #expect(lines[1...].allSatisfy { $0.contains(": failed, HTTP 503") })
        let document = try JSONValue(
            parsing: await stage.control("deliveries", "--failed", "--json").output)
        let failed = document["deliveries"]?.arrayValue ?? []
        #expect(failed.map { $0["receiver"] } == [.string("ops"), .string("ops"), .string("ops")])
        let attempt = failed.first?["attempts"]?.arrayValue?.first
        #expect(attempt?["status"] == .integer(503))
        #expect(attempt?["outcome"] == .string("failed"))
        #expect(failed.first?["finished_at"] != nil)
        #expect(await stage.control("show", "warehouse/2").output.contains("failed     HTTP 503"))
        let status = await stage.control("status").output
        #expect(status.contains("receiver 'ops' does not take deliveries: HTTP 503"))
        #expect(status.contains("receiver 'ops': 3 deliveries failed for good"))
        #expect(!(listed.output + status).contains("whsec"))

        await stage.simulator.answerHooks(at: "ops", with: [])
        let id = try #require(failed[0]["id"]?.stringValue)
        let again = await stage.control("redeliver", id)
        #expect(again.code == 0)
        #expect(again.output.hasPrefix("\(id) to ops: "))
        #expect(await has(2, "state=failed", stage))
        let isDelivered = await eventually {
            let shown = try? await stage.document("/v1/deliveries/\(id)")
            return shown?["state"] == .string("delivered")
        }
        #expect(isDelivered)
        let received = await stage.simulator.hooks(at: "ops").received.filter {
            $0.webhookID == id
        }
        #expect(received.map(\.status) == [503, 200])
        #expect(received.first?.body == received.last?.body)

        let rest = await stage.control("redeliver", "--failed", "--receiver", "ops")
        #expect(rest.code == 0)
        #expect(rest.output == "2 deliveries are pending again\n")
        #expect(await has(3, "state=delivered&receiver=ops", stage))
        #expect(
            await stage.control("redeliver", "--failed").output
                == "there is nothing to redeliver\n")
        #expect(await stage.control("deliveries", "--pending").errors.contains("no delivery"))
        await stage.end()
    }

    @Test func `one behind an earlier event of its run waits for its turn, and says so`()
        async throws
    {
        let stage = try await stage(
            script: """
                {"runs": [{"service": "kinetica", "id": "1",
                           "life": [[0, "running"]]}]}
                """
        ) { DeliveryCommandTests.ops($0, "on: [running, complete]\n  retry: [0s, 1h]") }
        await stage.simulator.answerHooks(
            at: "ops", with: [], then: DeliveryCommandTests.refusing)
        stage.watch("- service: warehouse\n  id: 1\n")
        try await stage.start()
        #expect(await has(1, "state=pending&receiver=ops", stage))
        await stage.simulator.forget()
        _ = try await stage.simulator.addRuns(
            json: #"[{"service": "kinetica", "id": "1", "life": [[0, "complete"]]}]"#)
        #expect(await has(2, "state=pending&receiver=ops", stage))
        let isPutOff = await eventually {
            let first = try? await deliveries(stage, "receiver=ops&limit=1").first
            return first?["attempts"]?.arrayValue?.count == 1
        }
        #expect(isPutOff)
        let pending = try await deliveries(stage, "receiver=ops")
        #expect(pending[1]["next_attempt_at"] == nil)
        let shown = await stage.control("show", "warehouse/1").output
        #expect(shown.contains("waits: an earlier event of warehouse/1 comes first"))

        await stage.simulator.answerHooks(at: "ops", with: [])
        let second = await stage.control(
            "redeliver", pending[1]["id"]?.stringValue ?? "")
        #expect(second.output.contains("pending again; an earlier event of warehouse/1"))
        let first = await stage.control("redeliver", pending[0]["id"]?.stringValue ?? "")
        #expect(first.code == 0)
        #expect(await has(2, "state=delivered&receiver=ops", stage))
        let taken = await stage.simulator.hooks(at: "ops").received.filter { $0.status == 200 }
        #expect(taken.map(\.webhookID) == pending.compactMap { $0["id"]?.stringValue })
        await stage.end()
    }

    @Test func `what is owed to a receiver that left the configuration stays, and says so`()
        async throws
    {
        let stage = try await stage { DeliveryCommandTests.ops($0) }
        await stage.simulator.answerHooks(
            at: "ops", with: [], then: DeliveryCommandTests.refusing)
        stage.watch("- service: warehouse\n  ids: [1, 2, 3]\n")
        try await stage.start()
        #expect(await has(3, "state=failed", stage))
        configure(stage, receivers: "")
        #expect(await stage.control("reload").code == 0)

        let before = try await deliveries(stage, "state=failed")
        let id = try #require(before[0]["id"]?.stringValue)
        for arguments in [[id], ["--failed", "--receiver", "ops"]] {
            let refused = await run(stage, ["redeliver"] + arguments)
            #expect(refused.code == 64)
            #expect(refused.errors.contains("'ops' is not configured any more"))
        }
        #expect(
            await stage.control("redeliver", "--failed").output
                == "there is nothing to redeliver\n")
        #expect(try await deliveries(stage, "state=failed") == before)
        let receivers = try await stage.document("/v1/status")["receivers"]?.arrayValue
        let old = receivers?.first { $0["name"] == .string("ops") }
        #expect(old?["configured"] == .bool(false))
        #expect(old?["failed"] == .integer(3))
        #expect(old?["kind"] == nil)
        #expect(await stage.control("status").output.contains("'ops' is not configured any more"))

        await stage.simulator.answerHooks(at: "ops", with: [])
        configure(stage, receivers: DeliveryCommandTests.ops(stage.url))
        #expect(await stage.control("reload").code == 0)
        #expect(await stage.control("redeliver", "--failed").code == 0)
        #expect(await has(3, "state=delivered&receiver=ops", stage))
        await stage.end()
    }

    @Test func `a pending delivery says what its receiver makes it wait for`() async throws {
        let stage = try await stage { url in
            """
            \(DeliveryCommandTests.ops(url, "retry: [0s, 1h]"))
            gone:
              webhook: {url: "\(url)/sim/hooks/gone"}
            """
        }
        await stage.simulator.answerHooks(
            at: "ops", with: [], then: DeliveryCommandTests.refusing)
        await stage.simulator.answerHooks(at: "gone", with: [], then: .init(status: 410))
        stage.watch("- service: warehouse\n  id: 1\n")
        try await stage.start()
        func pending(_ receiver: String) async throws -> JSONValue? {
            try await deliveries(stage, "state=pending&receiver=\(receiver)").first
        }
        let areAttempted = await eventually {
            let ops = try? await pending("ops")?["attempts"]?.arrayValue?.count
            let gone = try? await pending("gone")?["attempts"]?.arrayValue?.count
            return ops == 1 && gone == 1
        }
        #expect(areAttempted)
        let gone = try #require(try await pending("gone"))
        #expect(gone["next_attempt_at"] == nil)
        #expect(gone["next_attempt_reason"]?.stringValue?.contains("HTTP 410") == true)
        let receivers = try await stage.document("/v1/status")["receivers"]?.arrayValue
        let disabled = receivers?.first { $0["name"] == .string("gone") }
        #expect(disabled?["disabled"] == .bool(true))
        #expect(disabled?["last_error"]?.stringValue?.hasPrefix("HTTP 410") == true)
        #expect(try await pending("ops")?["next_attempt_at"] != nil)

        // A person's word goes before the receiver's own.
        await stage.simulator.answerHooks(at: "gone", with: [])
        #expect(await stage.control("redeliver", gone["id"]?.stringValue ?? "").code == 0)
        #expect(await has(1, "state=delivered&receiver=gone", stage))

        configure(stage, receivers: "")
        #expect(await stage.control("reload").code == 0)
        let left = try #require(try await pending("ops"))
        #expect(left["next_attempt_at"] == nil)
        #expect(
            left["next_attempt_reason"] == .string("its receiver is not configured any more"))
        #expect(await stage.control("deliveries", "--pending").output.contains("waits"))
        await stage.end()
    }

    // MARK: Tests of receivers

    @Test func `a test of a receiver says what came back, and leaves nothing behind`()
        async throws
    {
        let stage = try await stage { url in
            """
            \(DeliveryCommandTests.ops(url))
            good:
              webhook: {url: "\(url)/sim/hooks/good?key=s3cr3t"}
            nobody:
              webhook: {url: "http://127.0.0.1:1/key/s3cr3t"}
            """
        }
        await stage.simulator.answerHooks(
            at: "ops", with: [], then: DeliveryCommandTests.refusing)
        stage.watch("- service: warehouse\n  ids: []\n")
        try await stage.start()
        let good = await stage.control("test-receiver", "good")
        #expect(good.code == 0)
        #expect(good.output.hasPrefix("good: delivered, HTTP 200 in "))
        let event = try JSONValue(
            parsing: try #require(await stage.simulator.hooks(at: "good").received.first).body)
        #expect(event["type"] == .string("receiver.test"))
        let failing = await stage.control("test-receiver", "ops")
        #expect(failing.code == 1)
        #expect(failing.output.hasPrefix("ops: not delivered: HTTP 503 in "))
        let nobody = await stage.control("test-receiver", "nobody")
        #expect(nobody.code == 1)
        #expect(nobody.output.hasPrefix("nobody: not delivered: "))
        #expect(!nobody.output.contains("s3cr3t"))
        #expect(await stage.control("test-receiver", "log").code == 0)
        #expect(stage.daemon?.output.contains("receiver.test") == true)
        let document = try JSONValue(
            parsing: await stage.control("test-receiver", "ops", "--json").output)
        #expect(document["type"] == .string("receiver.test"))
        #expect(document["state"] == .string("failed"))
        #expect(document["attempts"]?.arrayValue?.first?["status"] == .integer(503))
        let unknown = await stage.control("test-receiver", "god")
        #expect(unknown.code == 4)
        #expect(unknown.errors.contains("did you mean 'good'?"))
        #expect(try await deliveries(stage, "").isEmpty)
        #expect(try await stage.document("/v1/events")["events"]?.arrayValue?.isEmpty == true)
        await stage.end()
    }

    // MARK: Exit codes

    @Test func `the verbs of deliveries give the contract's codes`() async throws {
        let stage = try await stage { DeliveryCommandTests.ops($0) }
        stage.watch("- service: warehouse\n  ids: [1, 2, 3]\n")
        for arguments in [["deliveries"], ["redeliver", "msg_1"], ["test-receiver", "ops"]] {
            #expect(await run(stage, arguments).code == 69)
        }
        try await stage.start()
        #expect(await has(3, "state=delivered&receiver=ops", stage))
        for (arguments, code): ([String], Int32) in [
            (["redeliver"], 64), (["redeliver", "msg_1", "--failed"], 64), (["redeliver", ""], 64),
            (["redeliver", "msg_1", "--receiver", "ops"], 64), (["test-receiver"], 64),
            (["deliveries", "--limit", "0"], 64), (["deliveries", "msg_1"], 64),
            (["redeliver", "msg_1"], 4), (["redeliver", "a/b"], 4), (["redeliver", ".."], 4),
            (["redeliver", "--failed", "--receiver", "opps"], 4), (["test-receiver", "a/b"], 4),
            (["deliveries"], 0), (["deliveries", "--failed", "--pending"], 0),
        ] {
            #expect(await run(stage, arguments).code == code, "\(arguments)")
        }
        let missing = await stage.control("redeliver", "msg_1", "--json")
        let problem = try JSONValue(parsing: missing.output)
        #expect(problem["type"] == .string("urn:runwatch:problem:no-such-delivery"))
        let last = try JSONValue(
            parsing: await stage.control("--json", "deliveries", "--limit", "4").output)
        let ids = last["deliveries"]?.arrayValue?.map { $0["id"] }
        #expect(try await deliveries(stage, "").suffix(4).map { $0["id"] } == ids)
        let again = try JSONValue(
            parsing: await run(
                stage, ["redeliver", "--json"] + (ids ?? []).compactMap { $0?.stringValue }
            ).output)
        #expect(again["deliveries"]?.arrayValue?.map { $0["id"] } == ids)
        await stage.end()
    }

    private func run(
        _ stage: Stage, _ arguments: [String]
    ) async -> (code: Int32, output: String, errors: String) {
        let program = RunningProgram(
            "runwatchctl", ["--socket", stage.socket] + arguments, in: stage.folder.path,
            output: "run-\(UInt64.random(in: .min ... .max))")
        _ = await eventually { !program.isRunning }
        return (program.exitStatus(), program.output, program.errors)
    }

    @Test func `what waits for its digest says so, and goes as one when that is full`()
        async throws
    {
        let stage = try await stage { url in
            """
            mail:
              webhook: {url: "\(url)/sim/hooks/mail"}
              digest: {window: 1h, max: 3}
            """
        }
        stage.watch("- {service: warehouse, ids: [\"1\", \"2\"]}\n")
        try await stage.start()
        #expect(await has(2, "state=pending&receiver=mail", stage))
        let waiting = try await deliveries(stage, "state=pending&receiver=mail")
        let reasons = waiting.compactMap { $0["next_attempt_reason"]?.stringValue }
        #expect(reasons == Array(repeating: "it waits for others of its digest", count: 2))
        stage.watch("- {service: warehouse, ids: [\"1\", \"2\", \"3\"]}\n")
        #expect(await has(3, "state=delivered&receiver=mail", stage))
        let received = await stage.simulator.hooks(at: "mail").received
        #expect(received.count == 1)
        let made = try await deliveries(stage, "receiver=mail")
        #expect(Set(made.map { $0["digest"]?.stringValue }) == [received.first?.webhookID])
        await stage.end()
    }
}
