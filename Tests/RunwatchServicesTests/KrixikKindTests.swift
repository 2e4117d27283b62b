import RunwatchCore
import RunwatchHTTP
import RunwatchServices
import Testing

@Suite struct KrixikKindTests {
    static let run = "f948a6ad-0343-e743-2b3f-0df6bc732a3a"
    static let key = "0a1b2c3d-1111-e222-3333-444455556666"

    let kind = makeServiceKind(
        ServiceSettings(
            name: "krixik", kind: .krixik(KrixikSettings(apiKey: Secret(KrixikKindTests.key))),
            url: "https://api.example.com/dev", timeout: .seconds(7), maximumAnswer: 12_345))

    func read(_ status: Int = 200, _ body: String, retryAfter: RetryHint? = nil) -> PollAnswer {
        kind.read(response(status, body, retryAfter: retryAfter), .run(KrixikKindTests.run))
    }

    // MARK: The request

    @Test func `the request is the client's own, byte for byte`() {
        let request = kind.request(
            for: .run(KrixikKindTests.run), parameters: ["pipeline": "nightly \"keys\"\n"])
        #expect(request.method == .post)
        #expect(request.url == "https://api.example.com/dev/krixik-core-process-status")
        #expect(request.headers.map(\.name) == ["krixikApiKey", "Content-Type"])
        #expect(request.headers.map(\.value) == [KrixikKindTests.key, "text/plain"])
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == #"{"pipeline":"nightly \"keys\"\n","version":"1.1.19","#
                + #""process_id":"f948a6ad-0343-e743-2b3f-0df6bc732a3a"}"#)
        #expect(request.timeout == .seconds(7))
        #expect(request.maximumAnswer == 12_345)
        #expect(!kind.coalesces)
    }

    @Test func `a slash at the end of the URL is not doubled`() {
        let kind = makeServiceKind(
            ServiceSettings(
                name: "k",
                kind: .krixik(KrixikSettings(apiKey: Secret("k"), clientVersion: "2.0.1")),
                url: "http://127.0.0.1:80//"))
        let request = kind.request(for: .run("x"), parameters: [:])
        #expect(request.url == "http://127.0.0.1:80/krixik-core-process-status")
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == #"{"pipeline":"","version":"2.0.1","process_id":"x"}"#)
    }

    // MARK: Status 200

    /// A body, and what it means.
    struct Good: Sendable, CustomTestStringConvertible {
        var name: String
        var body: String
        var finding: Observation.Finding
        var done: Int32?
        var total: Int32 = 0
        var message = "SUCCESS: process_status found"
        var detail = ""

        var testDescription: String { name }
    }

    static func body(_ modules: String, _ failure: String) -> String {
        #"{"request_id": "7c0d", "file_id": "596b", "message": "SUCCESS: process_status found", "#
            + #""process_status": \#(modules), "failure_status": \#(failure)}"#
    }

