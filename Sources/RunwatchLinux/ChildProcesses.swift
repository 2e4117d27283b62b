package import Dispatch
import Glibc

/// Runs programs, each in a session of its own, with a limit to its time and to what is kept of its output.
///
/// Bound to the serial queue it is given: everything is called there, and completions run there. No thread
/// waits for a program. What a program leaves behind in its process group is killed when it ends. Any number
/// may run at once; each costs two to five descriptors.
package final class ChildProcesses {
    private let queue: DispatchQueue
    private let usesDescriptors: Bool
    private var children: [pid_t: ChildProcess] = [:]
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
    package var count: Int { children.count }

    /// Starts a program.
    ///
    /// - Parameter completion: Called once, and never before this has returned.
    package func run(
        _ program: ChildProgram, completion: @escaping (ChildEnding) -> Void
    ) {
        guard !isClosed else { return tellLater(.cancelled, completion) }
        do throws(SystemCallError) {
            try start(program, completion)
        } catch {
            tellLater(.notStarted(error), completion)
        }
    }

    /// Kills everything that runs; each program is told as cancelled in a later job of the queue.
    package func cancelAll() {
        for child in children.values { child.cancel() }
    }

    /// Kills everything, and starts nothing more: a program that is run after this is told as cancelled.
    package func close() {
        isClosed = true
        cancelAll()
    }

    private func start(
        _ program: ChildProgram, _ completion: @escaping (ChildEnding) -> Void
    ) throws(SystemCallError) {
        var pid: pid_t = 0
        let child = try ChildProcess(
            program, usesDescriptor: usesDescriptors, queue: queue
        ) { [self] ending in
            children[pid] = nil
            completion(ending)
        }
        pid = child.pid
        children[pid] = child
    }

    private func tellLater(
        _ how: ChildEnding.How, _ completion: @escaping (ChildEnding) -> Void
    ) {
        // Safe, though the closure is not Sendable: it runs on the queue it is bound to.
        nonisolated(unsafe) let completion = completion
        queue.async { completion(ChildEnding(how: how)) }
    }
}
