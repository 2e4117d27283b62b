import Glibc
import RunwatchCore
import RunwatchDelivery
import RunwatchLinux
import RunwatchStore
import TestSupport
import Testing

@Suite struct DelivererStdoutTests {
    typealias Bench = DelivererBench

    static let log = ReceiverSettings(name: "log", kind: .stdout(.json))

    @Test func `a full pipe delays only stdout, and loses and reorders nothing`() async throws {
        let pipe = try TestPipe()
        pipe.fill()
        let bench = try await Bench(
            [Self.log, Bench.webhook("ops")], standardOutput: pipe.writeEnd)
        var expected = ""
        for index in 0..<1000 {
            bench.submit("a/\(index)", ["log", "ops"], number: index)
            expected += String(
                decoding: Bench.event("a/\(index)", [], number: index).json, as: UTF8.self)
            expected += "\n"
        }
        try await eventually("the webhook has all") { bench.end.seen.count == 1000 }
        #expect(try await bench.owed("log") == 1000)
        var received = ""
        while received.utf8.count < expected.utf8.count {
            let text = String(decoding: try await pipe.read(atMost: 1 << 16), as: UTF8.self)
            received += text.drop { $0 == "." }
        }
        let isAsExpected = received == expected
        #expect(isAsExpected, "begins with \(received.prefix(300))")
        try await eventually("nothing is owed") { try await bench.owed("log") == 0 }
        await bench.stop()
    }

    @Test func `a digest from when the name stood for a webhook is written whole`() async throws {
        let pipe = try TestPipe()
        let time = ManualTime()
        var settings = Bench.webhook("log")
        settings.digest = DigestSettings(window: .seconds(60), max: 3)
        let bench = try await Bench([settings], time: time, standardOutput: pipe.writeEnd)
        bench.end.script { _ in .status(500) }
        for subject in ["a", "b", "a"] { bench.submit(subject, ["log"]) }
        try await eventually("it has failed") {
            await bench.deliverer.status().first?.isFailing == true
        }
        await bench.deliverer.apply([Self.log])
        time.advance(by: .seconds(10))
        bench.deliverer.wake(["log"])
        try await eventually("nothing is owed") { try await bench.owed("log") == 0 }
        let text = String(decoding: try await pipe.read(atMost: 1 << 16), as: UTF8.self)
        #expect(text.split(separator: "\n").count == 3, "\(text)")
        await bench.stop()
    }

    @Test func `a stop does not wait for a pipe that nobody reads`() async throws {
        let pipe = try TestPipe()
        pipe.fill()
        let bench = try await Bench([Self.log], standardOutput: pipe.writeEnd)
        bench.submit("a/1", ["log"])
        try await eventually("under way") {
            await bench.deliverer.status().first?.inFlight == 1
        }
        await bench.deliverer.drain(until: SystemTime().now().advanced(by: .milliseconds(50)))
        #expect(try await bench.owed("log") == 1)
        await bench.store.close()
    }

    @Test func `a closed pipe keeps what is owed, and gets it in order when it is open again`()
        async throws
    {
        let folder = TemporaryFolder()
        let path = folder.path("fifo")
        try #require(mkfifo(path, 0o600) == 0)
        let reader = open(path, O_RDONLY | O_NONBLOCK)
        let writer = open(path, O_WRONLY)
        try #require(reader >= 0 && writer >= 0)
        close(reader)
        let bench = try await Bench(
            [Self.log, Bench.webhook("ops")], standardOutput: writer)
        for index in 0..<600 { bench.submit("a/\(index)", ["log", "ops"], number: index) }
        try await eventually("it fails") {
            await bench.deliverer.status().first?.isFailing ?? false
        }
        let status = try #require(await bench.deliverer.status().first)
        #expect(status.lastError?.contains("Broken pipe") ?? false)
        try await eventually("the webhook has all") { bench.end.seen.count == 600 }
        #expect(try await bench.owed("log") == 600)

        let again = open(path, O_RDONLY | O_NONBLOCK)
        try #require(again >= 0)
        defer { close(again) }
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        try await eventually("all lines") {
            let count = read(again, &buffer, buffer.count)
            if count > 0 { received += buffer.prefix(count) }
            return received.count(where: { $0 == 0x0A }) == 600
        }
        let numbers = String(decoding: received, as: UTF8.self).split(separator: "\n").map {
            (try? JSONValue(parsing: String($0)))?["data"]?["number"]?.integerValue
        }
        let isInOrder = numbers == (0..<600).map { Int64($0) }
        #expect(isInOrder, "begins with \(numbers.prefix(5))")
        #expect(bench.log.told.count == 2, "\(bench.log.told)")
        await bench.stop()
        close(writer)
    }

    @Test func `text is a line an event`() async throws {
        let pipe = try TestPipe()
        let bench = try await Bench(
            [ReceiverSettings(name: "log", kind: .stdout(.text))], standardOutput: pipe.writeEnd)
        bench.submit("a/1", ["log"])
        var received: [UInt8] = []
        while received.last != 0x0A { received += try await pipe.read(atMost: 1000) }
        #expect(String(decoding: received, as: UTF8.self).hasSuffix("  a/1  unknown → complete\n"))
        await bench.stop()
    }
}
