import RunwatchConfig
import RunwatchCore
import Testing

/// What a request may ask, by the rules of the watch list.
@Suite struct WatchRequestSchemaTests {
    private static let configuration = MemoryFiles([
        "/c/runwatch.yaml": """
        services:
          krixik:
            kind: krixik
            url: https://api.example.com
            api_key: {env: KRIXIK_API_KEY}
          nightly:
            kind: krixik
            url: https://api.example.com
            api_key: {env: KRIXIK_API_KEY}
            pipeline: p
          warehouse:
            kind: kinetica
            url: http://127.0.0.1:9191
            poll: {initial: 10s}
        receivers:
          log: {stdout: {format: json}}
          ops: {webhook: {url: "https://hooks.example.com/a"}}
        """
    ]).load().configuration

    private func check(_ asked: AskedWatches) throws -> WatchRequestSchema.Outcome {
        WatchRequestSchema.check(
            asked, by: try #require(WatchRequestSchemaTests.configuration))
    }

    private func faults(_ asked: AskedWatches) throws -> [String] {
        guard case .faults(let faults) = try check(asked) else { return [] }
        return faults.map(\.description)
    }

    @Test func `what is asked is kept, and nothing else`() throws {
        #expect(
            try check(AskedWatches(service: "warehouse", ids: ["1"]))
                == .request(WatchRequest(service: "warehouse")))
        let label = "a \"b\" \\ \u{E9} \u{1F600} #: {x}, [y]"
        var overrides = WatchOverrides()
        overrides.initial = .seconds(1)
        overrides.factor = 1.5
        overrides.maximum = .seconds(30)
        overrides.jitter = 0.25
        overrides.deadline = .after(.seconds(5400))
        overrides.pendingAfter = TimeLimit.none
        overrides.stallAfter = .after(.seconds(60))
        overrides.notFoundGrace = .zero
        overrides.notify = ["ops", "log"]
        let asked = AskedWatches(
            service: "krixik", ids: ["1"], label: label, group: "g", pipeline: "q: r",
            notify: ["ops", "log", "ops"],
            poll: .init(initial: "1s", factor: "1.5", maximum: "30s", jitter: "25%"),
            deadline: "1h30m", pendingAfter: "none", stallAfter: "1m", notFoundGrace: "0s")
        #expect(
            try check(asked)
                == .request(
                    WatchRequest(
                        service: "krixik", label: label, group: "g",
                        parameters: ["pipeline": "q: r"], overrides: overrides)))
        let nobody = try check(AskedWatches(service: "nightly", ids: ["1"], notify: []))
        guard case .request(let request) = nobody else { throw WatchName.Missing() }
        #expect(request.overrides.notify == [])
        #expect(request.parameters.isEmpty)
    }

    @Test(arguments: [
        (AskedWatches(service: "warehose"), "service: unknown service 'warehose'; did you mean"),
        (AskedWatches(service: "", ids: ["1"]), "service: unknown service ''"),
        (AskedWatches(service: "krixik"), "pipeline: a watch of a krixik service needs a pipeline"),
        (AskedWatches(service: "warehouse", pipeline: "p"), "'pipeline' is for services of kind"),
        (AskedWatches(service: "nightly", pipeline: ""), "'pipeline' is empty"),
        (
            AskedWatches(service: "warehouse", label: "a\u{85}b"),
            "'label' holds a control character"
        ),
        (AskedWatches(service: "warehouse", group: "\0"), "'group' holds a control character"),
        (
            AskedWatches(service: "warehouse", label: String(repeating: "x", count: 513)),
            "'label' is longer than 512 bytes"
        ),
        (
            AskedWatches(service: "warehouse", notify: ["log", "osp"]),
            "notify[1]: unknown receiver 'osp'; did you mean 'ops'?"
        ),
        (AskedWatches(service: "warehouse", deadline: "5"), "'deadline': '5' has no unit"),
        (
            AskedWatches(service: "warehouse", deadline: "0s"),
            "'deadline' cannot be '0s'; write none"
        ),
        (AskedWatches(service: "warehouse", deadline: ""), "'deadline': '' is no duration"),
        (
            AskedWatches(service: "warehouse", notFoundGrace: "none"),
            "'not_found_grace': 'none' is no duration"
        ),
        (
            AskedWatches(service: "warehouse", poll: .init(initial: "1ms")),
            "'poll.initial' cannot be shorter than 50ms"
        ),
        (
            AskedWatches(service: "warehouse", poll: .init(factor: "0.5")),
            "'poll.factor' cannot be '0.5'; it is a number from 1 to 100"
        ),
        (
            AskedWatches(service: "warehouse", poll: .init(maximum: "5s")),
            "'poll.max' (5s) is shorter than 'poll.initial' (10s by default)"
        ),
        (AskedWatches(service: "warehouse", ids: ["1", ""]), "ids[1]: the ID is empty"),
        (
            AskedWatches(service: "warehouse", ids: [" 1"]),
            "ids[0]: the ID ' 1' begins or ends with white space"
        ),
        (
            AskedWatches(service: "warehouse", ids: ["a\tb"]),
            "ids[0]: the ID 'a?b' holds a control character"
        ),
        (
            AskedWatches(
                service: "warehouse",
                ids: [String(repeating: "x", count: WatchName.longestRun + 1)]),
            "ids[0]: the ID 'xxxx"
        ),
    ])
    func `a value that cannot be is named by its place`(
        asked: AskedWatches, words: String
    ) throws {
        let faults = try faults(asked)
        #expect(faults.count == 1)
        #expect(faults.first?.hasPrefix(words) == true, "\(faults)")
    }

    @Test func `all faults come at once, in order, and not without end`() throws {
        var asked = AskedWatches(
            service: "warehouse", ids: ["", "1", ""], label: "", notify: ["x"], deadline: "x")
        let places = ["'label'", "'deadline'", "notify[0]", "ids[0]", "ids[2]"]
        let found = try faults(asked)
        #expect(found.count == places.count)
        for (fault, place) in zip(found, places) { #expect(fault.hasPrefix(place)) }
        asked.ids = Array(repeating: "", count: 10_000)
        #expect(try faults(asked).count < 200)
    }
}

extension WatchName {
    fileprivate struct Missing: Error {}
}
