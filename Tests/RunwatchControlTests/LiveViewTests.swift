import RunwatchControl
import RunwatchCore
import TestSupport
import Testing

/// `list --follow` and the progress of `wait` against the API, on terminals made of values.
@Suite(.timeLimit(.minutes(2))) struct LiveViewTests {
    private static let one = WatchName(service: "w", run: "1")

    // MARK: list --follow on a terminal

    @Test func `a list is redrawn at events, reloads, new sizes and through a restart`()
        async throws
    {
        let live = try LiveControl(
            FakeBackend(watches: [Samples.watch("w/1"), Samples.watch("w/2")]))
        let terminal = FakeTerminal(columns: 80, rows: 10)
        let following = Task {
            await live.run(screen: terminal) { session throws(ControlFailure) in
                try session.followList(WatchQuery())
            }
        }
        #expect(await eventually { terminal.screen.text.contains("w/2   running") })
        #expect(terminal.screen.lines.count == 4)
        live.backend.move(LiveViewTests.one, to: .complete)
        #expect(await eventually { terminal.screen.text.contains("w/1   complete") })
        live.backend.edit { state in
            for number in 3..<30 { state.watches.append(Samples.watch("w/\(number)")) }
        }
        #expect(await eventually { terminal.screen.lines.last == "… and 22 more" })
        terminal.resize(columns: 30, rows: 5)
        #expect(await eventually { terminal.screen.lines.last == "… and 27 more" })
        #expect(terminal.screen.lines.count == 5)
        await live.stop()
        #expect(
            await eventually {
                terminal.screen.lines.first?.hasPrefix("the daemon is away (") == true
            })
        try live.start()
        #expect(await eventually { terminal.screen.lines.first?.contains("away") == false })
        #expect(!terminal.screen.isCursorShown)
        terminal.takeAway()
        let outcome = await following.value
        #expect(outcome.exit == .interrupted)
        #expect(terminal.entered == 1)
        #expect(terminal.left == 1)
        #expect(terminal.screen.isCursorShown)
        #expect(!terminal.screen.hasWrapped)
        #expect(terminal.screen.unknown.isEmpty)
        #expect(outcome.text.isEmpty)
        await live.stop()
    }

    @Test func `a daemon that is not there, or refuses, leaves the terminal alone`() async throws {
        let live = try LiveControl(FakeBackend())
        live.backend.edit { $0.failure = Problem(.unavailable, "The database is busy.") }
        let terminal = FakeTerminal()
        let busy = await live.run(screen: terminal) { session throws(ControlFailure) in
            try session.followList(WatchQuery())
        }
        #expect(busy.exit == .noDaemon)
        #expect(busy.warnings == ["The database is busy."])
        await live.stop()
        let gone = await live.run(screen: terminal) { session throws(ControlFailure) in
            try session.followList(WatchQuery())
        }
        #expect(gone.exit == .noDaemon)
        #expect(terminal.entered == 0)
        #expect(terminal.screen.text.isEmpty)
    }

    @Test func `a reading that fails is shown, and the list goes on`() async throws {
        let live = try LiveControl(FakeBackend(watches: [Samples.watch("w/1")]))
        let terminal = FakeTerminal()
        let following = Task {
            await live.run(screen: terminal) { session throws(ControlFailure) in
                try session.followList(WatchQuery())
            }
        }
        #expect(await eventually { terminal.screen.text.contains("w/1   running") })
        live.backend.edit { $0.failure = Problem(.unavailable, "The database is busy.") }
        #expect(
            await eventually {
                terminal.screen.lines.first?.hasPrefix("The database is busy (") == true
            })
        live.backend.edit { $0.failure = nil }
        #expect(
            await eventually { terminal.screen.lines.first?.contains("busy") == false })
        terminal.takeAway()
        _ = await following.value
        await live.stop()
    }

    // MARK: list --follow elsewhere

    @Test func `elsewhere it is the table once, then a line for each change`() async throws {
        let live = try LiveControl(
            FakeBackend(watches: [Samples.watch("w/1"), Samples.watch("w/2"), Samples.watch("v/3")])
        )
        // The table is one piece; two changes follow.
        let output = CapturedOutput(limit: 3)
        let following = Task {
            await live.run(output: output) { session throws(ControlFailure) in
                try session.followList(WatchQuery(service: "w"))
            }
        }
        #expect(await eventually { output.lines.count == 3 })
        live.backend.move(WatchName(service: "v", run: "3"), to: .error)
        live.backend.move(LiveViewTests.one, to: .error)
        live.backend.move(WatchName(service: "w", run: "2"), to: .complete)
        let outcome = await following.value
        #expect(outcome.exit == .done)
        #expect(
            output.lines.suffix(2) == [
                "2026-11-22T08:27:00.123Z  w/1  running → error",
                "2026-11-22T08:27:00.123Z  w/2  running → complete",
            ])
        await live.stop()
    }

    @Test func `with JSON each watch is a line, and each one that changes`() async throws {
        let live = try LiveControl(
            FakeBackend(watches: [Samples.watch("w/1"), Samples.watch("w/2")]))
        let output = CapturedOutput(limit: 4)
        let following = Task {
            await live.run(json: true, output: output, screen: FakeTerminal()) {
                session throws(ControlFailure) in
                try session.followList(WatchQuery())
            }
        }
        #expect(await eventually { output.lines.count == 2 })
        live.backend.move(LiveViewTests.one, to: .complete)
        #expect(await eventually { output.lines.count == 3 })
        // It has left its list by the time that it is asked for.
        live.backend.edit { state in state.watches.removeAll { $0.name == LiveViewTests.one } }
        live.backend.commit(
            Event(
                type: .run(.lost), timestamp: Samples.noon,
                data: .run(Samples.watch("w/1", .lost).data)
            ).json)
        #expect(await following.value.exit == .done)
        let watches = try output.lines.map { try WatchView(json: JSONValue(parsing: $0)) }
        #expect(watches.map(\.name.run) == ["1", "2", "1", "1"])
        #expect(watches.map(\.data.state) == [.running, .running, .complete, .lost])
        #expect(watches[2].lastPollAt != nil)
        await live.stop()
    }

    // MARK: wait

    @Test func `a wait shows how it stands, and leaves the results alone`() async throws {
        var watches = [
            Samples.watch("w/1"), Samples.watch("w/2", .pending), Samples.watch("w/3", .complete),
        ]
        for index in watches.indices { watches[index].nextPollAt = Timestamp(milliseconds: 0) }
        let live = try LiveControl(FakeBackend(watches: watches))
        let names = ["1", "2", "3"].map { WatchName(service: "w", run: $0) }
        let terminal = FakeTerminal(columns: 100, rows: 5)
        let output = CapturedOutput()
        let waiting = Task {
            await live.run(output: output, progress: terminal) { session throws(ControlFailure) in
                try session.wait(names, isAny: false, timeout: nil)
            }
        }
        #expect(
            await eventually {
                terminal.screen.text.hasPrefix("1 of 3 final · 1 running · 1 pending · ")
            })
        #expect(terminal.screen.text.hasSuffix(" elapsed · next poll due"))
        live.backend.move(names[1], to: .running)
        #expect(
            await eventually { terminal.screen.text.hasPrefix("1 of 3 final · 2 running · ") })
        live.backend.edit { state in
            for index in state.watches.indices { state.watches[index].nextPollAt = .distant }
        }
        // What no event tells is read anew.
        #expect(await eventually { terminal.screen.text.contains("next poll in ") })
        #expect(live.backend.edit { $0.askedFor.last } == Set(names[0...1]))
        await live.stop()
        #expect(
            await eventually { terminal.screen.text.hasPrefix("the daemon is away (") })
        live.backend.move(names[0], to: .complete)
        try live.start()
        #expect(await eventually { terminal.screen.text.hasPrefix("2 of 3 final · 1 running") })
        live.backend.move(names[1], to: .complete)
        let outcome = await waiting.value
        #expect(outcome.exit == .done)
        #expect(
            output.lines.map { $0.prefix(13) } == [
                "w/3  complete", "w/1  complete", "w/2  complete",
            ])
        #expect(terminal.screen.text.isEmpty)
        #expect(terminal.entered == 1)
        #expect(terminal.left == 1)
        await live.stop()
    }

    @Test func `a wait that is over at once draws nothing`() async throws {
        let live = try LiveControl(FakeBackend(watches: [Samples.watch("w/1", .complete)]))
        let terminal = FakeTerminal()
        let outcome = await live.run(progress: terminal) { session throws(ControlFailure) in
            try session.wait([LiveViewTests.one], isAny: false, timeout: nil)
        }
        #expect(outcome.exit == .done)
        #expect(terminal.entered == 0)
        await live.stop()
    }

    @Test func `a wait asks for the events of its watches alone, as far as a URL has room`() {
        let few = WaitMachine(
            names: [LiveViewTests.one, WatchName(service: "w", run: "a/b c")], isAny: false)
        #expect(few.streamPath == "/v1/events/stream?name=w%2F1&name=w%2Fa%2Fb%20c")
        let many = WaitMachine(
            names: (0..<101).map { WatchName(service: "w", run: String($0)) }, isAny: false)
        #expect(many.streamPath == "/v1/events/stream")
        let long = WaitMachine(
            names: (0..<50).map {
                WatchName(service: "w", run: String(repeating: "漢", count: 100) + String($0))
            }, isAny: false)
        #expect(long.streamPath == "/v1/events/stream")
    }
}

extension Timestamp {
    /// Years ahead.
    fileprivate static let distant = Timestamp(milliseconds: 4_000_000_000_000)
}
