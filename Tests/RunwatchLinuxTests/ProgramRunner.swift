import Dispatch
import Glibc
import RunwatchLinux
import Testing

/// Child processes on a queue of their own, for tests that await their ends.
///
/// Sendable by hand: the processes are touched on the queue alone.
final class ProgramRunner: @unchecked Sendable {
    private let queue = DispatchQueue(label: "program-runner")
    private let children: ChildProcesses

    init(usesDescriptors: Bool = true) {
        children = ChildProcesses(queue: queue, usesDescriptors: usesDescriptors)
    }

    func run(_ program: ChildProgram) async -> ChildEnding {
        await withCheckedContinuation { continuation in
            queue.async { self.children.run(program) { continuation.resume(returning: $0) } }
        }
    }

    /// Runs a script that prints `ready` first, with a timeout that leaves it the time to get there.
    func runUntilReady(_ script: String, grace: Duration = .seconds(60)) async -> ChildEnding {
        var timeout = Duration.milliseconds(300)
        while true {
            let ending = await run(.shell(script, timeout: timeout, grace: grace))
            if ending.text.hasPrefix("ready\n") || timeout > .seconds(60) { return ending }
            timeout = timeout * 2
        }
    }

    func count() async -> Int { await onQueue { $0.count } }
    func cancelAll() async { await onQueue { $0.cancelAll() } }
    func close() async { await onQueue { $0.close() } }

    private func onQueue<Value: Sendable>(
        _ body: @escaping @Sendable (ChildProcesses) -> Value
    ) async -> Value {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: body(self.children)) }
        }
    }
}

extension ChildProgram {
    /// A script for `sh`, with a timeout that only a broken test comes to.
    static func shell(
        _ script: String, input: [UInt8] = [], timeout: Duration = .seconds(60),
        grace: Duration = .seconds(60), keptOutput: Int = 4096
    ) -> ChildProgram {
        ChildProgram(
            path: "/bin/sh", arguments: ["-c", script], environment: [("PATH", "/usr/bin:/bin")],
            input: input, timeout: timeout, grace: grace, keptOutput: keptOutput)
    }
}

extension ChildEnding {
    var text: String { String(decoding: output, as: UTF8.self) }

    /// The numbers in what was printed, a line each; scripts print process IDs.
    var numbers: [Int32] { text.split(separator: "\n").compactMap { Int32($0) } }
}

/// What a file of /proc or of a test says; empty when it is not there.
func contents(_ path: String) -> String {
    // No file, no text.
    String(decoding: (try? FileReader.read(path)) ?? [], as: UTF8.self)
}

/// Whether a process has ended; whoever is its parent may not have waited for it yet.
func isGone(_ pid: Int32) -> Bool {
    // "PID (NAME) STATE …": proc_pid_stat(5).
    let fields = contents("/proc/\(pid)/stat").split(separator: ")").last
    guard let state = fields?.split(separator: " ").first else { return true }
    return state == "Z" || state == "X"
}

/// The number that a script has written to a file, in whole; `nil` when it never does.
func processID(in path: String) async -> Int32? {
    #expect(await until { access(path, F_OK) == 0 })
    return contents(path).split(separator: "\n").first.flatMap { Int32($0) }
}

/// A script that has a shell write its own number to a file, and then go on with a command.
///
/// The file appears in whole. No quotes of either kind in what is given.
func announcing(_ path: String, then command: String) -> String {
    "sh -c 'echo $$ >\(path).new; mv \(path).new \(path); \(command)'"
}
