import RunwatchCore
import RunwatchHTTP
import RunwatchSim
import TestSupport
import Testing

private let id = "f948a6ad-0343-e743-2b3f-0df6bc732a3a"

/// A Krixik with one run, at a time that the test moves.
private struct Scene {
    var krixik = SimulatedKrixik()
    let time = ManualTime()
    let clock: SimulatedClock

    init(_ life: SimulatedLife, modules: [String] = ["parser", "text-embedder"]) {
        clock = SimulatedClock(time)
        krixik.add(
            .init(
                id: id, pipeline: "nightly", modules: modules, life: life, start: time.now()))
    }

    mutating func ask(
        _ body: String, path: String = "/any/krixik-core-process-status",
        headers: [(name: String, value: String)]? = nil
    ) throws -> SimulatedAnswer {
        let standard = [
            (name: "krixikapikey", value: krixik.settings.apiKey),
            (name: "Content-Type", value: "text/plain"), (name: "Host", value: "127.0.0.1:9"),
        ]
        let request = HTTPServerRequest(
            method: "POST", rawPath: path, headers: headers ?? standard, body: Array(body.utf8))
        let answer = krixik.answer(request, at: time.now(), clock: clock)
        return try #require(answer)
    }

    mutating func status(of run: String = id, pipeline: String = "nightly") throws -> JSONValue {
        try JSONValue(parsing: ask(Scene.body(run, pipeline)).body)
    }

    static func body(_ run: String = id, _ pipeline: String = "nightly") -> String {
        #"{"pipeline":"\#(pipeline)","version":"1.1.19","process_id":"\#(run)"}"#
    }
}

private let ordinary = SimulatedLife([
    .init(after: .zero, state: .running), .init(after: .seconds(1), state: .running, done: 1),
    .init(after: .seconds(2), state: .complete), .init(after: .seconds(60), state: .gone),
])

@Suite struct SimulatedKrixikTests {
    @Test func `modules finish one by one, and then the file expires`() throws {
        var scene = Scene(ordinary)
        let first = try scene.status()
        #expect(first["process_status"]?.text == #"{"module_1":false,"module_2":false}"#)
        #expect(first["failure_status"] == .null)
        scene.time.advance(by: .seconds(1))
        #expect(
            try scene.status()["process_status"]?.text == #"{"module_1":true,"module_2":false}"#)
        scene.time.advance(by: .seconds(1))
        let last = try scene.status()
        #expect(last["process_status"]?.text == #"{"module_1":true,"module_2":true}"#)
        #expect(last["file_id"] == first["file_id"])
        #expect(last["request_id"] != first["request_id"])
        #expect(last["request_id"]?.stringValue != id)
        scene.time.advance(by: .seconds(58))
        let gone = try scene.status()
        #expect(gone["process_status"] == .null)
        #expect(gone["failure_status"] == .null)
    }

    @Test func `a failure names its module, another one, or none`() throws {
        var scene = Scene(
            SimulatedLife([
                .init(after: .zero, state: .running, done: 1),
                .init(after: .seconds(1), state: .error, done: 1),
            ]))
        scene.time.advance(by: .seconds(1))
        let answer = try scene.status()
        #expect(answer["process_status"] == .null)
        #expect(
            answer["failure_status"]?.text
                == #"{"process_id":"\#(id)","failure_module":"text-embedder"}"#)
        var run = try #require(scene.krixik.runs[id])
        run.failureModule = .none
        scene.krixik.add(run)
        #expect(try scene.status()["failure_status"]?.text == #"{"process_id":"\#(id)"}"#)
    }

    @Test func `an empty map and a key's suffix can be had`() throws {
        var scene = Scene(
            SimulatedLife([
                .init(after: .zero, state: .empty), .init(after: .seconds(1), state: .running),
            ]), modules: ["parser"])
        #expect(try scene.status()["process_status"]?.text == "{}")
        scene.time.advance(by: .seconds(1))
        scene.krixik.settings.hasKeySuffix = true
        #expect(try scene.status()["process_status"]?.text == #"{"module_1.parser":false}"#)
    }

    @Test(arguments: [
        (SimulatedKrixik.NotFoundForm.nulls, 200), (.badRequest, 400), (.notFound, 404),
    ])
    func `not found has each of its forms`(form: SimulatedKrixik.NotFoundForm, status: Int) throws {
        var scene = Scene(ordinary)
        scene.krixik.settings.notFound = form
        let answer = try scene.ask(Scene.body("00000000-0000-e000-2000-000000000000"))
        #expect(answer.status == status)
        #expect(answer.violation == nil)
        let body = try JSONValue(parsing: answer.body)
        #expect(body["message"]?.stringValue?.contains("not found") == true)
        #expect(body["request_id"]?.stringValue != nil)
    }

    @Test func `another pipeline is refused, and that breaks no rule`() throws {
        var scene = Scene(ordinary)
        let answer = try scene.ask(Scene.body(id, "other"))
        #expect(answer.status == 400)
        #expect(answer.violation == nil)
        #expect(String(decoding: answer.body, as: UTF8.self).contains("does not match"))
    }

    @Test func `a wrong key gets the gateway's own answer`() throws {
        var scene = Scene(ordinary)
        let answer = try scene.ask(Scene.body(), headers: [("krixikApiKey", "wrong")])
        #expect(answer.status == 403)
        #expect(answer.body == Array(#"{"message":"Forbidden"}"#.utf8))
    }

