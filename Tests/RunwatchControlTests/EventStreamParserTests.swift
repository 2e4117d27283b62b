import RunwatchControl
import Testing

@Suite struct EventStreamParserTests {
    private typealias Message = EventStreamParser.Message

    private func messages(_ text: String, chunk size: Int) -> [Message] {
        var parser = EventStreamParser()
        let bytes = Array(text.utf8)
        return stride(from: 0, to: bytes.count, by: size).flatMap {
            parser.take(bytes[$0..<min($0 + size, bytes.count)])
        }
    }

    @Test(arguments: [1, 2, 3, 7, 1000])
    func `messages are read from chunks of any size`(size: Int) {
        let text =
            ": hello\n\nid: 7\nevent: run.lost\ndata: {\ndata: }\n\nid:8\r\ndata:x\r\n\r\ndata: y\r\r"
        #expect(
            messages(text, chunk: size) == [
                Message(id: "7", event: "run.lost", data: Array("{\n}".utf8)),
                Message(id: "8", event: "message", data: Array("x".utf8)),
                Message(id: "8", event: "message", data: Array("y".utf8)),
            ])
    }

    @Test func `an ID without data is remembered, and is no message`() {
        var parser = EventStreamParser()
        #expect(parser.take(Array("retry: 1000\nid: 3\n\n".utf8)).isEmpty)
        #expect(parser.lastEventID == "3")
    }

    @Test func `an event that was cut off is asked for again`() {
        var parser = EventStreamParser()
        _ = parser.take(Array("id: 1\ndata: a\n\nid: 2\ndata: b\n".utf8))
        #expect(parser.lastEventID == "1")
        #expect(parser.take(Array("\n".utf8)).first?.id == "2")
        #expect(parser.lastEventID == "2")
    }

    @Test func `what was cut off is no message`() {
        #expect(messages("data: a\n", chunk: 5).isEmpty)
    }

    @Test func `an endless line is given up`() {
        var parser = EventStreamParser()
        let piece = [UInt8](repeating: 0x61, count: 1 << 20)
        for _ in 0..<20 { _ = parser.take(piece) }
        #expect(parser.isTooLarge)
    }
}
