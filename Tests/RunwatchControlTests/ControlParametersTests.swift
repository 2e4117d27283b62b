import RunwatchControl
import RunwatchCore
import RunwatchHTTP
import Testing

@Suite struct ControlParametersTests {
    private func parameters(_ query: [(String, String)]) throws -> ControlParameters {
        try ControlParameters(
            of: HTTPServerRequest(
                method: "GET", rawPath: "/", query: query.map { (name: $0.0, value: $0.1) }),
            known: ["limit", "cursor", "state", "active", "since", "after"])
    }

    @Test func `what is left out has its default`() throws {
        let none = try parameters([])
        #expect(try none.limit() == 100)
        #expect(try none.states() == [])
        #expect(try none.flag("active") == false)
        #expect(try none.since(now: Samples.noon) == nil)
        #expect(try none.watchCursor() == nil)
        #expect(try none.number("after") == nil)
    }

    @Test func `a query that cannot be unescaped is a problem that names it`() {
        var request = HTTPServerRequest(
            method: "GET", rawPath: "/", query: [(name: "state", value: "%00")])
        request.brokenParameter = "state=%00"
        #expect {
            try ControlParameters(of: request, known: ["state"])
        } throws: { error in
            let problem = error as? Problem
            return problem?.code == .badParameter && problem?.detail.contains("'state=%00'") == true
        }
    }

    @Test func `good values are read`() throws {
        let some = try parameters([
            ("limit", "1000"), ("state", "error,lost"), ("active", "true"), ("since", "1h"),
            ("after", "12"),
        ])
        #expect(try some.limit() == 1000)
        #expect(try some.states() == [.error, .lost])
        #expect(try some.flag("active"))
        #expect(try some.since(now: Samples.noon) == Samples.ago(.seconds(3600)))
        #expect(try some.number("after") == 12)
        let at = try parameters([("since", "2026-11-22T08:30:00.123Z")])
        #expect(try at.since(now: Timestamp(milliseconds: 0)) == Samples.noon)
    }

    @Test(arguments: [
        ("limit", "0"), ("limit", "1001"), ("limit", "x"), ("limit", ""), ("limit", "-1"),
        ("state", "napping"), ("state", "error,"), ("active", "yes"), ("since", "yesterday"),
        ("after", "-1"), ("after", "1.5"), ("after", "+1"), ("limit", "+1"), ("cursor", "zz"),
        ("cursor", "616"), ("cursor", "61"),
        ("colour", "blue"),
    ])
    func `a bad value is a problem that names its parameter`(name: String, value: String) {
        #expect {
            let parameters = try parameters([(name, value)])
            _ = try parameters.limit()
            _ = try parameters.states()
            _ = try parameters.flag("active")
            _ = try parameters.since(now: Samples.noon)
            _ = try parameters.number("after")
            _ = try parameters.watchCursor()
        } throws: {
            let problem = $0 as? Problem
            return problem?.code == .badParameter && problem?.detail.contains("'\(name)'") == true
        }
    }

    @Test func `a parameter that stands twice is a problem`() {
        #expect(throws: Problem.self) { try parameters([("limit", "1"), ("limit", "2")]) }
    }

    @Test(arguments: ["warehouse/12", "w/a/b", "w/ü 漢\n%2F", "w/\u{1}"])
    func `a cursor gives the name back, and a URL takes it as it is`(text: String) {
        let name = WatchName(literal: text)
        let cursor = WatchCursor.encode(name)
        #expect(WatchCursor.decode(cursor) == name)
        #expect(PercentEncoding.encode(cursor) == cursor)
    }

    @Test(arguments: [
        "", "w", "w61", "w61.", "w.61", "w61.6", "w61.zz", "w61.6F", "w61.61.61", "61.61",
        "d61.61", "W61.61", " w61.61",
    ])
    func `what is no cursor is refused`(text: String) {
        #expect(WatchCursor.decode(text) == nil)
    }

    @Test func `a cursor is the cursor of one list`() {
        let watches = WatchCursor.encode(WatchName(service: "12", run: "61"))
        let deliveries = DeliveryCursor(eventNumber: 12, receiver: "ops")
        let texts = [watches, deliveries.text, EventCursor.encode(12), TransitionCursor.encode(12)]
        #expect(texts.compactMap(WatchCursor.decode).count == 1)
        #expect(texts.compactMap { DeliveryCursor($0) } == [deliveries])
        #expect(texts.compactMap(EventCursor.decode) == [12])
        #expect(texts.compactMap(TransitionCursor.decode) == [12])
    }

    @Test(arguments: ["e", "e-1", "e+1", "e01", "e1.2", "e1000000000000000000", "e 1", "e١"])
    func `a number in a cursor has one form`(text: String) {
        #expect(EventCursor.decode(text) == nil)
        #expect(TransitionCursor.decode("t" + text.dropFirst()) == nil)
        #expect(DeliveryCursor("d" + text.dropFirst() + ".61") == nil)
    }
}
