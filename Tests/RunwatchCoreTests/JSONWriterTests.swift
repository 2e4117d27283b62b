import RunwatchCore
import Testing

@Suite struct JSONWriterTests {
    static func text(_ write: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        write(&writer)
        return writer.text
    }

    @Test func `commas stand between, and nowhere else`() {
        let text = JSONWriterTests.text {
            $0.beginObject()
            $0.key("empty")
            $0.beginArray()
            $0.endArray()
            $0.key("list")
            $0.beginArray()
            $0.integer(1)
            $0.beginObject()
            $0.endObject()
            $0.string("x")
            $0.null()
            $0.raw(Array("[2]".utf8))
            $0.raw("3".utf8)
            $0.endArray()
            $0.member("last", true)
            $0.endObject()
        }
        #expect(text == #"{"empty":[],"list":[1,{},"x",null,[2],3],"last":true}"#)
    }

    @Test func `members without a value are left out`() {
        let text = JSONWriterTests.text {
            $0.beginObject()
            $0.member("a", nil as String?)
            $0.member("b", nil as Int?)
            $0.member("c", nil as Timestamp?)
            $0.member("d", 5 as Int?)
            $0.member("e", "" as String?)
            $0.member("f", Timestamp(milliseconds: 0))
            $0.endObject()
        }
        #expect(text == #"{"d":5,"e":"","f":"1970-01-01T00:00:00.000Z"}"#)
    }

    @Test(arguments: [
        ("", #""""#), ("plain", #""plain""#), ("\"\\/", #""\"\\/""#),
        ("\n\r\t\u{8}\u{C}\u{0}\u{1F}\u{7F}", #""\n\r\t\u0008\u000c\u0000\u001f\u007f""#),
        ("é\u{1F600}\u{2028}", "\"é\u{1F600}\u{2028}\""), ("last\n", #""last\n""#),
        ("\"", #""\"""#), ("\u{1F}", #""\u001f""#), ("\u{7F}", #""\u007f""#), (" ", #"" ""#),
        ("\\", #""\\""#),
    ])
    func `strings are escaped`(_ value: String, _ expected: String) throws {
        #expect(JSONWriterTests.text { $0.string(value) } == expected)
        #expect(try JSONValue(parsing: expected) == .string(value))
    }

    @Test(arguments: [
        (0.0, "0"), (-0.5, "-0.5"), (3.0, "3"), (1e14, "100000000000000"), (1e300, "1e+300"),
        (Double.leastNonzeroMagnitude, "5e-324"), (Double.nan, "null"), (.infinity, "null"),
        (-.infinity, "null"),
        (0.1, "0.1"),
    ])
    func `numbers are JSON`(_ value: Double, _ expected: String) throws {
        let text = JSONWriterTests.text { $0.number(value) }
        #expect(text == expected)
        _ = try JSONValue(parsing: text)
    }

    @Test func `whole numbers of every width are exact`() {
        #expect(JSONWriterTests.text { $0.integer(Int64.min) } == "-9223372036854775808")
        #expect(JSONWriterTests.text { $0.integer(UInt64.max) } == "18446744073709551615")
        #expect(JSONWriterTests.text { $0.integer(UInt8(7)) } == "7")
    }
}
