import Dispatch
import Glibc
import RunwatchControl
import RunwatchCore
import Testing

@Suite struct ControlSessionTests {
    private static let one = WatchName(service: "w", run: "1")
    private static let two = WatchName(service: "w", run: "a/b c")

    private func live(_ watches: [WatchView] = [], events: Int = 0) throws -> LiveControl {
        try LiveControl(FakeBackend(watches: watches, events: events))
    }

    // MARK: Looking

    @Test func `status prints text, or the answer itself`() async throws {
        let live = try live()
        let text = await live.run { session throws(ControlFailure) in try session.status() }
        #expect(text.exit == .done)
        #expect(text.text.hasPrefix("runwatchd 0.1.0: everything is well\n"))
        let json = await live.run(json: true) { session throws(ControlFailure) in
            try session.status()
        }
        #expect(json.document == (try JSONValue(parsing: Samples.status.json)))
        await live.stop()
    }

    @Test func `list joins all pages in one document`() async throws {
        let watches = (0..<2500).map { Samples.watch("w/\($0)") }
        let live = try live(watches)
        let all = await live.run(json: true) { session throws(ControlFailure) in
            try session.list(WatchQuery())
        }
        #expect(all.exit == .done)
        let names = all.document?["watches"]?.arrayValue?.compactMap { $0["name"]?.stringValue }
        #expect(names == watches.map(\.name).sorted().map(\.description))
        #expect(all.document?["next"] == nil)
        let table = await live.run { session throws(ControlFailure) in
            try session.list(WatchQuery())
        }
        #expect(table.output.lines.count == 2501)
        await live.stop()
    }

    @Test func `list passes its conditions on`() async throws {
        let live = try live([Samples.watch("w/1", .error), Samples.watch("w/2")])
        let query = WatchQuery(
            service: "w", states: [.error, .lost], group: nil, isActiveOnly: false)
        let found = await live.run(json: true) { session throws(ControlFailure) in
            try session.list(query)
        }
        #expect(live.backend.edit { $0.lastQuery } == query)
        #expect(found.document?["watches"]?.arrayValue?.count == 1)
        let none = await live.run { session throws(ControlFailure) in
            try session.list(WatchQuery(group: "no such & group"))
        }
        #expect(none.text.isEmpty)
        #expect(none.warnings == ["no watch matches"])
        #expect(none.exit == .done)
        await live.stop()
    }

    @Test func `an empty list is a document as well`() async throws {
        let live = try live()
        let json = await live.run(json: true) { session throws(ControlFailure) in
            try session.list(WatchQuery())
        }
        #expect(json.text == "{\"watches\":[]}\n")
        await live.stop()
    }

