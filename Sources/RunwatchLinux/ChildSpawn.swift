import CSpawn
import Glibc

/// Starts programs.
///
/// The thread waits until the kernel has loaded the program, as long as its file's disk takes.
enum ChildSpawn {
    /// A program that runs, and our ends of its pipes.
    struct Started {
        /// Also the number of its session and process group.
        var pid: pid_t
        /// The pipe it reads from, with the end that it reads too; the caller closes both.
        ///
        /// Writing does not block.
        var input: Pipe
        /// Non-blocking, to read from; the caller closes it.
        var output: Int32
    }

    struct Pipe {
        private(set) var reader: Int32
        private(set) var writer: Int32

        fileprivate init() throws(SystemCallError) {
            var ends: [Int32] = [-1, -1]
            guard runwatch_pipe(&ends) == 0 else {
                throw SystemCallError(call: "pipe2 for a program", errno: errno)
            }
            (reader, writer) = (ends[0], ends[1])
            do throws(SystemCallError) {
                reader = try Pipe.lifted(reader)
                writer = try Pipe.lifted(writer)
            } catch {
                close()
                throw error
            }
        }

        /// The descriptor above 2, where the program's own ones are put: one must not cover another.
        private static func lifted(_ descriptor: Int32) throws(SystemCallError) -> Int32 {
            guard descriptor <= STDERR_FILENO else { return descriptor }
            let higher = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
            guard higher >= 0 else {
                throw SystemCallError(call: "fcntl for a program's pipe", errno: errno)
            }
            Glibc.close(descriptor)
            return higher
        }

        func close() {
            Glibc.close(reader)
            Glibc.close(writer)
        }
    }

    static func start(_ program: ChildProgram) throws(SystemCallError) -> Started {
        try ChildSpawnFailure.check(program)
        let input = try Pipe()
        let output: Pipe
        do throws(SystemCallError) {
            output = try Pipe()
        } catch {
            input.close()
            throw error
        }
        do throws(SystemCallError) {
            let pid = try spawn(program, input: input.reader, output: output.writer)
            close(output.writer)
            // The program's ends stay as they are: what it expects is a pipe that blocks.
            _ = fcntl(input.writer, F_SETFL, O_NONBLOCK)
            _ = fcntl(output.reader, F_SETFL, O_NONBLOCK)
            return Started(pid: pid, input: input, output: output.reader)
        } catch {
            input.close()
            output.close()
            throw error
        }
    }

    /// A session, not just a process group: the program has no terminal to ask for a password on or to be
    /// stopped by, Ctrl-C at ours does not reach it, and it cannot leave its group (setsid(2), setpgid(2)),
    /// so that a signal to the group always reaches the program too.
    private static func spawn(
        _ program: ChildProgram, input: Int32, output: Int32
    ) throws(SystemCallError) -> pid_t {
        let environment = program.environment.map { "\($0.name)=\($0.value)" }
        var names = [program.path]
        if let folder = program.workingDirectory { names.append(folder) }
        var pid: pid_t = 0
        let code = withCStrings(names) { names in
            withCStrings([program.path] + program.arguments) { arguments in
                withCStrings(environment) { environment in
                    arguments.withUnsafeBufferPointer { arguments in
                        environment.withUnsafeBufferPointer { environment in
                            var child = runwatch_child(
                                path: names[0], arguments: arguments.baseAddress,
                                environment: environment.baseAddress, folder: names[1],
                                input: input, output: output,
                                descriptors: UInt(
                                    program.descriptors ?? DescriptorLimit.forPrograms ?? 0))
                            return runwatch_spawn(&child, &pid)
                        }
                    }
                }
            }
        }
        guard code == 0 else { throw ChildSpawnFailure.explained(program, code) }
        return pid
    }

    /// Lends the strings as C has them: an array of pointers that ends with a null pointer.
    private static func withCStrings(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Int32
    ) -> Int32 {
        var characters: [CChar] = []
        var starts: [Int] = []
        for string in strings {
            starts.append(characters.count)
            characters.append(contentsOf: string.utf8CString)
        }
        return characters.withUnsafeMutableBufferPointer { buffer in
            body(starts.map { start in buffer.baseAddress.map { $0 + start } } + [nil])
        }
    }
}
