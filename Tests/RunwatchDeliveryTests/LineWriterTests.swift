import Glibc
import RunwatchCore
import RunwatchDelivery
import RunwatchLinux
import Synchronization
import TestSupport
import Testing

@Suite struct LineWriterTests {
    /// Counts endings, and waits for them.
    final class Endings: Sendable {
        let all = Mutex<[(line: Int, ending: LineWriter.Ending)]>([])

        func note(_ line: Int) -> @Sendable (LineWriter.Ending) -> Void {
            { ending in self.all.withLock { $0.append((line, ending)) } }
        }

        func wait(for count: Int) async throws -> [(line: Int, ending: LineWriter.Ending)] {
            try await eventually("\(count) endings") { all.withLock { $0.count } >= count }
            return all.withLock { $0 }
        }
    }

    @Test func `lines arrive whole and in order through a pipe that is read slowly`() async throws {
        let pipe = try TestPipe()
        let writer = LineWriter(descriptor: pipe.writeEnd)
        let endings = Endings()
        var expected: [UInt8] = []
        for index in 0..<2000 {
            // Now and then one that no pipe takes at once.
            let length = index % 500 == 0 ? 200_000 : 100
            let line = Array("\(index) ".utf8) + [UInt8](repeating: 0x61, count: length) + [0x0A]
            expected += line
            writer.write(line, ended: endings.note(index))
        }
        var received: [UInt8] = []
        while received.count < expected.count {
            received += try await pipe.read(atMost: 3000)
        }
        #expect(received == expected)
        let all = try await endings.wait(for: 2000)
        #expect(all.map(\.line) == Array(0..<2000))
        #expect(all.allSatisfy { $0.ending == .written })
    }

    @Test func `a full pipe holds lines up until it is read`() async throws {
        let pipe = try TestPipe()
        pipe.fill()
        let writer = LineWriter(descriptor: pipe.writeEnd)
        let endings = Endings()
        writer.write(Array("late\n".utf8), ended: endings.note(0))
        #expect(endings.all.withLock { $0.isEmpty })
        var received: [UInt8] = []
        while !received.suffix(5).elementsEqual("late\n".utf8) {
            received += try await pipe.read(atMost: 1 << 16)
        }
        let all = try await endings.wait(for: 1)
        #expect(all.first?.ending == .written)
    }

    @Test func `a stopped writer gives up what a full pipe does not take`() async throws {
        let pipe = try TestPipe()
        pipe.fill()
        let writer = LineWriter(descriptor: pipe.writeEnd)
        let endings = Endings()
        for index in 0..<3 { writer.write(Array("x\n".utf8), ended: endings.note(index)) }
        writer.stop()
        let all = try await endings.wait(for: 3)
        #expect(all.allSatisfy { $0.ending == .stopped })
    }

    @Test func `a closed pipe fails every line, and the process lives`() async throws {
        let pipe = try TestPipe()
        pipe.closeReadEnd()
        let writer = LineWriter(descriptor: pipe.writeEnd)
        let endings = Endings()
        for index in 0..<10 { writer.write(Array("x\n".utf8), ended: endings.note(index)) }
        for (_, ending) in try await endings.wait(for: 10) {
            guard case .failed(let error) = ending else {
                Issue.record("\(ending)")
                continue
            }
            #expect(error.errno == EPIPE)
        }
    }

    @Test func `a descriptor that is not open fails every line`() async throws {
        let writer = LineWriter(descriptor: 1_000_000)
        let endings = Endings()
        writer.write(Array("x\n".utf8), ended: endings.note(0))
        let all = try await endings.wait(for: 1)
        #expect(all.first?.ending != .written)
    }

    @Test func `a full device is an error like any other`() async throws {
        let descriptor = open("/dev/full", O_WRONLY)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let writer = LineWriter(descriptor: descriptor)
        let endings = Endings()
        writer.write(Array("x\n".utf8), ended: endings.note(0))
        guard case .failed(let error)? = try await endings.wait(for: 1).first?.ending else {
            Issue.record("written to a full device")
            return
        }
        #expect(error.errno == ENOSPC)
    }

    @Test func `a line that was cut is made whole before the next one`() async throws {
        let path = TemporaryFolder()
        let fifo = path.path("fifo")
        try #require(mkfifo(fifo, 0o600) == 0)
        let first = open(fifo, O_RDONLY | O_NONBLOCK)
        let end = open(fifo, O_WRONLY)
        try #require(first >= 0 && end >= 0)
        defer { close(end) }
        let writer = LineWriter(descriptor: end)
        let endings = Endings()
        let long = [UInt8](repeating: 0x62, count: 300_000) + [0x0A]
        writer.write(long, ended: endings.note(0))
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var received: [UInt8] = []
        try await eventually("the line has begun") {
            let count = read(first, &buffer, buffer.count)
            if count > 0 { received += buffer.prefix(count) }
            return received.count > 100_000
        }
        close(first)
        guard case .failed? = try await endings.wait(for: 1).first?.ending else {
            Issue.record("written to a closed pipe")
            return
        }
        let second = open(fifo, O_RDONLY | O_NONBLOCK)
        try #require(second >= 0)
        defer { close(second) }
        writer.write(Array("next\n".utf8), ended: endings.note(1))
        let expected = long + Array("next\n".utf8)
        try await eventually("the rest") {
            let count = read(second, &buffer, buffer.count)
            if count > 0 { received += buffer.prefix(count) }
            return received.count >= expected.count
        }
        let isWhole = received == expected
        #expect(isWhole)
    }

    @Test func `a non-blocking descriptor is waited for, too`() async throws {
        let pipe = try TestPipe()
        _ = fcntl(pipe.writeEnd, F_SETFL, O_NONBLOCK)
        let writer = LineWriter(descriptor: pipe.writeEnd)
        let endings = Endings()
        let line = [UInt8](repeating: 0x62, count: 300_000) + [0x0A]
        writer.write(line, ended: endings.note(0))
        var received: [UInt8] = []
        while received.count < line.count { received += try await pipe.read(atMost: 1 << 16) }
        #expect(received == line)
        let all = try await endings.wait(for: 1)
        #expect(all.first?.ending == .written)
    }
}
