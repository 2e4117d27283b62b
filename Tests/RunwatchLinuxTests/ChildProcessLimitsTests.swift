import Glibc
import RunwatchLinux
import TestSupport
import Testing

/// What depends on, or could harm, the state of the whole process; each test has a process of its own.
///
/// One after the other: a thread of the tests' pool waits for each such process.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ChildProcessLimitsTests {
    @Test func `hundreds in a row leave no descriptor, no zombie and no memory`() async {
        await #expect(processExitsWith: .success) {
            let descriptors = await settledDescriptors()
            let runner = ProgramRunner()
            let input = [UInt8](repeating: 65, count: 100_000)
            var programs = [
                ChildProgram.shell("cat", input: input, keptOutput: 100_000),
                .shell("exit 1", input: input), .shell("kill -9 $$"), .shell("sleep 1000 & exit 0"),
                .shell("exec sleep 1000", input: input, timeout: .milliseconds(10)),
                .shell("trap '' TERM; yes", timeout: .milliseconds(10), grace: .milliseconds(10)),
                .shell("true"), .shell("true"),
            ]
            programs[6].path = "/no/such/program"
            programs[7].workingDirectory = "/no/such/folder"
            for program in programs { _ = await runner.run(program) }
            let memory = residentPages()
            for _ in 0..<40 {
                for program in programs { _ = await runner.run(program) }
            }
            // They are closed a moment after the end was told.
            #expect(await until { openDescriptors() <= descriptors })
            #expect(!hasChildren())
            #expect(await runner.count() == 0)
            // 320 runs, 40 of which printed 100 kB: a leak of what was read or written is 4 MB at least. A
            // sanitizer keeps memory that is free.
            let isSanitized = dlsym(nil, "__asan_init") != nil || dlsym(nil, "__tsan_init") != nil
            #expect(isSanitized || (residentPages() - memory) * 4096 < 2 << 20)
        }
    }

    @Test func `a process that was told as cancelled is waited for all the same`() async {
        await #expect(processExitsWith: .success) {
            let descriptors = await settledDescriptors()
            do {
                let runner = ProgramRunner()
                let endings = (0..<20).map { _ in
                    Task { await runner.run(.shell("exec sleep 1000")) }
                }
                #expect(await until { hasChildren() })
                while await runner.count() < 20 { await Task.yield() }
                await runner.close()
                for ending in endings { #expect(await ending.value.how == .cancelled) }
            }
            // By now nobody has the runner any more.
            #expect(await until { !hasChildren() && openDescriptors() <= descriptors })
        }
    }

    @Test func `without a free descriptor nothing starts, and with one again it does`() async {
        await #expect(processExitsWith: .success) {
            let used = await settledDescriptors()
            let runner = ProgramRunner()
            let program = ChildProgram(
                path: "/bin/cat", input: [65], timeout: .seconds(60), keptOutput: 10)
            // Dispatch opens what it needs for itself.
            _ = await runner.run(program)
            let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
            var whole = rlimit()
            getrlimit(files, &whole)
            // Four are needed; with fewer, each step on the way fails once. Nothing is judged before there are
            // descriptors again: to record a failure may take one.
            var endings: [ChildEnding] = []
            for highest: rlim_t in 3..<60 {
                var limit = whole
                limit.rlim_cur = highest
                setrlimit(files, &limit)
                endings.append(await runner.run(program))
            }
            setrlimit(files, &whole)
            endings.append(await runner.run(program))
            let good = ChildEnding(how: .exited(0), output: [65], outputBytes: 1)
            #expect(endings.last == good)
            for ending in endings where ending != good {
                guard case .notStarted(let error) = ending.how else {
                    Issue.record("\(ending)")
                    continue
                }
                #expect(error.errno == EMFILE, "\(error)")
            }
            #expect(endings.contains { $0 != good })
            #expect(await until { openDescriptors() <= used })
        }
    }

    /// A program that a debugger (ptrace(2)) holds on to after its end has ended by its descriptor, and cannot
    /// be waited for.
    @Test(.enabled(if: access("/usr/bin/perl", X_OK) == 0 && traceCall != nil))
    func `one that a debugger does not let go is given up, and costs nothing`() async {
        await #expect(processExitsWith: .success) {
            let folder = TemporaryFolder()
            let path = folder.path("tracer")
            // 0x4206: PTRACE_SEIZE.
            let tracer = """
                syscall(\(traceCall ?? 0), 0x4206, $ARGV[0] + 0, 0, 0) == 0 or die "ptrace: $!";
                open(F, ">", "\(path).new"); print F $$; close(F); rename("\(path).new", "\(path)");
                sleep 1000;
                """
            folder.write("tracer.pl", tracer)
            let script = """
                setsid perl \(folder.path("tracer.pl")) $$ &
                while ! [ -e \(path) ]; do sleep 0.01; done
                echo $$
                """
            let runner = ProgramRunner()
            let before = processorTime()
            let ending = await runner.run(
                .shell(script, timeout: .seconds(2), grace: .milliseconds(10)))
            // A loop over the readable descriptor would take all of the time, about four seconds.
            #expect(processorTime() - before < .seconds(1))
            #expect(ending.how == .timedOut, "\(ending)")
            #expect(await runner.count() == 0)
            #expect(hasChildren())
            let pid = await processID(in: path)
            if let pid { kill(pid, SIGKILL) }
            #expect(await until { !hasChildren() })
        }
    }

    @Test func `a parent that ignored its children's ends does no harm`() async {
        await #expect(processExitsWith: .success) {
            signal(SIGCHLD, SIG_IGN)
            #expect(await ProgramRunner().run(.shell("exit 5")).how == .exited(5))
        }
    }

    @Test func `it works with the standard descriptors closed`() async {
        await #expect(processExitsWith: .success) {
            let runner = ProgramRunner()
            // Each once: what has the number later is not the test's to close.
            for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
                close(descriptor)
                let ending = await runner.run(
                    .shell("cat; echo err >&2; ls /proc/self/fd", input: Array("in\n".utf8)))
                #expect(ending.how == .exited(0))
                #expect(ending.text == "in\nerr\n0\n1\n2\n3\n")
            }
            // What others print to the closed descriptor must not come to a program's input.
            let folder = TemporaryFolder()
            let path = folder.path("there")
            let running = Task { await runner.run(.shell(": >\(path); exec sleep 1000")) }
            #expect(await until { access(path, F_OK) == 0 })
            for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
                var status = stat()
                let isOpen = fstat(descriptor, &status) == 0
                #expect(!isOpen || status.st_mode & S_IFMT != S_IFIFO)
            }
            await runner.close()
            #expect(await running.value.how == .cancelled)
        }
    }

    @Test func `one that reads no input and runs on costs nothing`() async {
        await #expect(processExitsWith: .success) {
            let runner = ProgramRunner()
            let input = [UInt8](repeating: 65, count: 1 << 20)
            for script in ["exec <&-; exec sleep 2", "exec sleep 2", "exec >&- 2>&-; exec sleep 2"]
            {
                let before = processorTime()
                #expect(await runner.run(.shell(script, input: input)).how == .exited(0))
                // A loop over a pipe that is always ready would take two seconds.
                #expect(
                    processorTime() - before < .milliseconds(700),
                    "\(script): \(processorTime() - before)")
            }
        }
    }
}

