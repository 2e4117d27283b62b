import RunwatchCore
import RunwatchHTTP
import RunwatchServices
import Testing

@Suite struct KineticaRunsTests {
    let kind = KineticaKindTests.kind()

    static let example =
        #"{"proc_names": {"18": "score"}, "params": {"18": {"key": "secret of a user"}}, "#
        + #""options": {"18": {"run_tag": "nightly", "max_output_lines": "5"}}, "#
        + #""overall_statuses": {"18": "running"}, "#
        + #""statuses": {"18": {"0": "complete", "1": "running"}}, "#
        + #""messages": {"18": {"0": "half way", "1": ""}}, "results": {"18": {}}, "#
        + #""output": {"18": {"0": {"stdout": ["a", "b"], "stderr": []}}}, "#
        + #""timings": {"18": {"0": {"total": 5210, "init": 3}, "1": {}}}, "info": {}}"#

    func one(_ content: String, _ run: String = "18") -> RunObservation? {
        let answer = kind.read(response(200, wrapped(content)), .run(run))
        guard let list = answer.observations, list.count == 1 else {
            Issue.record("\(answer)")
            return nil
        }
        return list.first
    }

    @Test func `everything that a watch needs is read`() throws {
        let run = try #require(one(KineticaRunsTests.example))
        #expect(run.run == "18")
        #expect(run.tag == "nightly")
        #expect(run.unknownWord == nil)
        #expect(run.observation.finding == .state(.running))
        #expect(run.observation.progress == Progress(done: 1, total: 2))
        #expect(run.observation.message == "half way")
        #expect(
            String(decoding: run.observation.detail, as: UTF8.self)
                == #"{"proc":"score","segments":{"0":"complete","1":"running"},"#
                + #""run_tag":"nightly","total_ms":5210}"#)
    }

