import CSpawn
import Glibc
import RunwatchCore

/// Says for how long a child process need not be looked at.
///
/// By a descriptor of the process (pidfd_open(2)), which is readable from the end on. By the clock where there
/// is none: an old kernel, a sandbox that forbids the call, no descriptor left.
struct ChildWatch {
    private static let shortestWait = Duration.milliseconds(2)
    /// A child's end is noticed this late at most.
    private static let longestWait = Duration.milliseconds(256)

    /// Readable when the child has ended; -1 for none.
    private(set) var descriptor: Int32
    private var isReadable = false
    private var wait = ChildWatch.shortestWait

    /// - Parameters:
    ///   - pid: A child that nobody has waited for yet, so that the number is its own.
    ///   - usesDescriptor: False to go by the clock from the start.
    init(pid: pid_t, usesDescriptor: Bool) {
        descriptor = usesDescriptor ? runwatch_pidfd_open(pid) : -1
    }

    /// The child was looked at, and has not ended.
    mutating func looked() {
        guard descriptor >= 0 else {
            wait = min(wait * 2, ChildWatch.longestWait)
            return
        }
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 0) > 0 else { return }
        // Ended, and yet not to be waited for? Then a debugger has a hold on it (ptrace(2)): the descriptor
        // stays readable, and would have us look without a pause. Or it has ended just now.
        guard isReadable else {
            isReadable = true
            return
        }
        close()
    }

    /// How long until the child has to be looked at again, should the descriptor say nothing.
    func longestWait(at now: ContinuousClock.Instant) -> Duration {
        descriptor >= 0 ? .seconds(86_400) : wait
    }

    mutating func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }
}
