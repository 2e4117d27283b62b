/// A program to be run once, as execve(2) takes it: no shell, and no search in `PATH`.
package struct ChildProgram: Sendable {
    /// The program's file; an absolute path.
    package var path: String
    /// What the program is given after its own name, which is `path`.
    package var arguments: [String]
    /// The whole environment, in this order; nothing of this process's own is added.
    package var environment: [(name: String, value: String)]
    /// The folder it starts in; `nil` is this process's own.
    package var workingDirectory: String?
    /// What it reads from standard input, which ends after that.
    ///
    /// A program that leaves some or all of it unread is not at fault for that.
    package var input: [UInt8]
    /// The program and what it has started get SIGTERM when this has passed; not above 292 years.
    package var timeout: Duration
    /// What is still there so long after SIGTERM gets SIGKILL.
    ///
    /// Two seconds are enough to remove a temporary file, and delay what waits for the end but little.
    package var grace: Duration
    /// Bytes of output that are kept, at least 0: the first and, if there are more, the last ones too.
    package var keptOutput: Int
    /// Its soft limit of descriptors; `nil` is the one that this process was started with.
    package var descriptors: Int?

    package init(
        path: String, arguments: [String] = [],
        environment: [(name: String, value: String)] = [], workingDirectory: String? = nil,
        input: [UInt8] = [], timeout: Duration, grace: Duration = .seconds(2), keptOutput: Int
    ) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.input = input
        self.timeout = timeout
        self.grace = grace
        self.keptOutput = keptOutput
    }
}
