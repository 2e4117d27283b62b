import RunwatchConfig
import Testing

@Suite struct IDLineReaderTests {
    private static let text =
        "\u{FEFF}a b\n\n# all of it\n  12\t# the large one\r\n#x\nx#y\n\u{E9} # é\n-\nlast"
    private static let ids = ["a b", "12", "x#y", "\u{E9}", "-", "last"]

    @Test(arguments: [1, 2, 3, 7, 1000])
    func `IDs are one a line, however the text is cut`(size: Int) {
        var reader = IDLineReader()
        var found: [String] = []
        var rest = Array(IDLineReaderTests.text.utf8)[...]
        while !rest.isEmpty {
            found += reader.take(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        found += reader.finish()
        #expect(found == IDLineReaderTests.ids)
        #expect(reader.fault == nil)
    }

    @Test(arguments: [
        (Array("1\n2\na\u{7}b\n4\n".utf8), 3, "the ID 'a?b' holds a control character"),
        (Array("1\n2\n".utf8) + [0xFF, 0x0A, 0x34, 0x0A], 3, "the text is not UTF-8"),
        (Array("1\n2\n3".utf8) + [0xC3], 3, "the text is not UTF-8"),
        (
            Array("1\n2\n\(String(repeating: "x", count: 1025))\n4".utf8), 3,
            "the ID 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…' is longer than 1024 "
                + "bytes"
        ),
    ])
    func `a fault names its line, and what stands before it counts`(
        bytes: [UInt8], line: Int, message: String
    ) {
        var reader = IDLineReader()
        var found = reader.take(bytes)
        found += reader.finish()
        #expect(found == ["1", "2"])
        #expect(reader.fault == IDLineReader.Fault(line: line, message: message))
        #expect(reader.take(Array("5\n".utf8)).isEmpty)
    }

    @Test func `a line without end is refused, not kept`() {
        var reader = IDLineReader()
        for _ in 0..<100 { #expect(reader.take(Array(repeating: 0x78, count: 1000)).isEmpty) }
        #expect(reader.fault?.line == 1)
        #expect(reader.fault?.message.contains("longer than") == true)
    }
}