    @Test func `show finds a run whatever its ID holds`() async throws {
        let live = try live([Samples.watch(ControlSessionTests.two.description)])
        let shown = await live.run(json: true) { session throws(ControlFailure) in
            try session.show(ControlSessionTests.two)
        }
        #expect(shown.document?["run"] == .string("a/b c"))
        let missing = await live.run { session throws(ControlFailure) in
            try session.show(WatchName(service: "w", run: "0"))
        }
        #expect(missing.exit == .notFound)
        #expect(
            missing.warnings == ["There is no watch 'w/0'; `runwatchctl list` shows them all."])
        await live.stop()
    }

    @Test func `events are lines, or one document`() async throws {
        let live = try live(events: 1200)
        let lines = await live.run { session throws(ControlFailure) in
            try session.events(since: nil, follow: false)
        }
        #expect(lines.output.lines.count == 1200)
        let since = Samples.noon.advanced(by: .seconds(1199)).description
        let json = await live.run(json: true) { session throws(ControlFailure) in
            try session.events(since: since, follow: false)
        }
        let numbers = json.document?["events"]?.arrayValue?.map { $0["number"]?.integerValue }
        #expect(numbers == [1199, 1200])
        await live.stop()
    }

    @Test func `a reader that goes away ends a long output`() async throws {
        let live = try live(events: 1200)
        let cut = await live.run(output: CapturedOutput(limit: 3)) {
            session throws(ControlFailure) in
            try session.events(since: nil, follow: false)
        }
        #expect(cut.exit == .done)
        #expect(cut.output.lines.count == 3)
        await live.stop()
    }

    // MARK: Following

    @Test(.timeLimit(.minutes(1)))
    func `following shows each event once, through a restart of the daemon`() async throws {
        let live = try live(events: 2)
        let output = CapturedOutput(limit: 6)
        let followed = Task {
            await live.run(json: true, output: output) { session throws(ControlFailure) in
                try session.events(since: nil, follow: true)
            }
        }
        #expect(await eventually { live.backend.followers == 1 })
        live.backend.commit()
        #expect(await eventually { output.lines.count == 1 })
        await live.stop()
        // Recorded while nobody was connected.
        live.backend.commit()
        live.backend.commit()
        try live.start()
        #expect(await eventually { output.lines.count == 3 })
        for _ in 0..<3 { live.backend.commit() }
        #expect(await followed.value.exit == .done)
        let numbers = output.lines.map { line in
            (try? JSONValue(parsing: line))?["number"]?.integerValue
        }
        #expect(numbers == [3, 4, 5, 6, 7, 8])
        await live.stop()
    }

    // MARK: Waiting

    @Test func `waiting for what is final ends at once`() async throws {
        let live = try live([Samples.watch("w/1", .complete)])
        let waited = await live.run { session throws(ControlFailure) in
            try session.wait([ControlSessionTests.one], isAny: false, timeout: nil)
        }
        #expect(waited.exit == .done)
        #expect(waited.text == "w/1  complete  after 12m\n")
        #expect(waited.warnings.isEmpty)
        await live.stop()
    }

    @Test(.timeLimit(.minutes(1)))
    func `waiting ends when the last run does, and says which failed`() async throws {
        let live = try live([
            Samples.watch("w/1"), Samples.watch(ControlSessionTests.two.description),
        ])
        let waiting = Task {
            await live.run(json: false) { session throws(ControlFailure) in
                try session.wait(
                    [ControlSessionTests.one, ControlSessionTests.two], isAny: false,
                    timeout: .seconds(50))
            }
        }
        #expect(await eventually { live.backend.followers == 1 })
        live.backend.move(ControlSessionTests.two, to: .error)
        live.backend.move(ControlSessionTests.one, to: .complete)
        let waited = await waiting.value
        #expect(waited.exit == .failed)
        #expect(
            waited.output.lines.sorted().map { $0.prefix(12) } == ["w/1  complet", "w/a/b c  err"])
        #expect(waited.warnings == ["1 of 2 runs did not complete: w/a/b c (error)"])
        await live.stop()
    }

    @Test(.timeLimit(.minutes(1)))
    func `waiting for any ends with the first, in one document with all`() async throws {
        let live = try live([
            Samples.watch("w/1"), Samples.watch(ControlSessionTests.two.description),
        ])
        let waiting = Task {
            await live.run(json: true) { session throws(ControlFailure) in
                try session.wait(
                    [ControlSessionTests.one, ControlSessionTests.two], isAny: true,
                    timeout: .seconds(50))
            }
        }
        #expect(await eventually { live.backend.followers == 1 })
        live.backend.move(ControlSessionTests.two, to: .complete)
        let waited = await waiting.value
        #expect(waited.exit == .done)
        let states = waited.document?["watches"]?.arrayValue?.map { $0["state"]?.stringValue }
        #expect(states == ["running", "complete"])
        await live.stop()
    }

    @Test func `waiting for a watch that is not there fails`() async throws {
        let live = try live([Samples.watch("w/1")])
        let waited = await live.run { session throws(ControlFailure) in
            try session.wait(
                [ControlSessionTests.one, WatchName(service: "w", run: "0")], isAny: false,
                timeout: nil)
        }
        #expect(waited.exit == .notFound)
        await live.stop()
    }

    @Test(arguments: [Duration.zero, .milliseconds(300)])
    func `waiting gives up at its timeout`(timeout: Duration) async throws {
        let live = try live([Samples.watch("w/1")])
        let waited = await live.run { session throws(ControlFailure) in
            try session.wait([ControlSessionTests.one], isAny: false, timeout: timeout)
        }
        #expect(waited.exit == .timedOut)
        #expect(
            waited.warnings == ["not final after \(DurationText.format(timeout)): w/1"])
        await live.stop()
    }

    @Test(.timeLimit(.minutes(1)))
    func `waiting goes on through a restart, also when the run ends meanwhile`() async throws {
        let live = try live([Samples.watch("w/1")])
        let waiting = Task {
            await live.run { session throws(ControlFailure) in
                try session.wait([ControlSessionTests.one], isAny: false, timeout: .seconds(50))
            }
        }
        #expect(await eventually { live.backend.edit { !$0.asked.isEmpty } })
        await live.stop()
        live.backend.move(ControlSessionTests.one, to: .killed)
        try live.start()
        let waited = await waiting.value
        #expect(waited.exit == .failed)
        #expect(waited.output.lines.count == 1)
        await live.stop()
    }

    @Test(.timeLimit(.minutes(1)))
    func `waiting says once that a watch was removed, and ends when it is gone`() async throws {
        let live = try live([Samples.watch("w/1")])
        let output = CapturedOutput()
        let waiting = Task {
            await live.run(output: output) { session throws(ControlFailure) in
                var session = session
                session.lookInterval = .milliseconds(20)
                return try session.wait([ControlSessionTests.one], isAny: false, timeout: nil)
            }
        }
        #expect(await eventually { live.backend.followers == 1 })
        live.backend.edit { state in
            state.watches[0].origin = nil
            state.watches[0].nextPollAt = nil
        }
        #expect(await eventually { !output.warnings.isEmpty })
        // It is told again to nobody, also behind a restart.
        await live.stop()
        try live.start()
        #expect(await eventually { live.backend.followers == 1 })
        live.backend.move(ControlSessionTests.one, to: .complete)
        #expect(await waiting.value.exit == .done)
        let words = "w/1 has left the watch list, or was removed, and is polled no more"
        #expect(output.warnings == [words])
        await live.stop()
    }

    @Test(.timeLimit(.minutes(1)))
    func `waiting ends when its watch is not there any more`() async throws {
        let live = try live([Samples.watch("w/1")])
        let waiting = Task {
            await live.run { session throws(ControlFailure) in
                var session = session
                session.lookInterval = .milliseconds(20)
                return try session.wait([ControlSessionTests.one], isAny: false, timeout: nil)
            }
        }
        #expect(await eventually { live.backend.followers == 1 })
        live.backend.edit { $0.watches.removeAll() }
        #expect(await waiting.value.exit == .notFound)
        await live.stop()
    }

    // MARK: Changing

    @Test func `poll and rewatch name each watch, or give its document`() async throws {
        // The tests may run as any user; only the server's answer matters where it may not change.
        let mayChange = geteuid() == 0
        let live = try live([Samples.watch("w/1"), Samples.watch("w/2")])
        let names = [ControlSessionTests.one, WatchName(service: "w", run: "2")]
        let polled = await live.run { session throws(ControlFailure) in try session.poll(names) }
        #expect(polled.exit == (mayChange ? .done : .denied))
        guard mayChange else { return await live.stop() }
        #expect(polled.output.lines.map { $0.prefix(28) }.first == "w/1  will be polled now; las")
        #expect(live.backend.edit { $0.polled } == names)
        let one = await live.run(json: true) { session throws(ControlFailure) in
            try session.rewatch([names[0]])
        }
        #expect(one.document?["name"] == .string("w/1"))
        let both = await live.run(json: true) { session throws(ControlFailure) in
            try session.rewatch(names)
        }
        #expect(both.document?["watches"]?.arrayValue?.count == 2)
        await live.stop()
    }

    @Test func `a reload of a faulty configuration prints every error`() async throws {
        guard geteuid() == 0 else { return }
        let live = try live()
        live.backend.edit { $0.reload = ReloadView(isOK: false, errors: ["a:1:1: x", "a:2:1: y"]) }
        let text = await live.run { session throws(ControlFailure) in try session.reload() }
        #expect(text.exit == .failed)
        #expect(text.text == "a:1:1: x\na:2:1: y\n2 errors; nothing was changed\n")
        let json = await live.run(json: true) { session throws(ControlFailure) in
            try session.reload()
        }
        #expect(json.exit == .failed)
        #expect(json.document?["errors"]?.arrayValue?.count == 2)
        live.backend.edit { $0.reload = ReloadView(isOK: true, added: 1, removed: 2) }
        let good = await live.run { session throws(ControlFailure) in try session.reload() }
        #expect(good.exit == .done)
        #expect(good.text == "reloaded: watches 1 added, 2 removed\n")
        await live.stop()
    }

    // MARK: Faults

    @Test func `without a socket there is no daemon`() async throws {
        let live = try live()
        await live.stop()
        unlink(live.socket)
        let outcome = await live.run { session throws(ControlFailure) in try session.status() }
        #expect(outcome.exit == .noDaemon)
        #expect(outcome.warnings.first?.hasPrefix("there is no socket at \(live.socket)") == true)
        let waited = await live.run { session throws(ControlFailure) in
            try session.wait([ControlSessionTests.one], isAny: false, timeout: nil)
        }
        #expect(waited.exit == .noDaemon)
    }

    @Test func `nobody is told to join the group root`() {
        #expect(
            ControlClient.remedy(group: 0)
                == "run as root, or have control.group name a group of yours")
        #expect(ControlClient.remedy(group: nil) == "join its group, or run as root")
        #expect(
            ControlClient.remedy(group: 1)
                == "join the group 'daemon' and log in again, or run as root")
    }

    @Test func `a file that is no socket is said to be none`() async throws {
        for path in ["/dev/null", "/"] {
            let session = ControlSession(socket: path, output: CapturedOutput().controlOutput)
            let failure = await withCheckedContinuation { continuation in
                DispatchQueue(label: "test.verb").async {
                    do throws(ControlFailure) {
                        _ = try session.status()
                        continuation.resume(returning: ControlFailure?.none)
                    } catch {
                        continuation.resume(returning: error)
                    }
                }
            }
            #expect(failure?.exit == .noDaemon)
            #expect(failure?.message.hasPrefix("\(path) is no socket; ") == true)
        }
    }

    @Test func `a socket that nobody listens at is no daemon`() async throws {
        let live = try live()
        await live.stop()
        let outcome = await live.run { session throws(ControlFailure) in try session.status() }
        #expect(outcome.exit == .noDaemon)
    }

    @Test func `a path that no socket can have is wrong usage`() async throws {
        let path = "/tmp/" + String(repeating: "x", count: 120)
        let client = ControlClient(socket: path)
        #expect {
            try client.get("/v1/status")
        } throws: {
            ($0 as? ControlFailure)?.exit == .usage
        }
    }

    @Test func `a database that is busy is told in the daemon's words`() async throws {
        let live = try live()
        live.backend.edit { $0.failure = Problem(.unavailable, "The database is busy.") }
        let outcome = await live.run { session throws(ControlFailure) in
            try session.list(WatchQuery())
        }
        #expect(outcome.exit == .noDaemon)
        #expect(outcome.warnings == ["The database is busy."])
        let followed = await live.run { session throws(ControlFailure) in
            try session.events(since: nil, follow: true)
        }
        #expect(followed.exit == .noDaemon)
        #expect(followed.warnings == ["The database is busy."])
        await live.stop()
    }
}