    static let good = [
        Good(
            name: "running",
            body: body(#"{"module_1": true, "module_2": true, "module_3": false}"#, "null"),
            finding: .state(.running), done: 2, total: 3,
            detail: #"{"modules":{"module_1":true,"module_2":true,"module_3":false},"#
                + #""file_id":"596b"}"#),
        Good(
            name: "nothing done yet", body: body(#"{"module_1": false}"#, "null"),
            finding: .state(.running), done: 0, total: 1,
            detail: #"{"modules":{"module_1":false},"file_id":"596b"}"#),
        Good(
            name: "complete", body: body(#"{"module_1": true, "module_2": true}"#, "null"),
            finding: .state(.complete), done: 2, total: 2,
            detail: #"{"modules":{"module_1":true,"module_2":true},"file_id":"596b"}"#),
        Good(
            name: "keys with a suffix, and not in order",
            body: body(#"{"module_2.x.y": true, "module_1.a": true}"#, "null"),
            finding: .state(.complete), done: 2, total: 2,
            detail: #"{"modules":{"module_2":true,"module_1":true},"file_id":"596b"}"#),
        Good(
            name: "keys that are alike after the cut",
            body: body(#"{"m.a": false, "m.b": true}"#, "null"),
            finding: .state(.running), done: 1, total: 2,
            detail: #"{"modules":{"m":false},"file_id":"596b"}"#),
        Good(
            name: "only the literal true counts",
            body: body(#"{"a": 1, "b": "true", "c": null, "d": [true], "e": {"f": true}}"#, "null"),
            finding: .state(.running), done: 0, total: 5,
            detail: #"{"modules":{"a":false,"b":false,"c":false,"d":false,"e":false},"#
                + #""file_id":"596b"}"#),
        Good(
            name: "a module said twice, not alike, is no end",
            body: body(#"{"a": false, "a": true}"#, "null"),
            finding: .state(.running), done: 1, total: 2,
            detail: #"{"modules":{"a":false},"file_id":"596b"}"#),
        Good(
            name: "failed",
            body: body("null", #"{"process_id": "x", "failure_module": "text-embedder"}"#),
            finding: .state(.error),
            message: "module 'text-embedder' failed: SUCCESS: process_status found",
            detail: #"{"file_id":"596b","failure_module":"text-embedder"}"#),
        Good(
            name: "failed without a module", body: body("null", #"{"process_id": "x"}"#),
            finding: .state(.error), detail: #"{"file_id":"596b"}"#),
        Good(
            name: "failed with a module that is null",
            body: body("null", #"{"failure_module": null}"#),
            finding: .state(.error), detail: #"{"file_id":"596b"}"#),
        Good(
            name: "failed, says an empty object", body: body("null", "{}"),
            finding: .state(.error), detail: #"{"file_id":"596b"}"#),
        Good(
            name: "a failure is read before a complete map",
            body: body(#"{"module_1": true}"#, #"{"failure_module": "ocr"}"#),
            finding: .state(.error), done: 1, total: 1,
            message: "module 'ocr' failed: SUCCESS: process_status found",
            detail: #"{"modules":{"module_1":true},"file_id":"596b","failure_module":"ocr"}"#),
        Good(
            name: "an empty map says nothing", body: body("{}", "null"), finding: .nothing,
            detail: #"{"file_id":"596b"}"#),
        Good(
            name: "both null is not found", body: body("null", "null"), finding: .notFound,
            detail: #"{"file_id":"596b"}"#),
        Good(
            name: "IDs and message may be missing",
            body: #"{"process_status": {"a": true}, "failure_status": null}"#,
            finding: .state(.complete), done: 1, total: 1, message: "",
            detail: #"{"modules":{"a":true}}"#),
        Good(
            name: "IDs and message may be of another type",
            body: #"{"request_id": 1, "file_id": [], "message": {"a": [1, {}]}, "#
                + #""process_status": {"a": true}, "failure_status": null}"#,
            finding: .state(.complete), done: 1, total: 1, message: "",
            detail: #"{"modules":{"a":true}}"#),
        Good(
            name: "a map without failure_status", body: #"{"process_status": {"a": false}}"#,
            finding: .state(.running), done: 0, total: 1, message: "",
            detail: #"{"modules":{"a":false}}"#),
        Good(
            name: "a failure without process_status", body: #"{"failure_status": {}}"#,
            finding: .state(.error), message: ""),
        Good(
            name: "a failure alone, with its module",
            body: #"{"failure_status": {"failure_module": "parser"}}"#,
            finding: .state(.error), message: "module 'parser' failed",
            detail: #"{"failure_module":"parser"}"#),
        Good(
            name: "unknown members are ignored",
            body: #"{"pipeline": "p", "x": [[{"process_status": 1}]], "process_status": null, "#
                + #""failure_status": null, "message": "gone"}"#,
            finding: .notFound, message: "gone"),
    ]

    @Test(arguments: good)
    func `a good answer is read`(_ good: Good) throws {
        let answer = read(200, good.body)
        let observations = try #require(answer.observations, "\(answer)")
        #expect(observations.count == 1)
        let first = try #require(observations.first)
        #expect(first.run == KrixikKindTests.run)
        #expect(first.tag == nil && first.unknownWord == nil)
        #expect(first.observation.finding == good.finding)
        #expect(
            first.observation.progress
                == good.done.map { Progress(done: $0, total: good.total) })
        #expect(first.observation.message == good.message)
        #expect(String(decoding: first.observation.detail, as: UTF8.self) == good.detail)
    }

    @Test func `the type of the content does not matter`() {
        let body = KrixikKindTests.body(#"{"a": true}"#, "null")
        for type in ["text/plain", "text/html", "", "application/octet-stream"] {
            let answer = kind.read(response(200, body, contentType: type), .run("x"))
            #expect(answer.observation?.finding == .state(.complete))
        }
    }

    @Test(arguments: [
        "", "   \n", "null", "[]", "\"text\"", "12", "{}", #"{"message": "Internal error"}"#,
        #"{"process_status": "complete", "failure_status": null}"#,
        #"{"process_status": [true], "failure_status": null}"#,
        #"{"process_status": true, "failure_status": null}"#,
        #"{"process_status": {"a": true}, "failure_status": "no"}"#,
        #"{"process_status": {"a": true}, "failure_status": false}"#,
        #"{"process_status": null, "failure_status": []}"#,
        #"{"process_status": null}"#, #"{"failure_status": null}"#,
        #"{"process_status": {"a": true}, "failure_status": null} x"#,
        #"{"process_status": {"a": true}, "failure_status": null,}"#,
        "<html><body>Welcome</body></html>", "\u{FEFF}{}",
    ])
    func `an answer that does not follow the protocol is unreadable`(_ body: String) {
        #expect(read(200, body).reason == .unreadable, "\(read(200, body))")
    }

    @Test func `an unreadable answer says what is wrong with it`() {
        #expect(read(200, "").failureMessage == "unreadable answer: it is empty")
        #expect(
            read(200, " <html>").failureMessage
                == "unreadable answer: it is a web page instead of JSON: check the service's url")
        #expect(
            read(200, #"{"message": "try later"}"#).failureMessage
                == "unreadable answer: it has no 'process_status'; it says: try later")
        #expect(
            read(200, "[]").failureMessage == "unreadable answer: an object was expected at byte 0")
    }

    // MARK: Other statuses

    static func refusal(_ message: String) -> String {
        #"{"request_id": "7c0d", "message": "\#(message)"}"#
    }

    @Test func `a pipeline that does not match is this watch's own fault, whatever the status`() {
        let message = "BAD REQUEST: pipeline of process_id does not match associated file pipeline"
        for status in [400, 404, 409, 422, 500] {
            let answer = read(status, KrixikKindTests.refusal(message))
            #expect(answer == .refused(message), "HTTP \(status)")
        }
    }

    @Test(arguments: [
        "process_id not found", "The record is NO LONGER available", "file does not exist",
        "Unknown process_id", "it has expired", "the file was deleted",
    ])
    func `400 that says not found is not found`(_ message: String) {
        let answer = read(400, KrixikKindTests.refusal(message))
        #expect(answer.observation == Observation(.notFound, message: message))
    }

    @Test func `400 with another reason concerns this watch alone`() {
        #expect(
            read(400, KrixikKindTests.refusal("BAD REQUEST: malformed"))
                == .refused("BAD REQUEST: malformed"))
        #expect(read(400, KrixikKindTests.refusal("")) == .refused("HTTP 400"))
        #expect(read(400, #"{"message": "Bad Request"}"#) == .refused("HTTP 400: Bad Request"))
        // A gateway knows nothing of runs, whatever it says.
        #expect(read(400, #"{"message": "not found"}"#) == .refused("HTTP 400: not found"))
        #expect(read(400, "<html>") == .refused("HTTP 400"))
        #expect(read(400, "") == .refused("HTTP 400"))
    }

    @Test func `404 of the service is not found, 404 of a gateway is a wrong URL`() {
        #expect(
            read(404, KrixikKindTests.refusal("whatever")).observation
                == Observation(.notFound, message: "whatever"))
        for body in [#"{"message": "Not Found"}"#, #"{"request_id": "x"}"#, "<html>", "", "{}"] {
            let answer = read(404, body)
            #expect(answer.reason == .refused)
            #expect(answer.failureMessage?.contains("check the service's url") == true)
        }
    }

    @Test(arguments: [
        (401, PollFailureReason.unauthorized), (403, .unauthorized), (408, .timeout),
        (429, .throttled), (500, .unavailable), (502, .unavailable), (503, .unavailable),
        (504, .unavailable), (599, .unavailable), (301, .refused), (302, .refused),
        (308, .refused), (201, .refused), (204, .refused), (402, .refused), (405, .refused),
        (413, .refused), (418, .refused), (0, .refused), (-1, .refused), (999, .refused),
    ])
    func `other statuses are the service's failures`(_ status: Int, _ reason: PollFailureReason) {
        let hint = RetryHint.after(.seconds(9))
        let bodies = [
            "", "<html>x</html>", #"{"message": "Sorry"}"#, KrixikKindTests.refusal("Sorry"),
            KrixikKindTests.body(#"{"a": true}"#, "null"), "{\"message\": 5}", "{",
        ]
        for body in bodies {
            guard
                case .failed(let found, let message, let retry) = read(
                    status, body, retryAfter: hint)
            else {
                Issue.record("HTTP \(status) with \(body)")
                continue
            }
            #expect(found == reason)
            #expect(retry == hint)
            #expect(message.hasPrefix("HTTP \(status)"))
            #expect(message.contains("Sorry") == body.contains("Sorry"))
        }
    }

    @Test func `a redirect is named as such`() {
        #expect(
            read(307, "").failureMessage
                == "HTTP 307; redirects are not followed: check the service's url")
    }

    @Test func `only single runs can be asked about`() {
        #expect(kind.read(response(200, "{}"), .all).refusal != nil)
        #expect(kind.read(response(200, "{}"), .tag("x")).refusal != nil)
    }

    // MARK: Bounds

    @Test func `texts are cut, and modules beyond 64 are counted only`() throws {
        var body = JSONWriter()
        body.beginObject()
        body.member("message", String(repeating: "é", count: 4000))
        body.member("file_id", String(repeating: "f", count: 9000))
        body.key("process_status")
        body.beginObject()
        for index in 1...1000 { body.member("m\(index)", true) }
        body.member(String(repeating: "n", count: 5000), true)
        body.endObject()
        body.key("failure_status")
        body.null()
        body.endObject()
        let observation = try #require(read(200, body.text).observation)
        #expect(observation.finding == .state(.complete))
        #expect(observation.progress == Progress(done: 1001, total: 1001))
        #expect(observation.message == String(repeating: "é", count: 250))
        let detail = try JSONValue(parsing: observation.detail)
        #expect(detail["modules"]?.members?.count == 64)
        #expect(detail["file_id"]?.stringValue?.utf8.count == 2048)
    }

    @Test func `the key of the service never comes back out`() {
        let key = KrixikKindTests.key
        let bodies = [
            KrixikKindTests.refusal("key \(key) is unknown to us"),
            #"{"message": "\#(key)"}"#,
            KrixikKindTests.body(#"{"\#(key)": true}"#, "null")
                .replacing("596b", with: key).replacing("SUCCESS", with: key),
            KrixikKindTests.body("null", #"{"failure_module": "\#(key)"}"#),
            #"{"message": "\#(String(repeating: "x", count: 490))\#(key)", "request_id": ""}"#,
            #"{"message": "\#(key.prefix(20))\u0001\#(key.dropFirst(20))"}"#,
        ]
        for status in [200, 400, 401, 403, 404, 429, 500, 302] {
            for body in bodies {
                for text in read(status, body).texts {
                    #expect(!text.contains(key.prefix(18)), "\(status) \(body)")
                }
            }
        }
    }
}
