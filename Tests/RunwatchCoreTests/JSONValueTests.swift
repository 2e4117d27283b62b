import RunwatchCore
import Testing

@Suite struct JSONValueTests {
    @Test func `members keep their order, and the last of a name counts`() throws {
        let value = try JSONValue(parsing: #"{"b": 1, "a": [true, null, "x"], "b": 2.5}"#)
        #expect(value.members?.map(\.name) == ["b", "a", "b"])
        #expect(value["b"] == .number(2.5))
        #expect(value["a"]?.arrayValue == [.bool(true), .null, .string("x")])
        #expect(value["c"] == nil)
        #expect(JSONValue.null["a"] == nil)
        #expect(value.text == #"{"b":1,"a":[true,null,"x"],"b":2.5}"#)
    }

    @Test func `each kind answers to its own accessor alone`() {
        #expect(JSONValue.integer(5).integerValue == 5)
        #expect(JSONValue.integer(5).stringValue == nil)
        #expect(JSONValue.string("s").stringValue == "s")
        #expect(JSONValue.bool(false).boolValue == false)
        #expect(JSONValue.null.boolValue == nil)
        #expect(JSONValue.array([]).arrayValue == [])
        #expect(JSONValue.array([]).members == nil)
        #expect(JSONValue.number(1.5).integerValue == nil)
    }

    @Test(arguments: [
        ("9223372036854775807", JSONValue.integer(.max)), ("-0", .integer(0)),
        ("9223372036854775808", .number(9_223_372_036_854_775_808)), ("1.5", .number(1.5)),
        ("1e2", .number(100)), ("1e-400", .number(0)),
    ])
    func `whole numbers of 64 bits stay whole`(_ text: String, _ value: JSONValue) throws {
        #expect(try JSONValue(parsing: text) == value)
    }
}
