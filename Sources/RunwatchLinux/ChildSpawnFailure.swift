import Glibc

/// Says why a program cannot be started, in more words than the one number of execve(2).
enum ChildSpawnFailure {
    /// Refuses what would reach the program as something else than was meant.
    static func check(_ program: ChildProgram) throws(SystemCallError) {
        if let fault = fault(in: program) {
            throw SystemCallError(call: "start \(program.path): \(fault)", errno: EINVAL)
        }
    }

    private static func fault(in program: ChildProgram) -> String? {
        let hasNUL = { (text: String) in text.utf8.contains(0) }
        guard program.path.hasPrefix("/") else { return "the path is not absolute" }
        if hasNUL(program.path) { return "a NUL is in the path" }
        if let folder = program.workingDirectory, hasNUL(folder) {
            return "a NUL is in the working directory"
        }
        if let index = program.arguments.firstIndex(where: hasNUL) {
            return "a NUL is in argument \(index + 1)"
        }
        for (name, value) in program.environment {
            if name.isEmpty || name.utf8.contains(UInt8(ascii: "=")) || hasNUL(name) {
                return "'\(name)' is no name of a variable"
            }
            if hasNUL(value) { return "a NUL is in the variable \(name)" }
        }
        return nil
    }

    /// The failure with its cause, as far as it can be seen a moment later.
    static func explained(_ program: ChildProgram, _ code: Int32) -> SystemCallError {
        if let folder = program.workingDirectory, let failure = failure(entering: folder) {
            return SystemCallError(
                call: "start \(program.path): enter its working directory \(folder)", errno: failure
            )
        }
        let cause =
            switch code {
            case ENOENT where access(program.path, F_OK) == 0:
                ": the file is there, the interpreter that it names is not"
            case EACCES where isFile(program.path) && access(program.path, X_OK) != 0:
                ": the file is not executable, or a folder above it may not be entered"
            case ENOEXEC: ": a script must begin with '#!' and the path of its interpreter"
            case E2BIG: ": its arguments and variables are too long"
            default: ""
            }
        return SystemCallError(call: "start \(program.path)\(cause)", errno: code)
    }

    private static func failure(entering folder: String) -> Int32? {
        var status = stat()
        guard stat(folder, &status) == 0 else { return errno }
        guard status.st_mode & S_IFMT == S_IFDIR else { return ENOTDIR }
        return access(folder, X_OK) == 0 ? nil : errno
    }

    private static func isFile(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }
}
