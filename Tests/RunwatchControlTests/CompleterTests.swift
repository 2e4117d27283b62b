import Dispatch
import RunwatchControl
import RunwatchCore
import Testing

/// Candidates from a daemon that is there, and from none.
@Suite struct CompleterTests {
    /// What a script gets, asked on a thread of its own, since it blocks.
    private func answer(_ words: [String], socket: String) async -> (kind: String, values: [String])
    {
        let text = await withCheckedContinuation { continuation in
            DispatchQueue(label: "test.completion").async {
                let goal = CompletionGoal(words, in: CompletionGoalTests.outline)
                // A busy machine is no reason for other candidates.
                var limits = Completer.Limits()
                limits.patience = .seconds(300)
                limits.budget = .seconds(300)
                let completer = Completer(
                    goal, outline: CompletionGoalTests.outline,
                    environment: ["RUNWATCH_SOCKET": socket, "HOME": "/home/nobody"],
                    exists: { _ in false }, limits: limits)
                continuation.resume(returning: completer.completion(for: goal).text)
            }
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        let values = lines.dropFirst().map {
            $0.split(separator: "\t").first.map(String.init) ?? ""
        }
        return (lines.first.map(String.init) ?? "", values)
    }

    private func values(_ live: LiveControl, _ words: String...) async -> [String] {
        await answer(words, socket: live.socket).values
    }

    @Test func `names are found by their beginning, whatever it holds`() async throws {
        let names = [
            "warehouse/1", "warehouse/12", "warehouse/12/3", "warehouse/13", "warehouse/2",
            "warehouse/a b", "warehouse/a;b", "warehouse/ü", "warehouse/\u{E000}x", "other/12",
        ]
        let live = try LiveControl(FakeBackend(watches: names.map { Samples.watch($0) }))
        #expect(
            await values(live, "show", "warehouse/12") == ["warehouse/12", "warehouse/12/3"])
        #expect(await values(live, "show", "warehouse/a ") == ["warehouse/a b"])
        #expect(await values(live, "show", "warehouse/ü") == ["warehouse/ü"])
        #expect(await values(live, "show", "warehouse/\u{E000}") == ["warehouse/\u{E000}x"])
        #expect(await values(live, "show", "warehouse/3") == [])
        #expect(await values(live, "show", "warehouse/").count == 9)
        #expect(await values(live, "wait", "warehouse/12", "warehouse/12") == ["warehouse/12/3"])
        await live.stop()
    }

    @Test func `names that no line could hold are left out`() async throws {
        let names = ["w/a\nb", "w/\u{1B}[2J", "w/\u{202E}x", "w/a\tb", "w/good"]
        let watches = names.map { Samples.watch($0, group: String($0.dropFirst(2))) }
        let live = try LiveControl(FakeBackend(watches: watches))
        #expect(await values(live, "show", "w/") == ["w/good"])
        #expect(await values(live, "list", "--group", "") == ["good"])
        await live.stop()
    }

    @Test func `each verb gets the watches that it is for`() async throws {
        var transient = Samples.watch("w/3", .running)
        transient.origin = "transient"
        let watches = [Samples.watch("w/1", .running), Samples.watch("w/2", .error), transient]
        let live = try LiveControl(FakeBackend(watches: watches))
        #expect(await values(live, "show", "w/") == ["w/1", "w/2", "w/3"])
        #expect(await values(live, "wait", "w/") == ["w/1", "w/3"])
        #expect(await values(live, "wait", "w/2") == ["w/2"])
        #expect(await values(live, "poll", "w/2") == [])
        #expect(await values(live, "rewatch", "w/") == ["w/2"])
        #expect(await values(live, "remove", "w/") == ["w/3"])
        await live.stop()
    }

    @Test func `a long list gives some, and not for long`() async throws {
        let watches = (0..<5000).map { Samples.watch("w/\($0)") }
        let live = try LiveControl(FakeBackend(watches: watches))
        #expect(await values(live, "show", "w/").count == 200)
        #expect(await values(live, "show", "w/499").count == 11)
        await live.stop()
    }

    @Test func `services come first, or their watches when there is one`() async throws {
        let backend = FakeBackend(watches: [Samples.watch("warehouse/1")])
        backend.edit {
            $0.status.services.append(
                ServiceView(name: "warehouse", kind: "kinetica", health: .up))
        }
        let live = try LiveControl(backend)
        let services = ["krixik", "warehouse"]
        let all = await answer(["show", ""], socket: live.socket)
        #expect(all.kind == "partial")
        #expect(all.values == services.map { $0 + "/" })
        #expect(await values(live, "show", "wareh") == ["warehouse/1"])
        #expect(await values(live, "list", "--service=") == services.map { "--service=" + $0 })
        await live.stop()
    }

    @Test func `states go on behind a comma`() async {
        let answer = await answer(["list", "--state", "error,k"], socket: "/no/such")
        #expect(answer.values == ["error,killed"])
        let others = await self.answer(["list", "--state", "error,e"], socket: "/no/such")
        #expect(others.values == [])
    }

    @Test func `so do receivers`() async throws {
        let live = try LiveControl(FakeBackend())
        live.backend.edit { $0.status.receivers.append(ReceiverView(name: "ops", kind: "webhook")) }
        #expect(await values(live, "add", "--notify", "log,") == ["log,ops"])
        #expect(await values(live, "deliveries", "--receiver", "") == ["log", "ops"])
        await live.stop()
    }

    @Test func `without a daemon there is nothing, and no word of it`() async throws {
        for words in [
            ["show", "w"], ["redeliver", ""], ["list", "--group", ""], ["test-receiver", ""],
        ] {
            let answer = await answer(words, socket: "/no/such/socket")
            #expect(answer.kind == "words")
            #expect(answer.values == [])
        }
        let backend = FakeBackend(watches: [Samples.watch("w/1")])
        let live = try LiveControl(backend)
        backend.edit { $0.failure = Problem(.unavailable, "The database is busy.") }
        #expect(await values(live, "show", "w/") == [])
        // The line's own socket goes before the environment's.
        backend.edit { $0.failure = nil }
        #expect(await values(live, "show", "--socket", "/no/such", "w/") == [])
        let found = await answer(["show", "--socket", live.socket, "w/"], socket: "/no/such")
        #expect(found.values == ["w/1"])
        await live.stop()
    }
}
