import RunwatchCore
import RunwatchHTTP
import RunwatchSim
import TestSupport
import Testing

/// A Kinetica with the runs of a script, at a time that the test moves.
private struct Scene {
    var kinetica: SimulatedKinetica
    let time = ManualTime()
    let clock: SimulatedClock

    init(_ script: String) throws {
        let script = try SimulationScript(json: Array(script.utf8))
        clock = SimulatedClock(time)
        kinetica = SimulatedKinetica(settings: script.kinetica)
        for case .kinetica(let run) in script.runs { kinetica.add(run) }
    }

    mutating func ask(
        _ body: String, path: String = "/kinetica/gpudb-0/show/proc/status",
        authorization: String? = nil
    ) throws -> SimulatedAnswer {
        var headers = [(name: "Content-Type", value: "application/json")]
        if let authorization { headers.append(("Authorization", authorization)) }
        let request = HTTPServerRequest(
            method: "POST", rawPath: path, headers: headers, body: Array(body.utf8))
        let answer = kinetica.answer(request, at: time.now())
        return try #require(answer)
    }

    /// What `data_str` holds.
    mutating func content(
        _ body: String, path: String = "/show/proc/status", authorization: String? = nil
    ) throws -> JSONValue {
        let answer = try ask(body, path: path, authorization: authorization)
        #expect(answer.status == 200)
        let wrapper = try JSONValue(parsing: answer.body)
        #expect(
            wrapper.members?.map(\.name) == ["status", "message", "data_type", "data", "data_str"])
        #expect(wrapper["status"] == .string("OK"))
        return try JSONValue(parsing: try #require(wrapper["data_str"]?.stringValue))
    }

    mutating func statuses(_ options: String = "{}", run: String = "") throws -> String? {
        try content(#"{"run_id":"\#(run)","options":\#(options)}"#)["overall_statuses"]?.text
    }
}

private let two = """
    {"runs":[
     {"service":"kinetica","id":"1","run_tag":"a","segments":2,
      "life":[[0,"none"],[1,"running"],[2,1],[3,"complete"]]},
     {"service":"kinetica","id":"2","life":[[0,"running"],[2,"error","exit 3"]],"gone_after":9}]}
    """

@Suite struct SimulatedKineticaTests {
    @Test func `a run goes through its states, and its segments with it`() throws {
        var scene = try Scene(two)
        let request = #"{"run_id":"1","options":{}}"#
        #expect(try scene.content(request)["statuses"]?["1"]?.text == #"{"0":"none","1":"none"}"#)
        scene.time.advance(by: .seconds(2))
        let running = try scene.content(request)
        #expect(running["overall_statuses"]?.text == #"{"1":"running"}"#)
        #expect(running["statuses"]?["1"]?.text == #"{"0":"complete","1":"running"}"#)
        scene.time.advance(by: .seconds(1))
        #expect(try scene.statuses(run: "1") == #"{"1":"complete"}"#)
    }

