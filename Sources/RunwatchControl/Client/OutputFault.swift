import Glibc
package import RunwatchLinux
import Synchronization

/// Why not all that a program wrote has arrived: the first fault, kept until the program ends.
package final class OutputFault: Sendable {
    private let first = Mutex<SystemCallError?>(nil)

    package init() {}

    /// `nil` when all arrived, or nobody wanted the rest.
    package var failure: SystemCallError? { first.withLock(\.self) }

    func note(_ failure: SystemCallError) {
        // A reader that left (`| head`) has what it wanted, and who closed the output wants nothing.
        guard failure.errno != EPIPE, failure.errno != EBADF else { return }
        first.withLock { if $0 == nil { $0 = failure } }
    }
}
