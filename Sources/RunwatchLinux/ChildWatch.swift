import CSpawn
import Dispatch
import Glibc

/// Says when to look whether a child process has ended.
///
/// By a descriptor of the process (pidfd_open(2)), which is readable from the end on. By the clock where there
/// is none: an old kernel, a sandbox that forbids the call, no descriptor left. Confined to its queue; `close`
/// ends it, and until then it keeps what the handler holds.
final class ChildWatch {
    private static let shortestWait = 2
    /// A child's end is noticed this late at most.
    private static let longestWait = 256

    private let timer: any DispatchSourceTimer
    private var readable: (any DispatchSourceRead)?
    private let onNews: () -> Void
    /// In milliseconds.
    private var wait = ChildWatch.shortestWait
    private var isClosed = false

    /// - Parameters:
    ///   - pid: A child that nobody has waited for yet, so that the number is its own.
    ///   - usesDescriptor: False to go by the clock from the start.
    ///   - onNews: Called on the queue, once or more, and again until `close`. The child need not have ended.
    init(pid: pid_t, usesDescriptor: Bool, queue: DispatchQueue, onNews: @escaping () -> Void) {
        self.onNews = onNews
        timer = DispatchSource.makeTimerSource(queue: queue)
        timer.setEventHandler { [weak self] in self?.tick() }
        timer.activate()
        let descriptor = usesDescriptor ? runwatch_pidfd_open(pid) : -1
        guard descriptor >= 0 else {
            arm()
            return
        }
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        source.setEventHandler { [weak self] in self?.descriptorIsReadable() }
        source.setCancelHandler { Glibc.close(descriptor) }
        source.activate()
        readable = source
    }

    deinit { close() }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        timer.cancel()
        readable?.cancel()
    }

    private func descriptorIsReadable() {
        guard !isClosed else { return }
        onNews()
        guard !isClosed else { return }
        // Ended, and yet not to be waited for: a debugger has a hold on it (ptrace(2)). The descriptor stays
        // readable, and would have us look without a pause.
        readable?.cancel()
        readable = nil
        arm()
    }

    private func tick() {
        guard !isClosed else { return }
        onNews()
        guard !isClosed else { return }
        wait = min(wait * 2, ChildWatch.longestWait)
        arm()
    }

    private func arm() {
        timer.schedule(
            deadline: .now() + .milliseconds(wait), leeway: .milliseconds(wait / 8))
    }
}
