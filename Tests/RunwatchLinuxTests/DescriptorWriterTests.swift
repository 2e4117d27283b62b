import Glibc
import RunwatchLinux
import TestSupport
import Testing

@Suite struct DescriptorWriterTests {
    private func makePipe() -> (reader: Int32, writer: Int32) {
        SignalSources.ignoreFatalWrites()
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        return (ends[0], ends[1])
    }

    @Test func `everything is written`() {
        let pipe = makePipe()
        defer { close(pipe.reader); close(pipe.writer) }
        let result = DescriptorWriter.write(Array("hello".utf8), to: pipe.writer)
        #expect(result.isComplete)
        #expect(result.written == 5)
        var buffer = [UInt8](repeating: 0, count: 10)
        #expect(read(pipe.reader, &buffer, 10) == 5)
        #expect(buffer[..<5].elementsEqual("hello".utf8))
        #expect(DescriptorWriter.write([], to: pipe.writer).isComplete)
    }

    @Test func `a full pipe takes a part, and the rest later`() {
        let pipe = makePipe()
        defer { close(pipe.reader); close(pipe.writer) }
        let bytes = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        var received: [UInt8] = []
        var result = DescriptorWriter.write(bytes, to: pipe.writer)
        #expect(result.failure?.errno == EAGAIN)
        #expect(result.written > 0 && result.written < bytes.count)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while received.count < bytes.count {
            let count = read(pipe.reader, &buffer, buffer.count)
            guard count > 0 else { break }
            received += buffer[..<count]
            if !result.isComplete {
                result = DescriptorWriter.write(bytes, from: result.written, to: pipe.writer)
            }
        }
        #expect(result.isComplete)
        #expect(received == bytes)
    }

    @Test func `a pipe without a reader is told, and does not end the program`() {
        let pipe = makePipe()
        close(pipe.reader)
        defer { close(pipe.writer) }
        let result = DescriptorWriter.write([1], to: pipe.writer)
        #expect(result.failure?.errno == EPIPE)
        #expect(result.written == 0)
    }
}
