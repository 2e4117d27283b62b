import Dispatch
import Glibc
import RunwatchCore
import RunwatchLinux
import RunwatchStore
import TestSupport
import Testing

@testable import RunwatchDelivery

@Suite struct ExecReceiverTests {
    private let folder = TemporaryFolder()

    /// A script of the test's own, as a command.
    private func script(_ text: String, _ arguments: String...) -> [String] {
        let path = folder.path("program-\(UInt64.random(in: 0 ... .max))")
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o755)
        let bytes = Array("#!/bin/sh\n\(text)\n".utf8)
        _ = write(file, bytes, bytes.count)
        close(file)
        return [path] + arguments
    }

    private static func event(
        _ number: Int64 = 1, message: String = "", state: RunState = .error
    ) -> RecordedEvent {
        let data = RunEventData(
            name: WatchName(service: "warehouse", run: "12"), kind: "kinetica", label: "nightly",
            state: state, previousState: .running, sequence: 3,
            watchedSince: Timestamp(milliseconds: 0), polls: 2, message: message)
        let moment = Timestamp(milliseconds: 1_700_000_000_000)
        let event = Event(type: .run(state), timestamp: moment, data: .run(data))
        return RecordedEvent(
            number: number, type: event.type, timestamp: moment, subject: "warehouse/12",
            json: event.json)
    }

    private func attempt(
        _ settings: ExecSettings, _ delivery: PendingDelivery? = nil,
        timeout: Duration = .seconds(60)
    ) async -> AttemptResult {
        let delivery =
            delivery
            ?? PendingDelivery(id: "msg_01", receiver: "hook", event: Self.event(), attempts: 2)
        let queue = DispatchQueue(label: "test.exec")
        return await withCheckedContinuation { continuation in
            queue.async {
                let programs = ChildProcesses(queue: queue)
                let receiver = ExecReceiver(
                    settings, timeout: timeout, programs: programs,
                    environment: { ["PATH": "/usr/bin:/bin", "SECRET_OF_OURS": "x"][$0] })
                receiver.attempt(delivery, at: Timestamp(milliseconds: 0)) { result in
                    // Kept alive until then.
                    _ = (receiver, programs)
                    continuation.resume(returning: result)
                }
            }
        }
    }

    @Test func `the event comes on standard input and in the environment, and nothing else does`()
        async throws
    {
        let command = script(
            "cat >\"$1\"; env | sort >\"$2\"", folder.path("in"), folder.path("env"))
        let settings = ExecSettings(
            command: command, environment: [(name: "TOKEN", value: Secret("t0ken-of-mine"))])
        let result = await attempt(settings)
        #expect(result == AttemptResult(.delivered, status: 0, message: "the program ended with 0"))
        let input = try FileReader.read(folder.path("in"))
        #expect(input == Self.event().json + [0x0A])
        let text = String(decoding: try FileReader.read(folder.path("env")), as: UTF8.self)
        let names = text.split(separator: "\n").compactMap { $0.split(separator: "=").first }
        let told = [
            "ATTEMPT", "COUNT", "ID", "LABEL", "NAME", "PREVIOUS_STATE", "RECEIVER", "RUN",
            "SERVICE", "SEVERITY", "STATE", "TEXT", "TIMESTAMP", "TITLE", "TYPE",
        ].map { "RUNWATCH_\($0)" }
        // The shell adds some of its own.
        let own: Set<Substring> = ["PWD", "SHLVL", "_", "OLDPWD"]
        let expected = Set(told + ["PATH", "TOKEN"])
        // The text has several lines.
        #expect(
            Set(names.filter { $0.allSatisfy { $0.isUppercase || $0 == "_" } }.map(String.init))
                .subtracting(own.map(String.init)) == expected)
        #expect(text.contains("RUNWATCH_ATTEMPT=3\n") && text.contains("RUNWATCH_STATE=error\n"))
        #expect(text.contains("TOKEN=t0ken-of-mine\n"))
    }

    @Test(arguments: [
        ("echo broken; echo worse >&2; exit 3", 3, "the program ended with 3: broken | worse"),
        ("exit 255", 255, "the program ended with 255"),
        ("kill -9 $$", nil, "the program ended by signal 9"),
        (
            "printf 'a\\033[2Jb\\n\\n   \\nc'; exit 1", 1,
            "the program ended with 1: a\\u{1b}[2Jb | c"
        ),
    ])
    func `any other end than 0 is tried again, and says what was printed`(
        text: String, code: Int?, message: String
    ) async {
        let result = await attempt(ExecSettings(command: script(text)))
        #expect(result == AttemptResult(.later(hint: nil), status: code, message: message))
    }

    @Test func `a program that hangs is ended, with what it printed so far`() async {
        let result = await attempt(
            ExecSettings(command: script("echo begun; exec sleep 1000")), timeout: .seconds(1))
        #expect(
            result
                == AttemptResult(
                    .later(hint: nil), message: "the program was ended after 1s: begun"))
    }

    @Test func `a program that is not there is tried again, for it may come back`() async {
        let result = await attempt(ExecSettings(command: [folder.path("nothing")]))
        #expect(result.outcome == .later(hint: nil))
        #expect(result.message.contains("nothing does not start"))
    }

    @Test func `secrets are not kept with the attempt, and long output is cut`() async {
        let settings = ExecSettings(
            command: script(
                "echo \"token: $TOKEN\"; head -c 100000 /dev/zero | tr '\\0' x; exit 1"),
            environment: [(name: "TOKEN", value: Secret("t0ken-of-mine"))])
        let result = await attempt(settings)
        #expect(!result.message.contains("t0ken"))
        #expect(result.message.contains("token: ***"))
        #expect(result.message.utf8.count <= AttemptResult.longestMessage)
    }

    @Test(arguments: [390, 395, 400, 795, 800])
    func `a secret at a cut is hidden whole, and the last words are kept`(place: Int) async {
        let settings = ExecSettings(
            command: script(
                """
                head -c \(place) /dev/zero | tr '\\0' x; printf %s "$TOKEN"
                head -c 5000 /dev/zero | tr '\\0' y; printf '%s the end' "$TOKEN"; exit 1
                """),
            environment: [(name: "TOKEN", value: Secret("t0ken-of-mine"))])
        let message = await attempt(settings).message
        #expect(!message.contains("t0k") && !message.contains("mine"), "\(message)")
        #expect(message.hasSuffix("*** the end"))
        #expect(message.utf8.count <= AttemptResult.longestMessage)
    }

    @Test func `hostile words of a service are words to the program too`() async throws {
        let message = "$(touch \(folder.path("pwned"))) `id` ; \u{0} \"'\\ \n é"
        let delivery = PendingDelivery(
            id: "msg_01", receiver: "hook", event: Self.event(message: message), attempts: 0)
        let command = script("printf %s \"$RUNWATCH_MESSAGE\" >\"$1\"", folder.path("message"))
        let result = await attempt(ExecSettings(command: command), delivery)
        #expect(result.outcome == .delivered, "\(result.message)")
        let told = String(decoding: try FileReader.read(folder.path("message")), as: UTF8.self)
        #expect(told == message.filter { $0 != "\u{0}" })
        #expect(access(folder.path("pwned"), F_OK) != 0)
    }

    @Test func `a digest comes as one object of all events`() async throws {
        let parts = (1...3).map { number in
            PendingDelivery.Part(delivery: "msg_\(number)", event: Self.event(number))
        }
        let delivery = PendingDelivery(id: "msg_D", receiver: "hook", digest: parts, attempts: 0)
        let command = script("cat >\"$1\"; echo $RUNWATCH_TYPE $RUNWATCH_COUNT", folder.path("in"))
        let result = await attempt(ExecSettings(command: command), delivery)
        #expect(result.message == "the program ended with 0: digest 3")
        let input = try JSONValue(parsing: FileReader.read(folder.path("in")))
        #expect(input["data"]?["events"]?.arrayValue?.count == 3)
    }

    @Test func `programs under way are ended when the deliverer stops, and stay owed`()
        async throws
    {
        let command = script("echo >\"$1\"; exec sleep 1000", folder.path("begun"))
        let settings = ReceiverSettings(
            name: "hook", kind: .exec(ExecSettings(command: command)), timeout: .seconds(600))
        let bench = try await DelivererBench([settings])
        bench.submit("a/1", ["hook"])
        try await eventually("it runs") { access(folder.path("begun"), F_OK) == 0 }
        await bench.deliverer.drain(until: SystemTime().now())
        #expect(try await bench.owed("hook") == 1)
        await bench.store.close()
    }
}
