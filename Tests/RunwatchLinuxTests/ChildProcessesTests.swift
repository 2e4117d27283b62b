import Glibc
import RunwatchLinux
import TestSupport
import Testing

/// What a program is given, and what is learned of it.
@Suite(.timeLimit(.minutes(2))) struct ChildProcessesTests {
    let folder = TemporaryFolder()

    private func program(
        _ path: String, _ arguments: [String] = [], input: [UInt8] = []
    ) -> ChildProgram {
        ChildProgram(
            path: path, arguments: arguments, input: input, timeout: .seconds(60), keptOutput: 4096)
    }

    @Test(arguments: [true, false])
    func `input comes in, output comes out and the exit code is told`(
        usesDescriptors: Bool
    ) async {
        let runner = ProgramRunner(usesDescriptors: usesDescriptors)
        let script = "cat; echo out; echo err >&2; echo out again; exit 7"
        let ending = await runner.run(.shell(script, input: Array("in\n".utf8)))
        let text = "in\nout\nerr\nout again\n"
        #expect(
            ending
                == ChildEnding(
                    how: .exited(7), output: Array(text.utf8), outputBytes: text.utf8.count))
        #expect(await runner.run(program("/bin/true")) == ChildEnding(how: .exited(0)))
        #expect(await runner.count() == 0)
    }

    @Test func `the environment is the given one and nothing else`() async {
        let runner = ProgramRunner()
        var printer = program("/usr/bin/env")
        #expect(await runner.run(printer) == ChildEnding(how: .exited(0)))
        printer.environment = [
            ("B", "2"), ("A", "1"), ("EMPTY", ""), ("TEXT", "a  b=c $HOME * 'ü'"),
        ]
        let ending = await runner.run(printer)
        #expect(ending.text == "B=2\nA=1\nEMPTY=\nTEXT=a  b=c $HOME * 'ü'\n")
    }

    @Test func `arguments arrive as they are, and no shell sees them`() async {
        let words = ["", "a b", "$HOME", "*", "`id`", "; id", "ü\n", "\"'"]
        let ending = await ProgramRunner().run(program("/usr/bin/printf", ["%s|"] + words))
        #expect(ending.text == words.map { "\($0)|" }.joined())
    }

    @Test func `a program starts in its folder, by default in ours`() async {
        let runner = ProgramRunner()
        var printer = program("/bin/pwd")
        var buffer = [CChar](repeating: 0, count: 4096)
        let own = getcwd(&buffer, buffer.count).map { String(cString: $0) }
        #expect(await runner.run(printer).text == own.map { "\($0)\n" })
        printer.workingDirectory = folder.path
        #expect(await runner.run(printer).text == "\(folder.path)\n")
    }

    @Test func `no descriptor is inherited, even one that was not marked to be closed`() async {
        let marked = fcntl(STDERR_FILENO, F_DUPFD, 100)
        #expect(marked >= 100)
        defer { close(marked) }
        let ending = await ProgramRunner().run(program("/bin/ls", ["/proc/self/fd"]))
        // The last one is the folder that ls itself reads.
        #expect(ending.numbers == [0, 1, 2, 3])
    }

    @Test func `signals are as a program expects them`() async throws {
        SignalSources.ignoreFatalWrites()
        let ending = await ProgramRunner().run(
            program("/bin/grep", ["-E", "^Sig(Blk|Ign)|^ShdPnd", "/proc/self/status"]))
        let lines = ending.text.split(separator: "\n")
        #expect(lines.count == 3)
        for line in lines {
            let mask = try #require(UInt64(line.suffix(16), radix: 16))
            // 32 and 33 are the C library's own, which a program cannot wish otherwise.
            #expect(mask & ~(3 << 31) == 0, "\(line)")
        }
    }

    @Test func `a program has a session and a group of its own, and no terminal`() async throws {
        let ending = await ProgramRunner().run(program("/bin/cat", ["/proc/self/stat"]))
        // "PID (cat) STATE PARENT GROUP SESSION TERMINAL …": proc_pid_stat(5)
        let fields = ending.text.split(separator: " ").map { String($0) }
        try #require(fields.count > 6)
        #expect(fields[3] == "\(getpid())")
        #expect(fields[4] == fields[0])
        #expect(fields[5] == fields[0])
        #expect(fields[6] == "0")
    }

    @Test func `input and output are pipes that can be opened by name`() async {
        let script = "read line </dev/stdin; echo \"$line\" >/dev/stdout; echo err >/dev/stderr"
        let ending = await ProgramRunner().run(.shell(script, input: Array("text\n".utf8)))
        #expect(ending.text == "text\nerr\n")
    }

    @Test func `megabytes go in and out at once`() async {
        let input = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        var copier = program("/bin/cat", input: input)
        copier.keptOutput = input.count
        let ending = await ProgramRunner().run(copier)
        #expect(ending.how == .exited(0))
        #expect(ending.outputBytes == input.count)
        #expect(ending.output == input)
    }

    @Test func `of much output the beginning, the end and the size are kept`() async {
        let lines = (1...200_000).map { "\($0)\n" }.joined()
        let ending = await ProgramRunner().run(.shell("seq 1 200000", keptOutput: 100))
        #expect(ending.how == .exited(0))
        #expect(ending.outputBytes == lines.utf8.count)
        let left = lines.utf8.count - 100
        #expect(ending.text == "\(lines.prefix(50))\n[\(left) bytes left out]\n\(lines.suffix(50))")
    }

    @Test(arguments: [SIGSEGV, SIGKILL, SIGTERM, SIGPIPE])
    func `a signal that ends a program is told`(number: Int32) async {
        let ending = await ProgramRunner().run(.shell("echo before; kill -\(number) $$"))
        #expect(ending.how == .signalled(number))
        #expect(ending.text == "before\n")
    }

    @Test(arguments: [true, false])
    func `many run at once`(usesDescriptors: Bool) async {
        let runner = ProgramRunner(usesDescriptors: usesDescriptors)
        let codes = await withTaskGroup(of: ChildEnding.How.self) { group in
            for number in 0..<60 {
                group.addTask { await runner.run(.shell("cat; exit \(number)")).how }
            }
            return await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(codes == Set((0..<60).map { .exited($0) }))
        #expect(await runner.count() == 0)
    }

    // MARK: - What cannot be started

    /// Why the program was not started.
    private func failure(_ program: ChildProgram) async throws -> SystemCallError {
        let ending = await ProgramRunner().run(program)
        guard case .notStarted(let error) = ending.how else {
            Issue.record("it was started: \(ending)")
            return SystemCallError(call: "", errno: 0)
        }
        #expect(ending.output.isEmpty && ending.outputBytes == 0)
        #expect(error.call.hasPrefix("start \(program.path)"))
        return error
    }

    /// Makes an executable file, by a program: what this process has open for writing is open for a moment
    /// in every program that is started meanwhile, and such a file cannot be executed (`ETXTBSY`).
    private func script(_ name: String, _ text: String) async -> String {
        let path = folder.path(name)
        let ending = await ProgramRunner().run(
            .shell("cat >\(path); chmod 755 \(path)", input: Array(text.utf8)))
        #expect(ending == ChildEnding(how: .exited(0)))
        return path
    }

    @Test func `a file that is no program is told with the cause`() async throws {
        #expect(try await failure(program(folder.path("missing"))).errno == ENOENT)
        #expect(try await failure(program(folder.path)).errno == EACCES)
        let text = folder.write("text", "#!/bin/sh\n")
        let refused = try await failure(program(text))
        #expect(refused.errno == EACCES)
        #expect(refused.call.contains("not executable"))
        #expect(try await failure(program("\(text)/inside")).errno == ENOTDIR)
    }

    @Test func `a bad interpreter or none is told`() async throws {
        let missing = try await failure(
            program(await script("missing", "#!/no/such/interpreter\n")))
        #expect(missing.errno == ENOENT)
        #expect(missing.call.contains("the interpreter that it names is not"))
        let none = try await failure(program(await script("none", "echo never through a shell\n")))
        #expect(none.errno == ENOEXEC)
        #expect(none.call.contains("#!"))
        #expect(try await failure(program(await script("empty", ""))).errno == ENOEXEC)
    }

    @Test func `a folder that it cannot start in is told by name`() async throws {
        var printer = program("/bin/pwd")
        for (path, code) in [(folder.path("gone"), ENOENT), (folder.write("file", ""), ENOTDIR)] {
            printer.workingDirectory = path
            let error = try await failure(printer)
            #expect(error.errno == code)
            #expect(error.call.contains(path))
        }
    }

    @Test func `what would arrive as something else is refused`() async throws {
        var wrong = [program("bin/true"), program(""), program("/bin/true\0x")]
        wrong.append(program("/bin/true", ["fine", "a\0b"]))
        for name in ["", "A=B", "A\0"] {
            var one = program("/bin/true")
            one.environment = [(name, "value")]
            wrong.append(one)
        }
        var value = program("/bin/true")
        value.environment = [("NAME", "secret\0")]
        var place = program("/bin/true")
        place.workingDirectory = "/tmp\0"
        for program in wrong + [value, place] {
            let error = try await failure(program)
            #expect(error.errno == EINVAL)
            #expect(!error.call.contains("secret"))
        }
        let long = try await failure(
            program("/bin/true", [String(repeating: "x", count: 1 << 20)]))
        #expect(long.errno == E2BIG)
    }
}
