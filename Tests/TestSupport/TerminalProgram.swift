import Dispatch
import Glibc
import Synchronization

/// One of the package's programs on a terminal of its own, which a test types at and looks at.
package final class TerminalProgram: @unchecked Sendable {
    // What changes is behind a lock; `source` is set once, in `init`.

    private let master: Int32
    private let processID: pid_t
    private let screenState: Mutex<ScreenModel>
    private let status = Mutex<Int32?>(nil)
    private var source: (any DispatchSourceRead)?

    /// Starts the program; its standard input, output and error are the terminal.
    package init(
        _ program: String, _ arguments: [String], columns: Int, rows: Int,
        environment: [String: String] = ["TERM": "xterm"]
    ) {
        var ends: (Int32, Int32) = (-1, -1)
        var size = winsize(
            ws_row: UInt16(rows), ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
        // `/dev/pts/` and a number.
        var name = [CChar](repeating: 0, count: 128)
        guard openpty(&ends.0, &ends.1, &name, nil, &size) == 0 else {
            preconditionFailure("openpty failed: \(String(cString: strerror(errno)))")
        }
        master = ends.0
        screenState = Mutex(ScreenModel(columns: columns, rows: rows))
        processID = TerminalProgram.spawn(program, arguments, terminal: name, environment)
        for end in [ends.0, ends.1] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(master, F_SETFL, O_NONBLOCK)
        let source = DispatchSource.makeReadSource(
            fileDescriptor: master, queue: DispatchQueue(label: "test.terminal"))
        source.setEventHandler { [weak self] in self?.read() }
        // The program's own end stays open here too: what it left can be looked at when it is gone.
        source.setCancelHandler { [master] in
            close(master)
            close(ends.1)
        }
        source.activate()
        self.source = source
    }

    private static func spawn(
        _ program: String, _ arguments: [String], terminal: [CChar], _ environment: [String: String]
    ) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // The first terminal that a session's leader opens becomes the one that controls it.
        posix_spawn_file_actions_addopen(&actions, 0, terminal, O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, 0, 1)
        posix_spawn_file_actions_adddup2(&actions, 0, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The threads of a pool block signals, and what they start would as well.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        // POSIX_SPAWN_SETSIGMASK, and POSIX_SPAWN_SETSID, which glibc shows with _GNU_SOURCE only.
        posix_spawnattr_setflags(&attributes, 0x08 | 0x80)
        var variables = environment
        for name in ["PATH", "HOME", "TSAN_OPTIONS", "ASAN_OPTIONS", "LD_LIBRARY_PATH"] {
            if variables[name] == nil { variables[name] = getenv(name).map { String(cString: $0) } }
        }
        let path = "\(RunningProgram.products)/\(program)"
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
        return child
    }

    deinit {
        if isRunning { kill(SIGKILL) }
        while isRunning { usleep(1000) }
        source?.cancel()
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = Glibc.read(master, &buffer, buffer.count)
        guard count > 0 else { return }
        screenState.withLock { $0.write(buffer[..<count]) }
    }

    package var screen: ScreenModel { screenState.withLock { $0 } }

    /// Whether what is typed is shown.
    package var showsInput: Bool {
        var settings = termios()
        return tcgetattr(master, &settings) == 0 && settings.c_lflag & tcflag_t(ECHO) != 0
    }

    package func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(master, bytes, bytes.count)
    }

    package func resize(columns: Int, rows: Int) {
        screenState.withLock { $0.resize(columns: columns, rows: rows) }
        var size = winsize(
            ws_row: UInt16(rows), ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(master, UInt(TIOCSWINSZ), &size)
    }

    package func kill(_ signal: Int32) { Glibc.kill(processID, signal) }

    package var isRunning: Bool { exitStatus == nil }

    /// Its exit code, or 128 and the signal that ended it; `nil` while it runs.
    package var exitStatus: Int32? {
        status.withLock { status in
            if let status { return status }
            var raw: Int32 = 0
            guard waitpid(processID, &raw, WNOHANG) == processID else { return nil }
            status = raw & 0x7F == 0 ? (raw >> 8) & 0xFF : 128 + (raw & 0x7F)
            return status
        }
    }
}
