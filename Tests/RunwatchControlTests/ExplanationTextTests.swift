import RunwatchControl
import RunwatchCore
import Testing

@Suite struct ExplanationTextTests {
    private static func watch(_ run: String, line: Int = 1) -> WatchSpec {
        WatchSpec(
            name: WatchName(service: "w", run: run), settings: WatchSettings(),
            origin: .file("watches.yaml", line: line))
    }

    private static let settings: [ExplainedSetting] = [
        .init("deadline", .string("2h"), .key("deadline", file: "watches.yaml", line: 14)),
        .init(
            "poll.initial", .string("1s"),
            .key("services.w.poll.initial", file: "runwatch.yaml", line: 13)),
        .init("poll.max", .string("1m"), .standard),
        .init(
            "notify", .array([.string("log"), .string("ops")]),
            .key("defaults.notify", file: "runwatch.yaml", line: 31)),
        .init("stall_after", .null, .standard),
    ]

    private static func group(
        _ members: [Range<Int>], entries: Int = 1, idsFile: String? = nil
    ) -> Explanation.Group {
        Explanation.Group(
            service: "w", members: members, idsFile: idsFile, file: "watches.yaml", line: 3,
            entries: entries, settings: settings)
    }

    private func text(_ explanation: Explanation) -> String {
        var text = ""
        ExplanationText(.plain).write(explanation) {
            text += $0
            return true
        }
        return text
    }

    @Test func `a watch's settings stand with their places`() {
        let explanation = Explanation(
            groups: [ExplanationTextTests.group([0..<1])],
            watches: [ExplanationTextTests.watch("12")])
        #expect(
            text(explanation) == """
                watch w/12  (watches.yaml:3)
                  deadline      2h        (watches.yaml:14)
                  poll.initial  1s        (runwatch.yaml:13, services.w.poll)
                  poll.max      1m        (default)
                  notify        log, ops  (runwatch.yaml:31, defaults)
                  stall_after   none      (default)

                """)
    }

    @Test func `a hundred thousand watches that are alike are one block`() {
        let watches = (0..<100_000).map { ExplanationTextTests.watch("\($0)") }
        let all = text(
            Explanation(
                groups: [
                    ExplanationTextTests.group([0..<2, 5..<6], entries: 3),
                    ExplanationTextTests.group([6..<100_000], idsFile: "backlog.txt"),
                ], watches: watches))
        #expect(
            all.hasPrefix(
                "3 watches of w: 0, 1, 5  (watches.yaml:3 and 2 more entries)\n  deadline "))
        #expect(
            all.contains(
                "\n\n99994 watches of w from backlog.txt: 6, 7, 8, 9, 10, …  (watches.yaml:3)\n"))
        #expect(all.utf8.count < 2000)
    }

    @Test func `a service's own keys need no further word about where they stand`() {
        let section = Explanation.Section(
            name: "w", source: .key("services.w", file: "runwatch.yaml", line: 2),
            settings: ExplanationTextTests.settings)
        let all = text(
            Explanation(
                main: .init(name: "runwatch.yaml", source: .standard, settings: []),
                services: [section]))
        #expect(all.hasPrefix("configuration runwatch.yaml\n\nservice w  (runwatch.yaml:2)\n"))
        #expect(all.contains("1s        (runwatch.yaml:13)\n"))
        #expect(all.contains("(runwatch.yaml:31, defaults)\n"))
    }

    @Test func `what comes from outside cannot fake a line`() {
        let explanation = Explanation(
            groups: [ExplanationTextTests.group([0..<1], idsFile: "a\nb")],
            watches: [ExplanationTextTests.watch("1\n2\u{1B}[31m")])
        let all = text(explanation)
        #expect(all.hasPrefix("watch w/1\\n2\\u{1b}[31m  (watches.yaml:3)\n"))
    }

    @Test func `the document is written in pieces, and ends with its reader`() throws {
        let watches = (0..<2000).map { ExplanationTextTests.watch("\($0)", line: $0 + 1) }
        let check = ConfigurationCheck(
            diagnostics: [], services: 1, receivers: 1, watches: 2000,
            explanation: Explanation(
                main: .init(name: "c", source: .standard, settings: []),
                groups: [ExplanationTextTests.group([0..<2000])], watches: watches))
        var bytes: [UInt8] = []
        var largest = 0
        check.writeJSON {
            bytes += $0
            largest = max(largest, $0.count)
            return true
        }
        #expect(largest < 80_000 && bytes.count > 500_000)
        let document = try JSONValue(parsing: bytes)
        let told = try #require(document["explanation"]?["watches"]?.arrayValue)
        #expect(told.count == 2000)
        #expect(told[1999]["name"] == .string("w/1999"))
        #expect(told[1999]["origin"] == .string("watches.yaml:2000"))
        let settings = try #require(told[1999]["settings"])
        #expect(settings["poll.initial"]?["value"] == .string("1s"))
        let source = settings["poll.initial"]?["source"]
        #expect(source?["key"] == .string("services.w.poll.initial"))
        #expect(source?["file"] == .string("runwatch.yaml") && source?["line"] == .integer(13))
        #expect(settings["poll.max"]?["source"] == nil)
        #expect(settings["stall_after"]?["value"] == .null)

        var pieces = 0
        check.writeJSON { _ in
            pieces += 1
            return false
        }
        #expect(pieces == 1)
    }

    // MARK: Probes

    @Test func `probes stand a line each, and what is wrong is counted`() {
        let probes = [
            ServiceProbe(
                service: "krixik", kind: "krixik", outcome: .failed(.unauthorized), status: 401,
                duration: .milliseconds(14),
                message: "HTTP 401: no such key; check the service's credentials"),
            ServiceProbe(
                service: "warehouse", kind: "kinetica", outcome: .up, status: 200,
                duration: .milliseconds(12), message: "run 12\n is running"),
            ServiceProbe(
                service: "lake", kind: "kinetica", outcome: .failed(.connection),
                duration: .milliseconds(2100), message: "nobody there"),
            ServiceProbe(
                service: "old", kind: "krixik", outcome: .notAsked,
                message: "no watch names this service"),
        ]
        #expect(
            ProbeText.lines(probes, .plain) == #"""
                krixik     failed     401 in 14ms: no such key; check the service's credentials
                warehouse  up         200 in 12ms: run 12\n is running
                lake       failed     nobody there (after 2.1s)
                old        not asked  no watch names this service

                """#)
        #expect(ProbeText.summary(probes) == "2 services of 4 gave no usable answer\n")
        #expect(ProbeText.summary([probes[1], probes[3]]) == "")
    }
}
