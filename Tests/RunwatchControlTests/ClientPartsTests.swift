import RunwatchControl
import RunwatchCore
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

@Suite struct WaitMachineTests {
    private let first = WatchName(service: "w", run: "1")
    private let second = WatchName(service: "w", run: "2")

    private func event(_ name: WatchName, _ state: RunState) throws -> JSONValue {
        var data = Samples.watch(name.description).data
        data.state = state
        return try JSONValue(
            parsing: Event(type: .run(state), timestamp: Samples.noon, data: .run(data)).json)
    }

    @Test func `all must be final`() throws {
        var machine = WaitMachine(names: [first, second, first], isAny: false)
        #expect(machine.names == [first, second])
        #expect(machine.asked(Samples.watch("w/1", .complete))?.name == first)
        #expect(machine.outcome == nil)
        #expect(machine.asked(Samples.watch("w/2", .running)) == nil)
        #expect(machine.pending == [second])
        #expect(machine.told(try event(second, .running)) == nil)
        #expect(machine.told(try event(second, .complete))?.name == second)
        #expect(machine.outcome == .done)
    }

    @Test func `a run that did not complete fails the wait, after all are final`() throws {
        var machine = WaitMachine(names: [first, second], isAny: false)
        _ = machine.told(try event(first, .lost))
        #expect(machine.outcome == nil)
        _ = machine.told(try event(second, .complete))
        #expect(machine.outcome == .failed)
        #expect(machine.unsuccessful.map(\.name) == [first])
    }

    @Test func `any ends with the first; one that is complete makes it good`() throws {
        var machine = WaitMachine(names: [first, second], isAny: true)
        _ = machine.asked(Samples.watch("w/1", .error))
        #expect(machine.outcome == .failed)
        _ = machine.asked(Samples.watch("w/2", .complete))
        #expect(machine.outcome == .done)
    }

    @Test func `a run that ended is told once`() throws {
        var machine = WaitMachine(names: [first], isAny: false)
        #expect(machine.asked(Samples.watch("w/1", .killed)) != nil)
        #expect(machine.told(try event(first, .killed)) == nil)
        #expect(machine.asked(Samples.watch("w/1", .killed)) == nil)
    }

    @Test func `events of others, and what is no event, are ignored`() throws {
        var machine = WaitMachine(names: [first], isAny: false)
        #expect(machine.told(try event(second, .complete)) == nil)
        for text in [
            "[]", "{}", #"{"type":"run.complete"}"#, #"{"type":"run.complete","data":{}}"#,
            #"{"type":"service.down","data":{"service":"w","run":"1"}}"#,
        ] {
            #expect(machine.told(try JSONValue(parsing: text)) == nil)
        }
        #expect(machine.pending == [first])
    }
}

@Suite struct ExitStatusTests {
    @Test func `the codes are the contract's`() {
        #expect(ExitStatus.allCases.map(\.rawValue) == [0, 1, 4, 64, 69, 77, 124, 130])
    }

    @Test func `a refusal has its code`() {
        let expected: [Problem.Code: Int32] = [
            .noSuchWatch: 4, .permissionDenied: 77, .badParameter: 64, .badPath: 64,
            .methodNotAllowed: 64, .conflict: 64, .configurationInvalid: 1, .unavailable: 69,
            .notAdvancing: 69, .internalError: 69, .noSuchRoute: 69,
        ]
        for problem in Problem.Code.allCases {
            #expect(ExitStatus(problem).rawValue == expected[problem], "\(problem)")
        }
    }
}

@Suite struct SocketPathTests {
    private func path(
        _ option: String?, _ environment: [String: String], system: Bool
    ) -> String {
        SocketPath.resolve(option: option, environment: environment) { path in
            system && path == SocketPath.system
        }
    }

    @Test func `the nearest wins`() {
        let both = ["RUNWATCH_SOCKET": "/b", "RUNTIME_DIRECTORY": "/run/c:/run/d"]
        #expect(path("/a", both, system: true) == "/a")
        #expect(path(nil, both, system: true) == "/b")
        #expect(
            path(nil, ["RUNTIME_DIRECTORY": "/run/c:/run/d"], system: true)
                == "/run/c/control.sock")
        #expect(path(nil, [:], system: true) == "/run/runwatch/control.sock")
        #expect(path(nil, [:], system: false) == "./.runwatch/control.sock")
    }

    @Test func `an empty variable is as good as none`() {
        #expect(
            path(nil, ["RUNWATCH_SOCKET": "", "RUNTIME_DIRECTORY": ""], system: false)
                == "./.runwatch/control.sock")
    }
}