    @Test(arguments: [
        "", "[]", #"{"pipeline":"nightly","version":"1.1.19"}"#,
        #"{"pipeline":"nightly","version":1,"process_id":"\#(id)"}"#,
        #"{"pipeline":"nightly","version":"1.1.19","process_id":"\#(id)","more":""}"#,
        #"{"pipeline":"a","pipeline":"nightly","version":"1.1.19","process_id":"\#(id)"}"#,
        #"{"pipeline":"nightly","version":"1.1","process_id":"\#(id)"}"#,
        #"{"pipeline":"nightly","version":"1.1.19","process_id":"12"}"#,
        #"{"pipeline":"nightly","version":"1.1.19","process_id":"F948A6AD-0343-e743-2b3f-0df6bc732a3a"}"#,
    ])
    func `a request out of form is refused`(body: String) throws {
        var scene = Scene(ordinary)
        let answer = try scene.ask(body)
        #expect(answer.status == 400)
        #expect(answer.violation != nil)
        let refusal = try JSONValue(parsing: answer.body)
        #expect(refusal["request_id"] != nil)
        #expect(refusal["message"]?.stringValue?.hasPrefix("BAD REQUEST: ") == true)
    }

    @Test func `JSON as content type is refused`() throws {
        var scene = Scene(ordinary)
        let answer = try scene.ask(
            Scene.body(),
            headers: [
                ("krixikApiKey", scene.krixik.settings.apiKey),
                ("content-type", "application/json"),
            ])
        #expect(answer.status == 400)
        #expect(answer.violation?.contains("application/json") == true)
    }

    @Test func `a process is started, uploaded, watched and deleted`() throws {
        var scene = Scene(ordinary)
        let checkIn = try scene.ask(#""{}""#, path: "/krixik/cli-checkin")
        #expect(checkIn.status == 200)
        let started = try JSONValue(
            parsing: scene.ask(
                """
                {"pipeline":"p","pipeline_ordered_modules":["parser"],
                 "pipeline_output_process_keys":[],"modules":{},"version":"1.1.19",
                 "file_name":"f","symbolic_directory_path":"/","file_tags":[],
                 "file_description":"","expire_time":1800}
                """, path: "/krixik/krixik-core-process"
            ).body)
        let run = try #require(started["request_id"]?.stringValue)
        let file = try #require(started["file_id"]?.stringValue)
        let url = try #require(started["presigned_post_url_results"]?["url"]?.stringValue)
        #expect(SimulatedKrixik.isID(run))
        #expect(url == "http://127.0.0.1:9/krixik/krixik-upload/\(file)")
        let uploaded = try scene.ask(
            "--x--", path: "/krixik/krixik-upload/\(file)",
            headers: [("content-type", "multipart/form-data; boundary=x")])
        #expect(uploaded.status == 204)
        let deletion = #"{"pipeline":"p","version":"1.1.19","file_id":"\#(file)"}"#
        let early = try scene.ask(deletion, path: "/krixik-core-delete")
        #expect(String(decoding: early.body, as: UTF8.self).contains("still processing"))
        scene.time.advance(by: .seconds(5))
        #expect(
            try scene.status(of: run, pipeline: "p")["process_status"]?.text
                == #"{"module_1":true}"#)
        _ = try scene.ask(deletion, path: "/krixik-core-delete")
        #expect(try scene.status(of: run, pipeline: "p")["process_status"] == .null)
    }

    @Test func `a process that is never uploaded is removed`() throws {
        var scene = Scene(ordinary)
        let names = [
            "pipeline_ordered_modules", "pipeline_output_process_keys", "modules", "version",
            "file_name", "symbolic_directory_path", "file_tags", "file_description", "expire_time",
        ]
        let rest = names.map { #","\#($0)":[]"# }.joined()
        let started = try JSONValue(
            parsing: scene.ask(#"{"pipeline":"p"\#(rest)}"#, path: "/krixik-core-process").body)
        let run = try #require(started["request_id"]?.stringValue)
        #expect(try scene.status(of: run, pipeline: "p")["process_status"] != .null)
        scene.time.advance(by: .seconds(60))
        #expect(try scene.status(of: run, pipeline: "p")["process_status"] == .null)
    }

    @Test func `the truth tells when each state began`() throws {
        var scene = Scene(ordinary)
        _ = try scene.status()
        scene.time.advance(by: .milliseconds(2500))
        let truth = try #require(
            scene.krixik.truths(at: scene.time.now(), clock: scene.clock).first)
        #expect(truth.state == .complete)
        #expect(truth.done == 2 && truth.total == 2)
        #expect(truth.polls == 1)
        #expect(truth.changes.map(\.state) == [.running, .complete])
        #expect(truth.changes.map(\.at.milliseconds) == [1_800_000_000_000, 1_800_000_002_000])
    }

    @Test func `IDs have the shape of Krixik's and are no UUIDs`() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<100 {
            let made = Array(SimulatedKrixik.makeID(&generator))
            #expect(SimulatedKrixik.isID(String(made)))
            #expect(made[14] == "e" && made[19] == "2")
        }
        #expect(SimulatedKrixik.fileID(of: id) == SimulatedKrixik.fileID(of: id))
    }
}
