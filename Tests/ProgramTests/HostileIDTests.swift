import Dispatch
import Glibc
import RunwatchControl
import RunwatchCore
import RunwatchSim
import TestSupport
import Testing

/// IDs of any shape, from the command line and the watch list to the receivers, unharmed.
@Suite struct HostileIDTests {
    private static let listed = [
        "a/b/c", "/", "//x", "a b  c", "it's \"quoted\"", "%2F", "100%", "a%zz", "?a=b&c", "#1",
        "a#b", "poll", "transitions",
    ]
    private static let added = [
        "a+b", "..", ".", "../..", "-x", "--json", "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}",
        "\u{E9}t\u{E9}", "\u{301}x", "\u{5E9}\u{5DC}\u{5D5}\u{5DD}", "\u{202E}evil",
        "\\u0041\\", "$(reboot) `x` ; & | <y>", "rewatch", "{\"a\":1}",
        String(repeating: "\u{1F600}", count: 200), "null", "012",
    ]
    private static var all: [String] { listed + added }

    private static func script(_ word: String) -> String {
        let runs = all.map { id in
            "{\"service\": \"kinetica\", \"id\": \(JSONValue.string(id).text), "
                + "\"life\": [[0, \"\(word)\"]]}"
        }
        return "[\(runs.joined(separator: ","))]"
    }

    private func name(_ id: String) -> String { "warehouse/\(id)" }

    private func exact(_ text: String?) -> [UInt8] { Array((text ?? "").utf8) }

    /// The runs of a list of watches or events, as bytes, sorted.
    private func runs(_ list: [JSONValue]) -> Set<[UInt8]> {
        Set(list.compactMap { $0["run"]?.stringValue }.map { Array($0.utf8) })
    }

    @Test func `IDs of any shape go everywhere unharmed`() async throws {
        let stage = try await Stage(script: "{\"runs\": \(HostileIDTests.script("running"))}")
        stage.configure()
        let list = HostileIDTests.listed.map { "    - \(JSONValue.string($0).text)\n" }.joined()
        stage.watch("- service: warehouse\n  ids:\n\(list)")
        try await stage.start()
        let added = await stage.control(["add", "warehouse", "--"] + HostileIDTests.added)
        #expect(added.code == 0, "\(added.errors)")
        let twins = await stage.control("add", "warehouse", "e\u{301}t\u{E9}", "et\u{301}")
        #expect(twins.code == 0)
        let all = HostileIDTests.all
        let names = all.map(name)
        let wanted = Set(all.map { Array($0.utf8) })
        let areRunning = await eventually {
            let list = try? await stage.document("/v1/watches?limit=1000&state=running")
            return runs(list?["watches"]?.arrayValue ?? []) == wanted
        }
        #expect(areRunning)
        // What only looks alike is another run, which the service does not know.
        let unknown = try await stage.document("/v1/watches?state=unknown")["watches"]?.arrayValue
        #expect(runs(unknown ?? []) == [exact("e\u{301}t\u{E9}"), exact("et\u{301}")])

        for id in all {
            let shown = await stage.control("show", "--json", "--", name(id))
            #expect(shown.code == 0, "\(id): \(shown.errors)")
            let watch = try JSONValue(parsing: shown.output)
            #expect(exact(watch["run"]?.stringValue) == exact(id))
            #expect(exact(watch["name"]?.stringValue) == exact(name(id)))
        }
        #expect(await stage.control(["poll", "--"] + names).code == 0)
        await stage.stop(SIGKILL)
        try await stage.start()
        await stage.simulator.forget()
        _ = try await stage.simulator.addRuns(json: HostileIDTests.script("complete"))
        let waited = await stage.control(["wait", "--timeout", "60s", "--"] + names)
        #expect(waited.code == 0, "\(waited.errors)")
        #expect(await stage.control(["rewatch", "--"] + names).code == 0)
        #expect(await stage.control(["wait", "--timeout", "60s", "--"] + names).code == 0)

        let listed = try JSONValue(parsing: await stage.control("list", "--json").output)
        let shown = runs(listed["watches"]?.arrayValue ?? [])
        #expect(shown.isSuperset(of: wanted))
        let events = try JSONValue(parsing: await stage.control("events", "--json").output)
        let data = (events["events"]?.arrayValue ?? []).compactMap { $0["data"] }
        #expect(runs(data) == wanted)
        let lines = (stage.daemon?.output ?? "").split(separator: "\n")
            .compactMap { try? JSONValue(parsing: String($0))["data"] }
        #expect(runs(lines).isSuperset(of: wanted))
        let isTold = await eventually {
            let bodies = await stage.simulator.hooks(at: "finals").received
                .compactMap { try? JSONValue(parsing: $0.body)["data"] }
            return runs(bodies) == wanted
        }
        #expect(isTold)
        #expect(await stage.control(["remove", "--"] + HostileIDTests.added.map(name)).code == 0)
        await stage.end()
    }

