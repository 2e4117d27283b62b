/// How a program ended, and what it printed.
package struct ChildEnding: Hashable, Sendable {
    package enum How: Hashable, Sendable {
        /// By itself, with this exit code (0 to 255).
        case exited(Int32)
        /// By a signal that was not ours.
        case signalled(Int32)
        /// By us, since its time was over; whatever its exit code was then.
        case timedOut
        /// It never ran; the error names the cause.
        ///
        /// Or, with `ECHILD` and only if something else in this process waits for any child, it ran and its
        /// end cannot be learned.
        case notStarted(SystemCallError)
        /// By us, since nobody wants its end any more.
        case cancelled
    }

    package var how: How
    /// What was printed to standard output and standard error together, in order of arrival.
    ///
    /// Of more than `ChildProgram.keptOutput` bytes it has the first and the last ones, half of them each,
    /// and between them a line that says how many are left out. Any bytes: it need not be UTF-8. None of a
    /// program that was cancelled.
    package var output: [UInt8]
    /// How many bytes were printed in all, as far as they were read before the end.
    package var outputBytes: Int

    package init(how: How, output: [UInt8] = [], outputBytes: Int = 0) {
        self.how = how
        self.output = output
        self.outputBytes = outputBytes
    }
}