    @Test func `IDs that look alike are runs of their own`() throws {
        let (composed, decomposed) = ("\u{E9}", "e\u{301}")
        let content =
            #"{"overall_statuses":{"\#(composed)":"running","\#(decomposed)":"complete"},"#
            + #""statuses":{"\#(decomposed)":{"0":"complete"},"\#(composed)":{"0":"running"}}}"#
        let all = kind.read(response(200, wrapped(content)), .all)
        #expect(
            all.observations?.map(\.observation.finding) == [.state(.running), .state(.complete)])
        #expect(all.observations?.map(\.observation.progress?.done) == [0, 1])
        #expect(one(content, composed)?.observation.finding == .state(.running))
        #expect(one(content, decomposed)?.observation.finding == .state(.complete))
    }

    @Test func `the members may come in any order`() throws {
        let expected = one(KineticaRunsTests.example)
        let members = try #require(try JSONValue(parsing: KineticaRunsTests.example).members)
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<50 {
            let shuffled = JSONValue.object(members.shuffled(using: &generator))
            #expect(one(shuffled.text) == expected)
        }
    }

    @Test(arguments: [
        ("none", RunState.pending), ("running", .running), ("complete", .complete),
        ("error", .error), ("killed", .killed),
    ])
    func `the words map to states`(_ word: String, _ state: RunState) {
        let run = one(#"{"overall_statuses":{"18":"\#(word)"}}"#)
        #expect(run == RunObservation(run: "18", observation: Observation(.state(state))))
    }

    @Test(arguments: ["", "COMPLETE", "complete ", "stopped", "wörd"])
    func `an unknown word changes nothing and is named`(_ word: String) {
        let run = one(#"{"overall_statuses":{"18":"\#(word)"}}"#)
        #expect(
            run
                == RunObservation(run: "18", observation: Observation(.nothing), unknownWord: word))
    }

    @Test func `the roll-up alone counts, not the segments`() throws {
        let running = try #require(
            one(#"{"overall_statuses":{"18":"running"},"statuses":{"18":{"0":"complete"}}}"#))
        #expect(running.observation.finding == .state(.running))
        #expect(running.observation.progress == Progress(done: 1, total: 1))
        let failed = try #require(
            one(
                #"{"overall_statuses":{"18":"error"},"#
                    + #""statuses":{"18":{"0":"running","1":"error","2":"killed","3":"odd"}}}"#))
        #expect(failed.observation.finding == .state(.error))
        #expect(failed.observation.progress == Progress(done: 0, total: 4))
    }

    @Test func `a run that is missing is not found`() {
        let empty =
            #"{"proc_names":{},"overall_statuses":{},"statuses":{},"messages":{},"timings":{}}"#
        let notFound = RunObservation(run: "18", observation: Observation(.notFound))
        #expect(one(empty) == notFound)
        #expect(one(#"{"overall_statuses":{}}"#) == notFound)
        #expect(one(#"{"overall_statuses":{"180":"complete","1":"running"}}"#) == notFound)
        #expect(kind.read(response(200, wrapped(empty)), .all) == .observations([]))
        #expect(kind.read(response(200, wrapped(empty)), .tag("t")) == .observations([]))
    }

    @Test func `a run that is there without a status is not called missing`() {
        let run = one(#"{"overall_statuses":{},"proc_names":{"18":"score"}}"#)
        #expect(run?.observation.finding == .nothing)
        #expect(run?.unknownWord == nil)
    }

    @Test func `details of the wrong type do not hide the state`() {
        let wrong = [
            "null", "5", "[]", "\"x\"", "{\"18\":null}", "{\"18\":[1,[2]]}", "{\"18\":7}",
            "{\"18\":{\"0\":null}}", "{\"18\":{\"0\":[{}]}}", "{\"18\":{\"0\":{\"total\":\"9\"}}}",
        ]
        for name in ["statuses", "messages", "timings", "proc_names", "options", "info", "x"] {
            for value in wrong {
                let run = one(#"{"\#(name)":\#(value),"overall_statuses":{"18":"complete"}}"#)
                #expect(run?.observation.finding == .state(.complete), "\(name): \(value)")
                #expect(run?.observation.message == "")
                #expect(run?.tag == nil)
            }
        }
    }

    @Test(
        arguments: [
            ("9007199254740993", "9007199254740993"),
            ("9223372036854775807", "9223372036854775807"),
            ("9223372036854775808", nil), ("-5", nil), ("1.5", nil), ("1e3", nil), ("0", "0"),
            ("99999999999999999999999999999999", nil),
        ] as [(String, String?)])
    func `timings are whole numbers of 64 bits`(_ number: String, _ expected: String?) {
        let run = one(
            #"{"overall_statuses":{"18":"complete"},"timings":{"18":{"0":{"total":\#(number)}}}}"#)
        let detail = run.map { String(decoding: $0.observation.detail, as: UTF8.self) }
        #expect(detail == expected.map { #"{"total_ms":\#($0)}"# } ?? "")
    }

    @Test func `the longest of the segments' totals counts`() {
        let run = one(
            #"{"overall_statuses":{"18":"complete"},"#
                + #""timings":{"18":{"0":{"total":5},"1":{"total":70},"2":{"total":6},"3":{}}}}"#)
        let detail = run.map { String(decoding: $0.observation.detail, as: UTF8.self) }
        #expect(detail == #"{"total_ms":70}"#)
    }

    @Test func `the last message that is not empty is kept, without control characters`() {
        let run = one(
            #"{"overall_statuses":{"18":"running"},"messages":{"18":{"0":"first","1":"#
                + #""a\u0000b\u001b[31m\tc\u0085\n","2":""}}}"#)
        #expect(run?.observation.message == "ab[31m c")
    }

    @Test func `texts and segments are bounded`() throws {
        var content = JSONWriter()
        content.beginObject()
        content.key("overall_statuses")
        content.beginObject()
        content.member("18", "running")
        content.endObject()
        content.key("statuses")
        content.beginObject()
        content.key("18")
        content.beginObject()
        for index in 0..<500 { content.member("\(index)", index < 100 ? "complete" : "running") }
        content.member(String(repeating: "s", count: 9999), String(repeating: "w", count: 9999))
        content.endObject()
        content.endObject()
        for name in ["proc_names"] {
            content.key(name)
            content.beginObject()
            content.member("18", String(repeating: "p", count: 9999))
            content.endObject()
        }
        content.key("messages")
        content.beginObject()
        content.key("18")
        content.beginObject()
        content.member("0", String(repeating: "\u{1F600}", count: 1000))
        content.endObject()
        content.endObject()
        content.endObject()
        let run = try #require(one(content.text))
        #expect(run.observation.progress == Progress(done: 100, total: 501))
        #expect(run.observation.message == String(repeating: "\u{1F600}", count: 125))
        let detail = try JSONValue(parsing: run.observation.detail)
        #expect(detail["segments"]?.members?.count == 64)
        #expect(detail["segments_total"]?.integerValue == 501)
        #expect(detail["proc"]?.stringValue?.utf8.count == 2048)
    }

    // MARK: Many runs

    static let many =
        #"{"proc_names":{"1":"a","2":"b","3":"c"},"#
        + #""options":{"1":{"run_tag":"t"},"2":{},"3":{"run_tag":"other"}},"#
        + #""overall_statuses":{"3":"running","2":"complete","1":"odd","4":"none"},"#
        + #""statuses":{"2":{"0":"complete"},"1":{"0":"odd"}},"#
        + #""messages":{"1":{"0":"one"},"2":{"0":"two"},"3":{"0":"three"}}}"#

    @Test func `runs that are not followed show state and tag only`() throws {
        let answer = kind.read(response(200, wrapped(KineticaRunsTests.many)), scope: .all) {
            $0 == "1" || $0 == "9"
        }
        let list = try #require(answer.observations)
        #expect(
            list == [
                RunObservation(
                    run: "1",
                    observation: Observation(
                        .nothing, progress: Progress(done: 0, total: 1), message: "one",
                        detail: Array(
                            #"{"proc":"a","segments":{"0":"odd"},"run_tag":"t"}"#.utf8)),
                    tag: "t", unknownWord: "odd"),
                RunObservation(run: "2", observation: Observation(.state(.complete))),
                RunObservation(run: "3", observation: Observation(.state(.running)), tag: "other"),
                RunObservation(run: "4", observation: Observation(.state(.pending))),
            ])
    }

    @Test func `a run of another tag is not shown for a tag unless it is followed`() {
        let content = wrapped(KineticaRunsTests.many)
        let others = kind.read(response(200, content), scope: .tag("t")) { _ in false }
        #expect(others.observations?.map(\.run) == ["1", "2", "4"])
        let followed = kind.read(response(200, content), scope: .tag("t")) { $0 == "3" }
        #expect(followed.observations?.map(\.run) == ["1", "2", "3", "4"])
    }

    @Test func `an all-answer says of each run what a single one does`() throws {
        let answer = kind.read(response(200, wrapped(KineticaRunsTests.many)), .all)
        for run in try #require(answer.observations) {
            #expect(one(KineticaRunsTests.many, run.run) == run)
        }
    }

    @Test func `a run that stands twice is one run, and the last word counts`() {
        let content =
            #"{"overall_statuses":{"1":"running","2":"none","1":"complete"},"#
            + #""overall_statuses":{"2":"running"}}"#
        let answer = kind.read(response(200, wrapped(content)), .all)
        #expect(
            answer
                == .observations([
                    RunObservation(run: "1", observation: Observation(.state(.complete))),
                    RunObservation(run: "2", observation: Observation(.state(.running))),
                ]))
    }

    @Test func `IDs that no one could write down are not shown`() {
        let long = String(repeating: "9", count: 1025)
        let content =
            #"{"overall_statuses":{"":"running","a\nb":"running","\#(long)":"running","#
            + #""c\u0085d":"running","é 1/2":"running"}}"#
        let answer = kind.read(response(200, wrapped(content)), scope: .all) { _ in false }
        #expect(answer.observations?.map(\.run) == ["é 1/2"])
    }

    @Test func `a hundred thousand runs are read, each once`() throws {
        var content = JSONWriter()
        content.beginObject()
        for name in ["proc_names", "overall_statuses"] {
            content.key(name)
            content.beginObject()
            for index in 1...100_000 { content.member("\(index)", "running") }
            content.endObject()
        }
        content.endObject()
        let answer = kind.read(response(200, wrapped(content.text)), scope: .all) { $0 == "77" }
        let list = try #require(answer.observations)
        #expect(list.count == 100_000)
        #expect(Set(list.map(\.run)).count == 100_000)
        #expect(list.filter { !$0.observation.detail.isEmpty }.map(\.run) == ["77"])
    }
}
