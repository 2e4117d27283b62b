import RunwatchLinux
import Testing

@Suite struct KeptOutputTests {
    /// What is kept of the text when it comes in pieces of a size.
    private func kept(_ text: String, limit: Int, pieces: Int) -> String {
        var output = KeptOutput(limit: limit)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            output.append(rest.prefix(pieces))
            rest = rest.dropFirst(pieces)
        }
        #expect(output.total == text.utf8.count)
        return String(decoding: output.bytes, as: UTF8.self)
    }

    @Test(arguments: [1, 2, 3, 7, 100])
    func `up to the limit everything is kept`(pieces: Int) {
        #expect(kept("", limit: 10, pieces: pieces) == "")
        #expect(kept("abc", limit: 10, pieces: pieces) == "abc")
        #expect(kept("0123456789", limit: 10, pieces: pieces) == "0123456789")
        #expect(kept("012345678", limit: 9, pieces: pieces) == "012345678")
    }

    @Test(arguments: [1, 2, 3, 7, 100])
    func `beyond it the beginning and the end are`(pieces: Int) {
        #expect(
            kept("0123456789a", limit: 10, pieces: pieces) == "01234\n[1 bytes left out]\n6789a")
        #expect(
            kept("0123456789abcdefghijklmnopqrst", limit: 5, pieces: pieces)
                == "012\n[25 bytes left out]\nst")
        #expect(kept("abc", limit: 1, pieces: pieces) == "a\n[2 bytes left out]\n")
    }

    @Test(arguments: [0, -1, Int.min])
    func `without room nothing is kept, and counted still`(limit: Int) {
        #expect(kept("abc", limit: limit, pieces: 2) == "\n[3 bytes left out]\n")
    }

    @Test func `a flood takes no more memory than the limit`() {
        var output = KeptOutput(limit: 1000)
        let piece = [UInt8](repeating: 65, count: 777)
        for _ in 0..<10_000 { output.append(piece) }
        #expect(output.total == 7_770_000)
        #expect(output.bytes.count == 1000 + "\n[7769000 bytes left out]\n".utf8.count)
    }
}