    @Test func `all runs, the tagged ones, and an unknown one`() throws {
        var scene = try Scene(two)
        #expect(try scene.statuses() == #"{"1":"none","2":"running"}"#)
        #expect(try scene.statuses(#"{"run_tag":"a"}"#) == #"{"1":"none"}"#)
        #expect(try scene.statuses(#"{"run_tag":"a"}"#, run: "2") == "{}")
        let unknown = try scene.content(#"{"run_id":"99","options":{}}"#)
        #expect(unknown.members?.count == 15)
        for member in unknown.members ?? [] { #expect(member.value.members?.isEmpty == true) }
        #expect(try scene.ask(#"{"run_id":"","options":{}}"#).kind == .all)
        #expect(try scene.ask(#"{"run_id":"","options":{"run_tag":"a"}}"#).kind == .tagged)
        #expect(try scene.ask(#"{"run_id":"1","options":{}}"#).kind == .single)
        scene.time.advance(by: .seconds(9))
        #expect(try scene.statuses() == #"{"1":"complete"}"#)
    }

    @Test(arguments: [
        "", "{", "[]", "{}", #"{"run_id":"1"}"#, #"{"options":{},"run_id":"1"}"#,
        #"{"run_id":1,"options":{}}"#, #"{"run_id":"1","options":null}"#,
        #"{"run_id":"1","options":{"clear_complete":true}}"#,
        #"{"run_id":"1","options":{"other":"x"}}"#, #"{"run_id":"1","options":{},"more":""}"#,
    ])
    func `a request out of form or order is refused`(body: String) throws {
        var scene = try Scene(two)
        let answer = try scene.ask(body)
        #expect(answer.status == 400)
        #expect(answer.violation != nil)
        let wrapper = try JSONValue(parsing: answer.body)
        #expect(wrapper["status"] == .string("ERROR"))
        #expect(wrapper["data_type"] == .string("none"))
        #expect(wrapper["data_str"] == .string(""))
    }

    @Test func `order counts only when it is strict`() throws {
        var scene = try Scene(two)
        scene.kinetica.settings.isStrict = false
        #expect(try scene.ask(#"{"options":{},"run_id":"1"}"#).status == 200)
    }

    @Test func `clear_complete takes what has ended, for everyone, and is told of`() throws {
        var scene = try Scene(two)
        scene.time.advance(by: .seconds(2))
        let answer = try scene.ask(#"{"run_id":"","options":{"clear_complete":"true"}}"#)
        #expect(answer.clearsComplete)
        #expect(String(decoding: answer.body, as: UTF8.self).contains("error"))
        #expect(try scene.statuses() == #"{"1":"running"}"#)
        #expect(try !scene.ask(#"{"run_id":"","options":{}}"#).clearsComplete)
    }

    @Test(arguments: [("wait", "running", "error"), ("at_once", "error", "error")])
    func `segments are summed up by the rule`(rule: String, early: String, late: String) throws {
        var scene = try Scene(
            """
            {"kinetica":{"roll_up":"\(rule)"},"runs":[{"service":"kinetica","id":"7","segments":{
              "0":[[0,"running"],[1,"error"]],"1":[[0,"none"],[1,"running"],[3,"complete"]]}}]}
            """)
        scene.time.advance(by: .seconds(2))
        #expect(try scene.statuses() == #"{"7":"\#(early)"}"#)
        let segments = try scene.content(#"{"run_id":"7","options":{}}"#)["statuses"]
        #expect(segments?["7"]?.text == #"{"0":"error","1":"running"}"#)
        scene.time.advance(by: .seconds(1))
        #expect(try scene.statuses() == #"{"7":"\#(late)"}"#)
    }

    @Test func `killing ends what runs, and nothing else`() throws {
        var scene = try Scene(two)
        scene.time.advance(by: .seconds(2))
        let request = #"{"run_id":"","options":{}}"#
        let killed = try scene.content(request, path: "/kill/proc")
        #expect(killed["run_ids"]?.text == #"["1"]"#)
        #expect(try scene.statuses() == #"{"1":"killed","2":"error"}"#)
        scene.time.advance(by: .seconds(5))
        #expect(try scene.statuses(run: "1") == #"{"1":"killed"}"#)
        #expect(try scene.content(request, path: "/kill/proc")["run_ids"]?.text == "[]")
    }

    @Test func `an executed proc gets the next ID, and a life`() throws {
        var scene = try Scene(two)
        let body = """
            {"proc_name":"score","params":{"a":"b"},"bin_params":{},"input_table_names":["t"],
             "input_column_names":{"t":["c"]},"output_table_names":[],"options":{"run_tag":"x"}}
            """
        let run = try scene.content(body, path: "/execute/proc")["run_id"]?.stringValue
        #expect(run == "3")
        #expect(try scene.statuses(#"{"run_tag":"x"}"#) == #"{"3":"running"}"#)
        scene.time.advance(by: .seconds(5))
        #expect(try scene.statuses(run: "3") == #"{"3":"complete"}"#)
        scene.kinetica.settings.procs = ["other"]
        #expect(try scene.ask(body, path: "/execute/proc").status == 400)
    }

    @Test func `credentials are asked for when there are any, and each sees their own`() throws {
        var scene = try Scene(
            """
            {"kinetica":{"token":"tok","users":[{"name":"root","password":"a:b"},
                         {"name":"eve","password":"","sees":"own"}]},
             "runs":[{"service":"kinetica","id":"1","user":"eve"},
                     {"service":"kinetica","id":"2"}]}
            """)
        let request = #"{"run_id":"","options":{}}"#
        for wrong in [nil, "Basic", "Basic cm9vdDphOmM=", "Bearer no"] {
            let answer = try scene.ask(request, authorization: wrong)
            #expect(answer.status == 401)
            #expect(String(decoding: answer.body, as: UTF8.self).contains("Insufficient"))
        }
        for right in ["Basic cm9vdDphOmI=", "Bearer tok"] {
            let seen = try scene.content(request, authorization: right)["overall_statuses"]
            #expect(seen?.members?.map(\.name) == ["1", "2"])
        }
        let own = try scene.content(request, authorization: "Basic ZXZlOg==")["overall_statuses"]
        #expect(own?.members?.map(\.name) == ["1"])
    }

    @Test(arguments: [("5.4", 12), ("6.2", 13), ("7.0", 14), ("7.2", 15)])
    func `older servers have fewer members`(version: String, count: Int) throws {
        var scene = try Scene(
            """
            {"kinetica":{"version":"\(version)"},"runs":[{"service":"kinetica","id":"1"}]}
            """)
        let content = try scene.content(#"{"run_id":"1","options":{}}"#)
        #expect(content.members?.count == count)
        #expect((content["timings"] == nil) == (version == "5.4"))
        #expect((content["output"] == nil) == (version != "7.2"))
    }

    @Test func `answers carry large integers, secrets and every byte`() throws {
        var scene = try Scene(#"{"runs":[{"service":"kinetica","id":"1","output_lines":300}]}"#)
        let content = try scene.content(#"{"run_id":"1","options":{}}"#)
        let timings = content["timings"]?["1"]?["0"]
        #expect(timings?["device_ns"]?.integerValue == 9_007_199_254_740_993)
        #expect(content["params"]?["1"]?["api_token"]?.stringValue == "sk-sim-secret-1")
        #expect(content["output"]?["1"]?["0"]?["stdout"]?.arrayValue?.count == 100)
        let bytes = content["bin_params"]?["1"]?["blob"]?.stringValue
        #expect(bytes?.unicodeScalars.map(\.value) == [0, 0x1F, 0x7F, 0x80, 0xFF])
    }

    @Test func `a restart forgets every run`() throws {
        var scene = try Scene(two)
        scene.kinetica.forget(at: scene.time.now())
        #expect(try scene.statuses() == "{}")
        let truths = scene.kinetica.truths(at: scene.time.now(), clock: scene.clock)
        #expect(truths.map(\.state) == [.gone, .gone])
    }

    @Test func `the calls of a connecting client are answered`() throws {
        var scene = try Scene("{}")
        let status = try scene.content(#"{"options":{}}"#, path: "/show/system/status")
        let system = try #require(status["status_map"]?["system"]?.stringValue)
        #expect(try JSONValue(parsing: system)["status"] == .string("running"))
        let properties = try scene.content(#"{"options":{}}"#, path: "/show/system/properties")
        #expect(properties["property_map"]?["version.gpudb_core_version"] == .string("7.2.3.0"))
        let ping = HTTPServerRequest(method: "GET", rawPath: "/kinetica/gpudb-0")
        let pong = scene.kinetica.answer(ping, at: scene.time.now())
        #expect(pong.map { String(decoding: $0.body, as: UTF8.self) } == "Kinetica is running!")
        let other = HTTPServerRequest(method: "POST", rawPath: "/kinetica/show/nothing")
        let unknown = scene.kinetica.answer(other, at: scene.time.now())
        #expect(unknown?.status == 404)
    }
}
