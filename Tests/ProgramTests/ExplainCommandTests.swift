import RunwatchCore
import TestSupport
import Testing

/// `show` and `status` of a real daemon that has something to explain.
@Suite struct ExplainCommandTests {
    @Test func `what is late, down or owed is told with its reason`() async throws {
        let stage = try await Stage(
            script: """
                {"runs": [{"service": "kinetica", "id": "1", "life": [[0, "running"]]}]}
                """)
        // Nobody listens at port 1.
        stage.folder.write(
            "runwatch.yaml",
            """
            services:
              warehouse:
                kind: kinetica
                url: \(stage.url)/kinetica
                coalesce: never
                limits: {rate: 1/m}
              gone:
                kind: kinetica
                url: http://127.0.0.1:1
            defaults:
              poll: {initial: 100ms, factor: 1, max: 100ms}
              deadline: 2h
            """)
        stage.watch(
            "- service: warehouse\n  ids: [1, 2, 3]\n- service: gone\n  id: a\n")
        try await stage.start()
        let isTold = await eventually {
            let problems = try? await stage.document("/v1/status")["problems"]?.arrayValue
            let codes = Set((problems ?? []).compactMap { $0["code"]?.stringValue })
            return codes.isSuperset(of: ["service_down", "polls_late"])
        }
        #expect(isTold)
        let status = await stage.control("status")
        #expect(status.code == 0)
        #expect(status.output.contains("! service 'gone' has been down for "))
        #expect(status.output.contains("held up by its limit (rate 1/m)"))
        let gone = await stage.control("show", "gone/a")
        #expect(gone.output.hasPrefix("gone/a has not been seen yet; last asked "))
        #expect(gone.output.contains("the service failed (connection)"))
        let watches = try await stage.document("/v1/watches?service=warehouse")
        let reasons = watches["watches"]?.arrayValue?.map {
            $0["next_poll"]?["reason"]?.stringValue
        }
        #expect(reasons?.contains("rate") == true, "\(watches.text)")
        let watch = try await stage.document("/v1/watches/gone/a")
        #expect(watch["settings"]?["deadline"] == .string("2h"))
        #expect(watch["last_poll"]?["outcome"] == .string("failed"))
        #expect(watch["prospects"]?.arrayValue?.first?["what"] == .string("timeout"))
        #expect(watch["last_error"] == watch["last_poll"]?["message"])
        await stage.end()
    }
}
