import FoundationEssentials
import RunwatchCore
import Testing

@Suite struct JSONReaderTests {
    static let valid = [
        "null", "true", "false", "0", "-0", "12", "-12", "1.5", "-0.25", "1e5", "1E+5", "1e-5",
        "0.0e0", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
        #""""#, #""text""#, #""é\u00e9\uD83D\uDE00""#, #""\"\\\/\b\f\n\r\t""#, "\"\u{7F}\u{2028}\"",
        "[]", "[ ]", "[1]", "[1,2 , 3]", "[[],[[]]]", "{}", "{ }", #"{"a":1}"#,
        #"{ "a" : [ { } , null ] , "b" : { "c" : true } }"#, #"{"":""}"#, " \t\r\n1 \t\r\n",
        #"{"a":{"b":{"c":[1,[2,[3,{"d":null}]]]}}}"#, #"["\u0000"]"#, #""\u007f\u0080\uffff""#,
        String(repeating: "[", count: 500) + String(repeating: "]", count: 500),
    ]

    static let invalid = [
        "", " ", "nul", "nulll", "True", "tru", "+1", "01", "-01", "00", "1.", ".5", "-", "1e",
        "1e+",
        "1.e5", "0x10", "1_000", "NaN", "Infinity", "--1", "1 2", #"""#, #""abc"#, #""\x""#,
        #""\u12""#, #""\u12G4""#, #""\u12g4""#, #""\u12:4""#, #""\u12/4""#, #""\u12@4""#,
        #""\u12`4""#, #""\"#, "\"a\nb\"", "\"\u{0}\"", "\"\t\"", "'a'", "[", "]", "[1",
        "[1,", "[1,]", "[,]", "[,1]", "[1 2]", "[1]]", "{", "}", "{\"a\"}", "{\"a\":}",
        "{\"a\":1,}", "{,}", "{\"a\" 1}", "{a:1}", "{1:1}", "{\"a\":1 \"b\":2}", "{\"a\":1]",
        "[1}", "[1:2]", "{\"a\":1}}", "// c\n1", "1//", "[1/**/]", "\u{FEFF}1", "tr ue", "[\"a]",
        #""\ud83d\u12""#, #""\uD83D\uZZZZ""#,
        String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000),
        String(repeating: #"{"a":"#, count: 10_000) + "1" + String(repeating: "}", count: 10_000),
    ]

    @Test(arguments: valid)
    func `a valid text is read, and skipped, to its end`(_ text: String) throws {
        _ = try JSONValue(parsing: text)
        var reader = try JSONReader(Array(text.utf8))
        try reader.skip()
        try reader.finish()
    }

