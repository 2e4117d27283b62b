import Glibc
import RunwatchCore
import RunwatchHTTP
import RunwatchLinux
import RunwatchSim
import TestSupport
import Testing

/// A client that makes one request a connection, and blocks on a queue of its own.
private actor Client {
    private let executor = QueueExecutor(label: "client")
    nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }
    let port: UInt16

    init(_ port: UInt16) {
        self.port = port
    }

    /// The whole answer as text; empty when there was none.
    func send(
        _ method: String, _ path: String, _ body: String = "",
        headers: String = "content-type: application/json\r\n"
    ) -> String {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { return "" }
        let request =
            "\(method) \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\(headers)"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        let bytes = Array(request.utf8)
        _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
            answer.append(contentsOf: buffer[..<count])
        }
    }

    func kinetica(_ run: String, path: String = "/kinetica") -> String {
        send("POST", "\(path)/show/proc/status", #"{"run_id":"\#(run)","options":{}}"#)
    }

    func json(_ method: String, _ path: String, _ body: String = "") throws -> JSONValue {
        let answer = send(method, path, body)
        let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1)
        return try JSONValue(parsing: parts.count > 1 ? String(parts[1]) : "")
    }
}

private let runs = """
    {"runs":[{"service":"kinetica","id":"12","life":[[0,"running"],[5,"complete"]]},
             {"service":"krixik","id":"f948a6ad-0343-e743-2b3f-0df6bc732a3a","pipeline":"p"}]}
    """

/// A simulator that is stopped when the test is over.
private func withSimulator(
    _ script: String = runs,
    _ test: (Simulator, Client, ManualTime) async throws -> Void
) async throws {
    let time = ManualTime()
    let simulator = Simulator(
        script: try SimulationScript(json: Array(script.utf8)), time: time)
    let client = Client(try await simulator.start())
    do {
        try await test(simulator, client, time)
    } catch {
        await simulator.stop()
        throw error
    }
    await simulator.stop()
}

@Suite struct SimulatorTests {
    @Test func `both services are served on one port, and counted`() async throws {
        try await withSimulator { simulator, client, time in
            #expect(await client.kinetica("12").contains("running"))
            #expect(await client.kinetica("12", path: "").contains("running"))
            #expect(await client.kinetica("12", path: "/kinetica/gpudb-0").contains("running"))
            #expect(await client.kinetica("").contains("running"))
            let krixik = await client.send(
                "POST", "/krixik/stage/krixik-core-process-status",
                #"{"pipeline":"p","version":"1.1.19","process_id":"f948a6ad-0343-e743-2b3f-0df6bc732a3a"}"#,
                headers: "content-type: text/plain\r\n"
                    + "krixikApiKey: 0a1b2c3d-1111-e222-2333-444455556666\r\n")
            #expect(krixik.contains("process_status found"))
            #expect(await client.send("GET", "/kinetica").hasSuffix("Kinetica is running!"))
            #expect(await client.send("GET", "/nothing").hasPrefix("HTTP/1.1 404"))
            _ = await client.send("POST", "/show/proc/status", "{}")
            let statistics = await simulator.statistics
            #expect(statistics.count(.kinetica, .single) == 4)
            #expect(statistics.count(.kinetica, .all) == 1)
            #expect(statistics.count(.krixik, .single) == 1)
            #expect(statistics.clearsComplete == 0)
            #expect(statistics.violationCount == 1)
            let told = try await client.json("GET", "/sim/statistics")
            #expect(told["requests"]?["kinetica"]?["single"]?.integerValue == 4)
            #expect(told["violations"]?.arrayValue?.count == 1)
        }
    }