/// How many descriptors are open once Dispatch has those that it opens for the first wait.
private func settledDescriptors() async -> Int {
    // Nothing cancels the tests that ask.
    try? await Task.sleep(for: .milliseconds(1))
    return openDescriptors()
}

/// How many descriptors are open, without those that Dispatch opens once for all sources.
private func openDescriptors() -> Int {
    (0..<1024).count { number in
        var buffer = [CChar](repeating: 0, count: 256)
        let count = readlink("/proc/self/fd/\(number)", &buffer, buffer.count)
        let name = String(
            decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return count > 0 && !name.hasPrefix("anon_inode:[event") && name != "anon_inode:[timerfd]"
    }
}

/// Whether there is any child of this process, ended or not.
private func hasChildren() -> Bool {
    var info = siginfo_t()
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0
}

private func residentPages() -> Int {
    // proc_pid_statm(5)
    let fields = contents("/proc/self/statm").split(separator: " ")
    return fields.count > 1 ? Int(fields[1]) ?? 0 : 0
}

private func processorTime() -> Duration {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
    return .seconds(seconds) + .microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
}

/// The number of ptrace(2), which is another on each kind of processor.
private let traceCall: Int? = {
    #if arch(x86_64)
        101
    #elseif arch(arm64)
        117
    #else
        nil
    #endif
}()
