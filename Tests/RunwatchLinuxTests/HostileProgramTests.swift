import Glibc
import RunwatchLinux
import TestSupport
import Testing

/// Programs that misbehave, each in a way that has hung somebody.
@Suite(.timeLimit(.minutes(2))) struct HostileProgramTests {
    let folder = TemporaryFolder()
    /// More than any pipe takes.
    let largeInput = [UInt8](repeating: 65, count: 2 << 20)

    // MARK: - Time

    @Test(arguments: [true, false])
    func `one that hangs is ended, and what it printed is told`(usesDescriptors: Bool) async {
        let runner = ProgramRunner(usesDescriptors: usesDescriptors)
        let ending = await runner.runUntilReady("echo ready; exec sleep 1000")
        #expect(
            ending == ChildEnding(how: .timedOut, output: Array("ready\n".utf8), outputBytes: 6))
    }

    @Test func `one that cleans up when it is ended has the time to`() async {
        let script = """
            trap 'echo bye; exit 0' TERM
            echo ready
            while :; do sleep 0.01; done
            """
        let ending = await ProgramRunner().runUntilReady(script)
        #expect(ending.how == .timedOut)
        // The shell may tell that the sleep was ended too.
        #expect(ending.text.hasSuffix("\nbye\n"))
    }

    @Test(arguments: [true, false])
    func `one that ignores SIGTERM is killed, and its children too`(usesDescriptors: Bool) async {
        let script = """
            trap '' TERM INT HUP
            echo ready
            echo $$
            sleep 1000 & echo $!
            wait
            sleep 1000
            """
        let runner = ProgramRunner(usesDescriptors: usesDescriptors)
        let ending = await runner.runUntilReady(script, grace: .milliseconds(50))
        #expect(ending.how == .timedOut)
        #expect(ending.numbers.count == 2)
        for pid in ending.numbers { #expect(await until { isGone(pid) }) }
    }

    @Test func `one that has stopped itself is ended by SIGTERM all the same`() async {
        let script = "trap 'echo bye; exit' TERM; echo ready; kill -STOP $$; sleep 1000"
        let ending = await ProgramRunner().runUntilReady(script)
        #expect(ending.how == .timedOut)
        #expect(ending.text == "ready\nbye\n")
    }

    @Test func `without any time it is ended at once`() async {
        for timeout in [Duration.zero, .seconds(-1)] {
            let ending = await ProgramRunner().run(
                .shell("sleep 1000", timeout: timeout, grace: timeout))
            #expect(ending.how == .timedOut)
        }
        let patient = await ProgramRunner().run(
            .shell("exit 3", timeout: .seconds(Int64.max), grace: .seconds(Int64.max)))
        #expect(patient.how == .exited(3))
    }

    // MARK: - What is left behind

    @Test(arguments: [true, false])
    func `a child left behind that holds the pipes is killed and not waited for`(
        usesDescriptors: Bool
    ) async {
        let runner = ProgramRunner(usesDescriptors: usesDescriptors)
        let ending = await runner.run(.shell("sleep 1000 & echo $!; exit 3"))
        #expect(ending.how == .exited(3))
        #expect(ending.numbers.count == 1)
        for pid in ending.numbers { #expect(await until { isGone(pid) }) }
    }

    /// A script that starts something in the background, prints a line and ends.
    ///
    /// - Parameter starter: How it is started; the file `pid` is there when it runs.
    private func leaving(_ command: String, starter: String = "") -> String {
        let path = folder.path("pid")
        return """
            ( \(starter) \(announcing(path, then: command)) & )
            while ! [ -e \(path) ]; do sleep 0.01; done
            echo over
            """
    }

    @Test func `a grandchild by a double fork that ignores every signal is killed`() async throws {
        let script = leaving("trap : TERM HUP INT; while :; do sleep 1000; done")
        let ending = await ProgramRunner().run(.shell(script, input: largeInput))
        #expect(ending.how == .exited(0))
        #expect(ending.text == "over\n")
        let pid = try #require(await processID(in: folder.path("pid")))
        #expect(await until { isGone(pid) })
    }

    @Test(arguments: [true, false])
    func `a daemon in another session that holds the pipes is not waited for`(
        usesDescriptors: Bool
    ) async throws {
        let runner = ProgramRunner(usesDescriptors: usesDescriptors)
        let script = leaving("exec sleep 1000", starter: "setsid")
        let ending = await runner.run(.shell(script, input: largeInput))
        let pid = try #require(await processID(in: folder.path("pid")))
        defer { kill(pid, SIGKILL) }
        #expect(ending.how == .exited(0))
        #expect(ending.text == "over\n")
        // No signal to the group reaches it: this is where the promise ends.
        #expect(!isGone(pid))
    }

    @Test func `a daemon that prints for ever does not keep the reader`() async throws {
        let ending = await ProgramRunner().run(.shell(leaving("exec yes", starter: "setsid")))
        let pid = try #require(await processID(in: folder.path("pid")))
        #expect(ending.how == .exited(0))
        // Nobody reads its pipe any more.
        #expect(await until { isGone(pid) })
    }

    // MARK: - Output

    @Test func `one that prints for ever is read at a bounded pace until its time is over`() async {
        let clock = ContinuousClock()
        let start = clock.now
        let ending = await ProgramRunner().run(
            .shell("exec yes", timeout: .milliseconds(700), keptOutput: 1000))
        let elapsed = clock.now - start
        #expect(ending.how == .timedOut)
        #expect(ending.output.count < 1100)
        #expect(ending.outputBytes > 1000)
        // A first MiB at once, 64 KiB for each 10 ms, and a pipe's content at the end.
        let pauses = Int(elapsed / .milliseconds(10)) + 2
        #expect(ending.outputBytes <= 1 << 20 + pauses * (64 << 10) + 1 << 20)
    }

    @Test func `one that prints megabytes and ends is read to the end`() async {
        let ending = await ProgramRunner().run(
            .shell("head -c 3000000 /dev/zero; echo end", keptOutput: 8))
        #expect(ending.how == .exited(0))
        #expect(ending.outputBytes == 3_000_004)
        #expect(ending.output.suffix(4).elementsEqual("end\n".utf8))
    }

    @Test func `one that closes its output is waited for still`() async {
        let ending = await ProgramRunner().run(
            .shell(
                "exec >&- 2>&-; i=0; while [ $i -lt 10 ]; do sleep 0.01; i=$((i+1)); done; exit 4"))
        #expect(ending == ChildEnding(how: .exited(4)))
    }

    // MARK: - Input

    @Test(arguments: [
        "exec <&-; echo done", "echo done", "head -c 10 >/dev/null; echo done",
        "sleep 0.1; head -c 100000 >/dev/null; sleep 0.1; echo done",
    ])
    func `input that is not read is no fault`(script: String) async {
        let ending = await ProgramRunner().run(.shell(script, input: largeInput))
        #expect(ending.how == .exited(0))
        #expect(ending.text == "done\n")
    }

    @Test func `one that ends before its input is written has just ended`() async {
        let runner = ProgramRunner()
        for _ in 0..<50 {
            let ending = await runner.run(
                ChildProgram(
                    path: "/bin/true", input: largeInput, timeout: .seconds(60), keptOutput: 10))
            #expect(ending == ChildEnding(how: .exited(0)))
        }
    }

    @Test func `one that never reads its input and hangs is ended`() async {
        let ending = await ProgramRunner().run(
            .shell("exec sleep 1000", input: largeInput, timeout: .milliseconds(100)))
        #expect(ending.how == .timedOut)
    }

    @Test func `all of a long input arrives however slowly it is read`() async {
        let script = "while [ $(head -c 200000 | wc -c) -gt 0 ]; do sleep 0.01; done; echo all"
        let ending = await ProgramRunner().run(.shell(script, input: largeInput))
        #expect(ending.text == "all\n")
        let count = await ProgramRunner().run(.shell("sleep 0.1; wc -c", input: largeInput))
        #expect(count.numbers == [2 << 20])
    }

    // MARK: - The end of it all

    /// Starts programs that ignore all signals; gives their numbers, and their ends to be awaited.
    private func startStubborn(
        _ runner: ProgramRunner, _ count: Int
    ) async -> (pids: [Int32], endings: [Task<ChildEnding, Never>]) {
        var pids: [Int32] = []
        var endings: [Task<ChildEnding, Never>] = []
        for number in 0..<count {
            let path = folder.path("stubborn\(number)")
            let script =
                "trap '' TERM; echo ready; exec "
                + announcing(path, then: "while :; do sleep 1000; done")
            let input = largeInput
            endings.append(Task { await runner.run(.shell(script, input: input)) })
            if let pid = await processID(in: path) { pids.append(pid) }
        }
        #expect(pids.count == count)
        return (pids, endings)
    }

    @Test func `the end kills everything and tells everyone`() async {
        let runner = ProgramRunner()
        let (pids, endings) = await startStubborn(runner, 3)
        #expect(await runner.count() == 3)
        await runner.close()
        await runner.close()
        for ending in endings {
            #expect(await ending.value == ChildEnding(how: .cancelled))
        }
        for pid in pids { #expect(await until { isGone(pid) }) }
        #expect(await runner.count() == 0)
        #expect(await runner.run(.shell("echo late")) == ChildEnding(how: .cancelled))
    }

    @Test func `after all were cancelled others can run`() async {
        let runner = ProgramRunner()
        let (pids, endings) = await startStubborn(runner, 2)
        await runner.cancelAll()
        for ending in endings { #expect(await ending.value.how == .cancelled) }
        for pid in pids { #expect(await until { isGone(pid) }) }
        #expect(await runner.run(.shell("exit 9")).how == .exited(9))
    }
}
