import RunwatchCore
import RunwatchHTTP
import RunwatchServices
import Testing

/// Answers that are cut, damaged or made to hurt: every one is read without harm.
@Suite struct HostileAnswerTests {
    static let krixik = makeServiceKind(
        ServiceSettings(
            name: "k", kind: .krixik(KrixikSettings(apiKey: Secret("a-secret-key"))),
            url: "http://127.0.0.1"))
    static let kinetica = KineticaKindTests.kind(
        .basic(username: "u", password: Secret("a-secret-key")))

    static let krixikBodies = [
        KrixikKindTests.body(#"{"module_1": true, "module_2.x": true}"#, "null"),
        KrixikKindTests.body("null", #"{"process_id": "x", "failure_module": "p\u00e9"}"#),
        KrixikKindTests.body(#"{"a": [{"b": -1.5e+3}], "c": "\ud83d\ude00"}"#, "null"),
    ]

    static func isHarmless(_ answer: PollAnswer, run: String?) -> Bool {
        for text in answer.texts {
            if text.contains("a-secret-key") { return false }
            if text.utf8.count > 64 * 1024 { return false }
        }
        guard let list = answer.observations else { return true }
        if let run, list.count != 1 || list[0].run != run { return false }
        for entry in list where !entry.observation.detail.isEmpty {
            guard (try? JSONValue(parsing: entry.observation.detail)) != nil else { return false }
        }
        return Set(list.map(\.run)).count == list.count
    }

    @Test func `a Krixik answer cut at any byte is unreadable, and nothing else`() {
        for body in HostileAnswerTests.krixikBodies.map({ Array($0.utf8) }) {
            for end in 0..<body.count {
                let answer = HostileAnswerTests.krixik.read(
                    HTTPResponse(status: 200, body: Array(body[..<end])), .run("x"))
                #expect(answer.reason == .unreadable, "cut at \(end)")
            }
        }
    }

    @Test func `a Kinetica answer cut at any byte, outside or inside, is unreadable`() {
        let outer = Array(wrapped(KineticaRunsTests.example).utf8)
        for end in 0..<outer.count {
            let answer = HostileAnswerTests.kinetica.read(
                HTTPResponse(status: 200, body: Array(outer[..<end])), .run("18"))
            #expect(answer.reason == .unreadable, "cut at \(end)")
        }
        let inner = Array(KineticaRunsTests.example.utf8)
        for end in 0..<inner.count {
            let body = wrapped(String(decoding: inner[..<end], as: UTF8.self))
            let answer = HostileAnswerTests.kinetica.read(response(200, body), .run("18"))
            #expect(answer.reason == .unreadable, "cut at \(end)")
        }
    }

    @Test func `errors cut at any byte are still judged by their status`() {
        let body = Array(KrixikKindTests.refusal("process_id not found").utf8)
        for end in 0..<body.count {
            let cut = Array(body[..<end])
            #expect(
                HostileAnswerTests.krixik.read(HTTPResponse(status: 404, body: cut), .run("x"))
                    .reason == .refused)
            #expect(
                HostileAnswerTests.kinetica.read(HTTPResponse(status: 503, body: cut), .all)
                    .reason == .unavailable)
        }
    }

    @Test(arguments: 0..<8)
    func `random damage to a Krixik answer does no harm`(_ seed: Int) {
        var mutator = Mutator(seed: UInt64(seed))
        for round in 0..<500 {
            let original = HostileAnswerTests.krixikBodies[round % 3]
            let body = mutator.mutate(Array(original.utf8))
            for status in [200, 400, 404, 500] {
                let answer = HostileAnswerTests.krixik.read(
                    HTTPResponse(status: status, body: body), .run("x"))
                #expect(HostileAnswerTests.isHarmless(answer, run: "x"))
                if status == 500 { #expect(answer.reason == .unavailable) }
            }
        }
    }

    @Test(arguments: 0..<8)
    func `random damage to a Kinetica answer does no harm`(_ seed: Int) {
        var mutator = Mutator(seed: UInt64(seed) &+ 100)
        for _ in 0..<500 {
            let outer = mutator.mutate(Array(wrapped(KineticaRunsTests.many).utf8))
            let inner = mutator.mutate(Array(KineticaRunsTests.many.utf8))
            let bodies = [outer, Array(wrapped(String(decoding: inner, as: UTF8.self)).utf8)]
            for body in bodies {
                for status in [200, 400] {
                    let response = HTTPResponse(status: status, body: body)
                    let single = HostileAnswerTests.kinetica.read(response, .run("1"))
                    #expect(HostileAnswerTests.isHarmless(single, run: "1"))
                    let all = HostileAnswerTests.kinetica.read(response, scope: .all) { $0 < "3" }
                    #expect(HostileAnswerTests.isHarmless(all, run: nil))
                }
            }
        }
    }

    @Test(arguments: [
        String(repeating: "[", count: 10_000), String(repeating: "{\"a\":", count: 10_000),
        #"{"x":"# + String(repeating: "[", count: 10_000)
            + String(repeating: "]", count: 10_000)
            + #","process_status":{"a":true},"failure_status":null,"status":"OK"}"#,
        #"{"status":"OK","data_str":""# + String(repeating: "[", count: 10_000) + #""}"#,
        #"{"process_status":"# + String(repeating: #"{"a":"#, count: 10_000) + "true"
            + String(repeating: "}", count: 10_000) + #","failure_status":null}"#,
        String(repeating: "\\", count: 10_000), #"{"status":"\ud800","data_str":"\u"}"#,
        "{\"a\":1" + String(repeating: "0", count: 100_000) + "}",
    ])
    func `deep and odd texts are unreadable`(_ body: String) {
        for kind in [HostileAnswerTests.krixik, HostileAnswerTests.kinetica] {
            #expect(kind.read(response(200, body), .run("1")).reason == .unreadable)
        }
    }

    @Test func `bytes that are not UTF-8 are unreadable`() {
        for bad: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80]] {
            let body =
                Array(#"{"process_status":{"a":true},"failure_status":null,"message":""#.utf8)
                + bad + Array(#""}"#.utf8)
            #expect(
                HostileAnswerTests.krixik.read(HTTPResponse(status: 200, body: body), .run("1"))
                    .reason == .unreadable)
        }
    }
}