    @Test func `a raw path finds a run in whatever way it is escaped`() async throws {
        let stage = try await Stage()
        stage.configure()
        try await stage.start()
        #expect(await stage.control(["add", "warehouse", "--"] + HostileIDTests.all).code == 0)
        for id in HostileIDTests.all {
            let lower = id.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            for path in ["/v1/watches/warehouse/\(lower)", "/v1/watches/warehouse/\(lower)?"] {
                let answer = await RawRequest.send("GET", path, to: stage.socket)
                #expect(answer.status == 200, "\(id)")
                #expect(exact(answer.body?["run"]?.stringValue) == exact(id))
            }
            let verb = await RawRequest.send(
                "GET", "/v1/watches/warehouse/\(lower)/transitions", to: stage.socket)
            #expect(verb.body?["transitions"] == .array([]), "\(id)")
        }
        // As some clients send it, without escapes; and what is no path of one run.
        for (path, run) in [
            ("/v1/watches/warehouse/\u{E9}t\u{E9}", "\u{E9}t\u{E9}"),
            ("/v1/watches/warehouse/\u{301}x", "\u{301}x"), ("/v1/watches/warehouse/..", ".."),
            ("/v1/watches/warehouse/a+b", "a+b"), ("/v1/watches/warehouse/poll", "poll"),
        ] {
            let answer = await RawRequest.send("GET", path, to: stage.socket)
            #expect(exact(answer.body?["run"]?.stringValue) == exact(run), "\(path)")
        }
        for path in [
            "/v1/watches/warehouse//x", "/v1/watches/warehouse//poll", "/v1/watches//warehouse/..",
            "/v1/watches/warehouse/../", "/v1/watches/warehouse/a/b/c",
        ] {
            #expect(await RawRequest.send("GET", path, to: stage.socket).status == 404, "\(path)")
        }
        #expect(
            await RawRequest.send("GET", "/v1/watches/warehouse/%zz", to: stage.socket).status
                == 400
        )
        await stage.end()
    }

    @Test func `what no ID can be is refused with a word at each entrance`() async throws {
        let stage = try await Stage()
        stage.configure()
        try await stage.start()
        let long = String(repeating: "x", count: WatchName.longestRun + 1)
        for (id, words) in [
            ("a\u{7}b", "holds a control character"), ("a\nb", "holds a control character"),
            ("a\u{7F}b", "control character"), (" a", "begins or ends with white space"),
            ("", "is empty"), (long, "is longer than 1024 bytes"),
        ] {
            let refused = await stage.control("add", "warehouse", id)
            #expect(refused.code == 64)
            #expect(refused.errors.contains(words), "\(refused.errors)")
            let body = AskedWatches(service: "warehouse", ids: ["good", id]).json
            let answer = await RawRequest.send(
                "POST", "/v1/watches", body: body, to: stage.socket)
            #expect(answer.status == 400)
            let detail = answer.body?["detail"]?.stringValue ?? ""
            #expect(detail.hasPrefix("ids[1]: the ID ") && detail.contains(words), "\(detail)")
            stage.watch("- service: warehouse\n  ids: [\(JSONValue.string(id).text)]\n")
            let check = await stage.control("check", stage.configuration)
            #expect(check.code == 1)
            #expect((check.output + check.errors).contains(words), "\(check.output)")
        }
        #expect(try await stage.states().isEmpty)
        await stage.end()
    }
}

/// One request as bytes over the control socket, without a client that mends its path.
private enum RawRequest {
    static func send(
        _ method: String, _ target: String, body: [UInt8] = [], to socket: String
    ) async -> (status: Int, body: JSONValue?) {
        let type = body.isEmpty ? "" : "content-type: application/json\r\n"
        let head =
            "\(method) \(target) HTTP/1.1\r\nhost: r\r\nconnection: close\r\n\(type)"
            + "content-length: \(body.count)\r\n\r\n"
        let answer = await withCheckedContinuation { continuation in
            // It blocks, and the tests have few threads.
            DispatchQueue(label: "test.raw").async {
                continuation.resume(returning: exchange(Array(head.utf8) + body, socket))
            }
        }
        let text = String(decoding: answer, as: UTF8.self)
        let status = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        let bytes = Array(text.utf8)
        let mark = Array("\r\n\r\n".utf8)
        let end = bytes.indices.first { bytes[$0...].starts(with: mark) }
        return (status, end.flatMap { try? JSONValue(parsing: Array(bytes[($0 + 4)...])) })
    }

    private static func exchange(_ bytes: [UInt8], _ path: String) -> [UInt8] {
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0, Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) > 0
        else { return [] }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return answer }
            answer += buffer[..<count]
        }
    }
}
