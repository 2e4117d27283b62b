import RunwatchControl
import RunwatchCore
import Synchronization
import Testing

/// `add` and `remove`, over a socket.
@Suite struct WatchSessionTests {
    private func batches(
        _ batches: [[String]], failure: ControlFailure? = nil
    ) -> @Sendable () throws(ControlFailure) -> [String]? {
        let rest = Mutex(batches[...])
        return { () throws(ControlFailure) in
            if let next = rest.withLock({ $0.popFirst() }) { return next }
            if let failure { throw failure }
            return nil
        }
    }

    @Test func `add says what became of each run, batch after batch`() async throws {
        let backend = FakeBackend(watches: [
            Samples.watch("warehouse/1"), Samples.watch("warehouse/2", .error),
        ])
        let live = try LiveControl(backend)
        let next = batches([["1", "2"], ["a\u{1B}b\nc"]])
        let added = await live.run { session throws(ControlFailure) in
            try session.add(AskedWatches(service: "warehouse", label: "l"), batches: next)
        }
        #expect(added.exit == .done)
        #expect(
            added.output.lines == [
                "warehouse/1  is watched already, by watches.yaml:12",
                "warehouse/2  has ended as error; `runwatchctl rewatch` starts it afresh",
                "warehouse/a\\u{1b}b\\nc  is watched",
            ])
        #expect(
            backend.edit { $0.added }
                == [
                    AskedWatches(service: "warehouse", ids: ["1", "2"], label: "l"),
                    AskedWatches(service: "warehouse", ids: ["a\u{1B}b\nc"], label: "l"),
                ])
        await live.stop()
    }

    @Test func `add gives one document, however many requests it took`() async throws {
        let live = try LiveControl(FakeBackend())
        let all = (0..<1200).map(String.init)
        let next = batches([Array(all[..<500]), Array(all[500..<1000]), Array(all[1000...])])
        let added = await live.run(json: true) { session throws(ControlFailure) in
            try session.add(AskedWatches(service: "warehouse"), batches: next)
        }
        let runs = added.document?["watches"]?.arrayValue?.compactMap { $0["run"]?.stringValue }
        #expect(runs == all)
        #expect(added.document?.members?.map(\.name) == ["watches"])
        let none = batches([])
        let nothing = await live.run(json: true) { session throws(ControlFailure) in
            try session.add(AskedWatches(service: "warehouse"), batches: none)
        }
        #expect(nothing.exit == .done)
        #expect(nothing.document?["watches"]?.arrayValue?.isEmpty == true)
        #expect(nothing.warnings.count == 1)
        await live.stop()
    }

    @Test func `what was added before a refusal is a document all the same`() async throws {
        let live = try LiveControl(FakeBackend())
        let failure = ControlFailure(.usage, "standard input, line 3: the ID is empty")
        let next = batches([["1"]], failure: failure)
        let added = await live.run(json: true) { session throws(ControlFailure) in
            try session.add(AskedWatches(service: "warehouse"), batches: next)
        }
        #expect(added.exit == .usage)
        #expect(added.document?["watches"]?.arrayValue?.count == 1)
        #expect(added.warnings == [failure.message])
        await live.stop()
    }

    @Test(arguments: [
        (Problem.Code.badBody, RunwatchControl.ExitStatus.usage), (.unsupportedType, .usage),
        (.conflict, .usage),
        (.permissionDenied, .denied), (.unavailable, .noDaemon),
    ])
    func `a refusal ends add with its code`(code: Problem.Code, exit: RunwatchControl.ExitStatus)
        async throws
    {
        let live = try LiveControl(FakeBackend())
        live.backend.edit { $0.failure = Problem(code, "no") }
        let next = batches([["1"]])
        let added = await live.run { session throws(ControlFailure) in
            try session.add(AskedWatches(service: "warehouse"), batches: next)
        }
        #expect(added.exit == exit)
        #expect(added.warnings == ["no"])
        await live.stop()
    }

    @Test func `remove ends watches, and says which cannot be ended`() async throws {
        let live = try LiveControl(FakeBackend(watches: [Samples.watch("warehouse/1")]))
        let runs = ["a/b", "..", "%2F", "c"]
        let next = batches([runs])
        _ = await live.run { session throws(ControlFailure) in
            try session.add(AskedWatches(service: "warehouse"), batches: next)
        }
        let names = runs.map { WatchName(service: "warehouse", run: $0) }
        let removed = await live.run { session throws(ControlFailure) in
            try session.remove(Array(names.prefix(2)))
        }
        #expect(removed.exit == .done)
        #expect(
            removed.output.lines == [
                "warehouse/a/b  is watched no more", "warehouse/..  is watched no more",
            ])
        let one = await live.run(json: true) { session throws(ControlFailure) in
            try session.remove([names[2]])
        }
        #expect(one.document?["run"]?.stringValue == "%2F")
        let ofFile = await live.run { session throws(ControlFailure) in
            try session.remove([names[3], WatchName(literal: "warehouse/1")])
        }
        #expect(ofFile.exit == .usage)
        #expect(ofFile.output.lines == ["warehouse/c  is watched no more"])
        let gone = await live.run { session throws(ControlFailure) in
            try session.remove([names[0]])
        }
        #expect(gone.exit == .notFound)
        #expect(live.backend.edit { $0.removed } == names)
        await live.stop()
    }

    @Test func `what one watch is refused does not keep the others from it`() async throws {
        let names = ["warehouse/1", "warehouse/no", "warehouse/2"].map { WatchName(literal: $0) }
        let live = try LiveControl(
            FakeBackend(watches: [Samples.watch("warehouse/1"), Samples.watch("warehouse/2")]))
        let polled = await live.run { session throws(ControlFailure) in try session.poll(names) }
        #expect(polled.exit == .notFound)
        #expect(polled.output.lines.count == 2)
        #expect(polled.output.lines.last?.hasPrefix("warehouse/2  ") == true)
        #expect(polled.warnings.count == 1)
        let json = await live.run(json: true) { session throws(ControlFailure) in
            try session.poll(names)
        }
        #expect(json.exit == .notFound)
        let done = json.document?["watches"]?.arrayValue?.compactMap { $0["name"]?.stringValue }
        #expect(done == ["warehouse/1", "warehouse/2"])
        // Nobody can do any of it: it is said once.
        live.backend.edit { $0.failure = Problem(.permissionDenied, "no") }
        let denied = await live.run { session throws(ControlFailure) in try session.poll(names) }
        #expect(denied.exit == .denied)
        #expect(denied.warnings == ["no"])
        await live.stop()
    }
}
