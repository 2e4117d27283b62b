import Glibc

/// A program that a test has started, and ends.
///
/// Standard output and error go to files in the test's own folder.
package final class RunningProgram: @unchecked Sendable {
    // The process ID is set once, in `init`; `status` is written by whoever waits, one at a time.

    package let processID: Int32
    package let outputPath: String
    package let errorPath: String
    private var status: Int32?

    /// The folder in which the package's programs stand: that of the test bundle itself.
    package static let products: String = {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let path = String(
            decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // A test runner that loads the bundle names it among its arguments instead.
        let bundle =
            CommandLine.arguments.first { $0.hasSuffix(".xctest") && $0.hasPrefix("/") } ?? path
        return String(bundle[..<(bundle.lastIndex(of: "/") ?? bundle.startIndex)])
    }()

    /// Starts one of the package's programs, or by an absolute path any other.
    ///
    /// - Parameters:
    ///   - folder: Where its output goes. The working folder stays the test's own.
    ///   - input: The file that it reads as its standard input.
    ///   - environment: Besides PATH and HOME, and nothing else of the test's own.
    package init(
        _ program: String, _ arguments: [String], in folder: String, output: String? = nil,
        input: String = "/dev/null", environment: [String: String] = [:]
    ) {
        outputPath = "\(folder)/\(output ?? program).out"
        errorPath = "\(folder)/\(output ?? program).err"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let flags = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputPath, flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errorPath, flags, 0o600)
        RunningProgram.closeOthers(&actions)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The threads of a pool block signals, and what they start would as well.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        // POSIX_SPAWN_SETSIGMASK.
        posix_spawnattr_setflags(&attributes, 0x08)
        var variables = environment
        for name in ["PATH", "HOME", "TSAN_OPTIONS", "ASAN_OPTIONS", "LD_LIBRARY_PATH"] {
            if variables[name] == nil { variables[name] = getenv(name).map { String(cString: $0) } }
        }
        let path = program.hasPrefix("/") ? program : "\(RunningProgram.products)/\(program)"
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
        words.append(nil)
        var pairs: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0)=\($1)") }
        pairs.append(nil)
        defer { for text in words + pairs { free(text) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, path, &actions, &attributes, words, pairs)
        guard code == 0 else {
            preconditionFailure("cannot start \(path): \(String(cString: strerror(code)))")
        }
        processID = child
    }

    /// Keeps the program from inheriting what other tests have open: a pipe that it holds never ends.
    private static func closeOthers(_ actions: inout posix_spawn_file_actions_t) {
        // Behind _GNU_SOURCE, so looked up by its name (posix_spawn_file_actions_addclosefrom_np(3)).
        typealias CloseFrom =
            @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
        guard let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else {
            preconditionFailure("glibc 2.34 or newer is needed")
        }
        _ = unsafeBitCast(symbol, to: CloseFrom.self)(&actions, 3)
    }

    deinit {
        guard status == nil else { return }
        kill(SIGKILL)
        _ = exitStatus()
    }

    package func kill(_ signal: Int32) {
        guard status == nil else { return }
        Glibc.kill(processID, signal)
    }

    /// Waits for its end; its exit code, or 128 and the signal that ended it.
    @discardableResult
    package func exitStatus() -> Int32 {
        if let status { return status }
        var raw: Int32 = 0
        while waitpid(processID, &raw, 0) < 0, errno == EINTR {}
        let code = raw & 0x7F == 0 ? (raw >> 8) & 0xFF : 128 + (raw & 0x7F)
        status = code
        return code
    }

    package var isRunning: Bool {
        guard status == nil else { return false }
        var raw: Int32 = 0
        guard waitpid(processID, &raw, WNOHANG) == processID else { return true }
        status = raw & 0x7F == 0 ? (raw >> 8) & 0xFF : 128 + (raw & 0x7F)
        return false
    }

    package var output: String { RunningProgram.read(outputPath) }
    package var errors: String { RunningProgram.read(errorPath) }

    private static func read(_ path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Waits until a condition holds, looking every few milliseconds.
///
/// - Returns: Whether it held within `limit`, which is generous: a loaded machine is no failure.
package func eventually(
    within limit: Duration = .seconds(60), _ condition: () async throws -> Bool
) async rethrows -> Bool {
    let clock = ContinuousClock()
    let end = clock.now.advanced(by: limit)
    while clock.now < end, !Task.isCancelled {
        if try await condition() { return true }
        // Cancellation ends the loop at its condition.
        try? await Task.sleep(for: .milliseconds(5))
    }
    return try await condition()
}