    @Test func `runs are added, and told with their true states`() async throws {
        try await withSimulator { simulator, client, time in
            let added = try await client.json(
                "POST", "/sim/runs", #"[{"service":"kinetica","id":"77","count":2,"start":"3s"}]"#)
            #expect(added["added"]?.arrayValue?.count == 2)
            let before = try await client.json("GET", "/sim/runs?id=78")
            #expect(before["runs"]?.arrayValue?.first?["state"] == .string("gone"))
            time.advance(by: .seconds(4))
            let after = try await client.json("GET", "/sim/runs?service=kinetica&id=78")
            let run = try #require(after["runs"]?.arrayValue?.first)
            #expect(run["state"] == .string("running"))
            #expect(run["since"] == .string("2027-01-15T08:00:03.000Z"))
            let truth = await simulator.truth(of: "12", at: .kinetica)
            #expect(truth?.state == .running)
            let refused = try await client.json("POST", "/sim/runs", #"[{"service":"x"}]"#)
            #expect(refused["error"]?.stringValue?.contains("[0].service") == true)
        }
    }

    @Test func `faults are given by rule, and the truth stays`() async throws {
        try await withSimulator { simulator, client, time in
            let faults: [(rule: String, start: String)] = [
                (
                    #""fault":"status","status":429,"retry_after":7,"body":"gateway""#,
                    "HTTP/1.1 429"
                ),
                (#""fault":"status","body":"html""#, "HTTP/1.1 503"),
                (#""fault":"status","status":500,"body":"empty""#, "HTTP/1.1 500"),
                (#""fault":"going_away","text":"System is offline""#, "HTTP/1.1 400"),
                (#""fault":"garbage""#, "220 mail"), (#""fault":"close""#, ""),
                (#""fault":"reset""#, ""), (#""fault":"cut","bytes":20"#, "HTTP/1.1 200"),
                (#""fault":"huge","bytes":300000"#, "HTTP/1.1 200"),
                (#""fault":"wrong_types""#, "HTTP/1.1 200"),
                (#""fault":"bad_json""#, "HTTP/1.1 200"),
                (#""fault":"bad_inner_json""#, "HTTP/1.1 200"),
                (#""fault":"slow","wait":"20ms""#, "HTTP/1.1 200"),
                (#""fault":"drip","wait":0"#, "HTTP/1.1 200"),
            ]
            for (rule, start) in faults {
                let set = try await client.json(
                    "POST", "/sim/faults", #"[{"service":"kinetica","times":1,\#(rule)}]"#)
                #expect(set["rules"]?.integerValue == 1, "\(rule)")
                let answer = await client.kinetica("12")
                #expect(answer.hasPrefix(start) && answer.isEmpty == start.isEmpty, "\(rule)")
                #expect(await client.kinetica("12").contains(#"\"12\":\"running\""#), "\(rule)")
            }
            #expect(await simulator.statistics.faults[.status] == 3)
            #expect(await simulator.truth(of: "12", at: .kinetica)?.state == .running)
        }
    }

    @Test func `a retry hint is given as seconds or as a date`() async throws {
        try await withSimulator { simulator, client, _ in
            try await simulator.setFaults(json: #"[{"fault":"status","retry_after":7}]"#)
            #expect(await client.kinetica("12").contains("retry-after: 7\r\n"))
            try await simulator.setFaults(json: #"[{"fault":"status","retry_after_date":5}]"#)
            #expect(
                await client.kinetica("12")
                    .contains("retry-after: Fri, 15 Jan 2027 08:00:05 GMT\r\n"))
        }
    }

    @Test func `webhooks are kept, and answered as told`() async throws {
        try await withSimulator { simulator, client, _ in
            _ = await client.send(
                "POST", "/sim/hooks/ops/answers",
                #"{"answers":[500,{"status":429,"retry_after":2},"close"],"then":204}"#)
            for (index, start) in ["HTTP/1.1 500", "HTTP/1.1 429", "", "HTTP/1.1 204"].enumerated()
            {
                let answer = await client.send(
                    "POST", "/sim/hooks/ops", #"{"n":\#(index)}"#,
                    headers: "webhook-id: msg_\(index)\r\n")
                #expect(answer.hasPrefix(start) && answer.isEmpty == start.isEmpty)
                #expect(answer.contains("retry-after: 2\r\n") == (index == 1))
            }
            let kept = await simulator.hooks(at: "ops")
            #expect(kept.received.map(\.webhookID) == ["msg_0", "msg_1", "msg_2", "msg_3"])
            #expect(kept.received.map(\.status) == [500, 429, 0, 204])
            let told = try await client.json("GET", "/sim/hooks/ops?since=2")
            #expect(told["total"]?.integerValue == 4)
            let bodies = told["hooks"]?.arrayValue?.map { $0["body"]?.stringValue }
            #expect(bodies == [#"{"n":2}"#, #"{"n":3}"#])
            _ = await client.send("DELETE", "/sim/hooks/ops")
            #expect(await simulator.hooks(at: "ops").total == 0)
        }
    }

    @Test func `a restart of Kinetica forgets its runs and leaves Krixik's`() async throws {
        try await withSimulator { simulator, client, _ in
            _ = await client.send("POST", "/sim/forget")
            #expect(await !client.kinetica("12").contains("running"))
            #expect(await simulator.truths().map(\.state) == [.running, .gone])
        }
    }

    @Test func `stopping cuts off what hangs`() async throws {
        try await withSimulator { simulator, client, _ in
            try await simulator.setFaults(json: #"[{"fault":"hang"}]"#)
            async let answer = client.kinetica("12")
            while await simulator.statistics.faults[.hang] == nil { await Task.yield() }
            await simulator.stop()
            #expect(await answer == "")
        }
    }

    @Test func `a taken port is told`() async throws {
        try await withSimulator { _, client, _ in
            let port = client.port
            let error = await #expect(throws: SimulatorError.self) {
                try await Simulator(port: port).start()
            }
            #expect(error?.description.contains("127.0.0.1:\(port)") == true)
        }
    }
}

@Suite struct SimulatedFaultBoxTests {
    private func rule(_ change: (inout SimulatedFaultRule) -> Void) -> SimulatedFaultRule {
        var rule = SimulatedFaultRule(SimulatedFault(.reset))
        change(&rule)
        return rule
    }

    private func answer(_ run: String) throws -> SimulatedAnswer {
        let time = ManualTime()
        var kinetica = SimulatedKinetica()
        let body = #"{"run_id":"\#(run)","options":{}}"#
        let request = HTTPServerRequest(
            method: "POST", rawPath: "/show/proc/status",
            headers: [("content-type", "application/json")], body: Array(body.utf8))
        let answer = kinetica.answer(request, at: time.now())
        return try #require(answer)
    }

    @Test func `the same seed gives the same faults, in about the wanted share`() throws {
        let answer = try answer("1")
        func draw(_ seed: UInt64) -> [Bool] {
            let start = Instant(nanoseconds: 0)
            var box = SimulatedFaultBox(seed: seed, at: start)
            box.replace([rule { $0.fraction = 0.25 }], at: start)
            return (0..<1000).map { _ in
                box.fault(for: answer, of: .kinetica, path: "/", at: start) != nil
            }
        }
        #expect(draw(1) == draw(1))
        #expect(draw(1) != draw(2))
        #expect((150...350).contains(draw(1).count { $0 }))
    }

    @Test func `a rule has a window, a path, runs and kinds`() throws {
        let start = Instant(nanoseconds: 5_000_000_000)
        func isGiven(
            _ rule: SimulatedFaultRule, after: Duration = .zero, path: String = "/a/x",
            run: String = "1"
        ) throws -> Bool {
            var box = SimulatedFaultBox(seed: 1, at: start)
            box.replace([rule], at: start)
            return box.fault(
                for: try answer(run), of: .kinetica, path: path, at: start.advanced(by: after))
                != nil
        }
        let window = rule {
            $0.from = .seconds(1)
            $0.until = .seconds(2)
        }
        #expect(try !isGiven(window))
        #expect(try isGiven(window, after: .seconds(1)))
        #expect(try !isGiven(window, after: .seconds(2)))
        #expect(try isGiven(rule { $0.path = "/a" }))
        #expect(try !isGiven(rule { $0.path = "/b" }))
        #expect(try isGiven(rule { $0.runs = ["1"] }))
        #expect(try !isGiven(rule { $0.runs = ["1"] }, run: "2"))
        #expect(try isGiven(rule { $0.kinds = [.all] }, run: ""))
        #expect(try !isGiven(rule { $0.kinds = [.all] }))
        #expect(try !isGiven(rule { $0.service = .krixik }))
    }
}