    @Test(arguments: invalid)
    func `an invalid text is refused, read or skipped`(_ text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
        #expect(throws: JSONError.self) {
            var reader = try JSONReader(Array(text.utf8))
            try reader.skip()
            try reader.finish()
        }
    }

    @Test func `every text cut short is refused, read or skipped`() {
        let text = Array(#"{"a":[1.5e-3,"é\ud83d\ude00\n",true],"b":{"c":null}}"#.utf8)
        for end in 0..<text.count {
            #expect(throws: JSONError.self) { try JSONValue(parsing: Array(text[..<end])) }
            #expect(throws: JSONError.self) {
                var reader = try JSONReader(Array(text[..<end]))
                try reader.skip()
                try reader.finish()
            }
        }
    }

    @Test func `nesting has a limit`() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array(
                (String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        _ = try JSONValue(parsing: nested(JSONReader.maximumDepth))
        let error = #expect(throws: JSONError.self) {
            try JSONValue(parsing: nested(JSONReader.maximumDepth + 1))
        }
        #expect(error?.offset == JSONReader.maximumDepth)
        #expect(error?.description == "nested deeper than 512 at byte 512")
    }

    @Test func `siblings do not count as depth`() throws {
        let text = "[" + Array(repeating: "[{}]", count: 2000).joined(separator: ",") + "]"
        #expect(try JSONValue(parsing: text).arrayValue?.count == 2000)
        var reader = try JSONReader(Array(text.utf8))
        try reader.skip()
        try reader.finish()
    }

    @Test(
        arguments: [
            [0xFF], [0x22, 0xC3, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], [0x80],
        ] as [[UInt8]])
    func `text that is not UTF-8 is refused`(_ bytes: [UInt8]) {
        #expect(throws: JSONError(offset: 0, problem: "the text is not UTF-8")) {
            try JSONReader(bytes)
        }
    }

    @Test(arguments: [
        (#""\ud83d\ude00""#, "\u{1F600}"), (#""\ud83d""#, "\u{FFFD}"), (#""\ude00""#, "\u{FFFD}"),
        (#""\ud83dx""#, "\u{FFFD}x"), (#""\ud83d\n""#, "\u{FFFD}\n"),
        (#""\ud83d\ud83d\ude00""#, "\u{FFFD}\u{1F600}"), (#""\ud83d\u0041""#, "\u{FFFD}A"),
        (#""\u00E9\u00e9""#, "éé"), (#""a\/b""#, "a/b"), (#""\u0000""#, "\u{0}"),
    ])
    func `escapes are resolved`(_ text: String, _ expected: String) throws {
        var reader = try JSONReader(Array(text.utf8))
        #expect(try reader.string() == expected)
        try reader.finish()
        var again = try JSONReader(Array(text.utf8))
        #expect(try again.stringBytes() == Array(expected.utf8))
        try again.finish()
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("-7", -7), ("9223372036854775807", .max),
            ("-9223372036854775808", .min), ("9223372036854775808", nil),
            ("-9223372036854775809", nil), ("1.0", nil), ("1e2", nil), ("-1e2", nil),
            ("123456789012345678901234567890", nil),
        ] as [(String, Int64?)])
    func `whole numbers are exact or nothing`(_ text: String, _ expected: Int64?) throws {
        var reader = try JSONReader(Array(text.utf8))
        #expect(try reader.integer() == expected)
        try reader.finish()
        var again = try JSONReader(Array(text.utf8))
        #expect(try again.numberText() == text)
    }

    @Test func `what is not wanted is read past`() throws {
        let text = #"{"skip":{"a":[1,{"b":"}]\""}],"c":null},"key":"value","raw": [1, {"x" : 2}] }"#
        var reader = try JSONReader(Array(text.utf8))
        var value = ""
        var raw = ""
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "key": value = try reader.string()
            case "raw": raw = String(decoding: try reader.rawValue(), as: UTF8.self)
            default: try reader.skip()
            }
        }
        try reader.finish()
        #expect(value == "value")
        #expect(raw == #"[1, {"x" : 2}]"#)
    }

    @Test func `a value of another kind is refused where it stands`() throws {
        var reader = try JSONReader(Array(#"{"a": 5}"#.utf8))
        try reader.beginObject()
        #expect(try reader.nextKey() == "a")
        #expect(try reader.peek() == .number)
        #expect(throws: JSONError(offset: 6, problem: "a string was expected")) {
            try reader.string()
        }
        #expect(throws: JSONError(offset: 6, problem: "an array was expected")) {
            try reader.beginArray()
        }
        #expect(try reader.integer() == 5)
        #expect(try reader.nextKey() == nil)
    }

    // MARK: Against another reader

    /// Any JSON, as the decoder of FoundationEssentials sees it; numbers as `Double`.
    enum Decoded: Decodable, Equatable {
        case null
        case bool(Bool)
        case number(Double)
        case string(String)
        case array([Decoded])
        case object([String: Decoded])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let value = try? container.decode(Bool.self) {
                self = .bool(value)
            } else if let value = try? container.decode(Double.self) {
                self = .number(value)
            } else if let value = try? container.decode(String.self) {
                self = .string(value)
            } else if let value = try? container.decode([Decoded].self) {
                self = .array(value)
            } else {
                self = .object(try container.decode([String: Decoded].self))
            }
        }

        init(_ value: JSONValue) {
            switch value {
            case .null: self = .null
            case .bool(let value): self = .bool(value)
            case .integer(let value): self = .number(Double(value))
            case .number(let value): self = .number(value)
            case .string(let value): self = .string(value)
            case .array(let elements): self = .array(elements.map { Decoded($0) })
            case .object(let members):
                self = .object(
                    Dictionary(members.map { ($0.name, Decoded($0.value)) }) { first, _ in first })
            }
        }
    }

    @Test func `FoundationEssentials reads the same from what both accept`() throws {
        for text in JSONReaderTests.valid where text.count < 500 {
            let theirs = try JSONDecoder().decode(Decoded.self, from: Data(text.utf8))
            #expect(Decoded(try JSONValue(parsing: text)) == theirs, "\(text)")
        }
    }

    @Test(arguments: 0..<6)
    func `FoundationEssentials agrees on random documents and on damaged ones`(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed) &* 77)
        for _ in 0..<250 {
            let document = JSONReaderTests.document(depth: 4, using: &generator)
            #expect(try JSONValue(parsing: document.bytes) == document)
            var damaged = document.bytes
            let place = Int.random(in: 0..<damaged.count, using: &generator)
            damaged[place] = Array("{}[]\",:\\ nt0-.e".utf8).randomElement(using: &generator) ?? 0
            let theirs = try? JSONDecoder().decode(Decoded.self, from: Data(damaged))
            let ours = try? JSONValue(parsing: damaged)
            // A number beyond `Double` is infinite here and refused there.
            if let ours, JSONReaderTests.isInfinite(ours) { continue }
            let text = String(decoding: damaged, as: UTF8.self)
            #expect((ours == nil) == (theirs == nil), "\(text)")
            if let ours, let theirs, !JSONReaderTests.hasTwins(ours) {
                #expect(Decoded(ours) == theirs, "\(text)")
            }
        }
    }

    static func isInfinite(_ value: JSONValue) -> Bool {
        switch value {
        case .number(let value): value.isInfinite
        case .array(let elements): elements.contains { isInfinite($0) }
        case .object(let members): members.contains { isInfinite($0.value) }
        default: false
        }
    }

    static func hasTwins(_ value: JSONValue) -> Bool {
        switch value {
        case .array(let elements): elements.contains { hasTwins($0) }
        case .object(let members):
            Set(members.map(\.name)).count < members.count
                || members.contains { hasTwins($0.value) }
        default: false
        }
    }

    static func document(depth: Int, using generator: inout SeededGenerator) -> JSONValue {
        func text() -> String {
            let characters = Array("ab \"\\/\n\t\u{1}é\u{1F600}{}[]:,")
            let count = Int.random(in: 0...6, using: &generator)
            return String(
                (0..<count).map { _ in characters.randomElement(using: &generator) ?? "x" })
        }
        switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &generator) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &generator))
        case 2: return .integer(Int64.random(in: -100_000...100_000, using: &generator))
        case 3: return .number(Double(Int.random(in: -1000...1000, using: &generator)) + 0.5)
        case 4: return .string(text())
        case 5, 6:
            return .object(
                (0..<Int.random(in: 0...4, using: &generator)).map {
                    .init("\($0)\(text())", document(depth: depth - 1, using: &generator))
                })
        default:
            return .array(
                (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                    document(depth: depth - 1, using: &generator)
                })
        }
    }
}
