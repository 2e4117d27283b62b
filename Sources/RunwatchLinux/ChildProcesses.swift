package import Dispatch
import Glibc

/// Runs programs, each in a session of its own, with a limit to its time and to what is kept of its output.
///
/// Bound to the serial queue it is given: everything is called there, and completions run there. Each program
/// that runs takes a thread, two to five descriptors, and nothing of the queue's time. What a program leaves
/// behind in its process group is killed when it ends.
package final class ChildProcesses {
    private struct Entry {
        var process: ChildProcess
        var completion: (ChildEnding) -> Void
    }

    private let queue: DispatchQueue
    private let usesDescriptors: Bool
    private var entries: [Int: Entry] = [:]
    private var lastNumber = 0
    private var isClosed = false

    /// - Parameter usesDescriptors: False to learn of ends by the clock alone, up to a quarter of a second
    ///   late, as it is done anyway where the kernel or a sandbox refuses pidfd_open(2).
    ///
    /// It gives SIGCHLD its default action, for the whole process: with an "ignore" inherited from a parent
    /// the kernel would throw away how programs end.
    package init(queue: DispatchQueue, usesDescriptors: Bool = true) {
        self.queue = queue
        self.usesDescriptors = usesDescriptors
        signal(SIGCHLD, SIG_DFL)
    }

    /// Programs under way.
    package var count: Int { entries.count }

    /// Starts a program.
    ///
    /// - Parameter completion: Called once, and never before this has returned.
    package func run(
        _ program: ChildProgram, completion: @escaping (ChildEnding) -> Void
    ) {
        lastNumber += 1
        let number = lastNumber
        let process = ChildProcess(program, usesDescriptor: usesDescriptors)
        entries[number] = Entry(process: process, completion: completion)
        guard !isClosed else { return tell(number, ChildEnding(how: .cancelled)) }
        // Safe, though this is not Sendable: the inner block runs on the queue it is bound to.
        nonisolated(unsafe) let me = self
        // A queue of its own is a thread of its own: none of the pool's, which are as few as processors.
        DispatchQueue(label: "runwatch.program").async {
            process.run { ending in me.tell(number, ending) }
        }
    }

    /// Kills everything that runs; each program is told as cancelled in a later job of the queue.
    package func cancelAll() {
        for (number, entry) in entries {
            entry.process.cancel()
            tell(number, ChildEnding(how: .cancelled))
        }
    }

    /// Kills everything, and starts nothing more: a program that is run after this is told as cancelled.
    package func close() {
        isClosed = true
        cancelAll()
    }

    /// Tells an end, unless it was told before; from any thread.
    private func tell(_ number: Int, _ ending: ChildEnding) {
        // Safe, though this is not Sendable: the block runs on the queue it is bound to.
        nonisolated(unsafe) let me = self
        queue.async {
            guard let entry = me.entries.removeValue(forKey: number) else { return }
            entry.completion(ending)
        }
    }
}
