import Glibc
import RunwatchConfig
import RunwatchControl

/// The IDs of `add`, from the command line and from standard input, in batches.
///
/// Holds one batch and a piece of the input, however many IDs come.
final class IDSource {
    /// Far below the largest body, also with the longest IDs (1 KiB) and every byte of them escaped.
    private static let batch = 500
    private static let batchBytes = 256 << 10
    /// A batch is sent when nothing more has come for so long: `generate` may be slow.
    private static let patience: Int32 = 50
    private static let pieceSize = 64 << 10

    private var arguments: ArraySlice<String>
    private var waiting: ArraySlice<String> = []
    private var reader: IDLineReader?
    /// Told when the IDs before it have been sent.
    private var fault: ControlFailure?

    init(_ arguments: [String]) {
        self.arguments = arguments[...]
    }

    /// The next IDs, at least one; `nil` at the end.
    func next() throws(ControlFailure) -> [String]? {
        var ids: [String] = []
        var bytes = 0
        while ids.count < IDSource.batch, bytes < IDSource.batchBytes {
            if let id = waiting.popFirst() {
                ids.append(id)
                bytes += id.utf8.count
            } else if let fault {
                guard ids.isEmpty else { return ids }
                throw fault
            } else if reader != nil {
                if !ids.isEmpty, !hasMore() { return ids }
                read()
            } else if let argument = arguments.popFirst() {
                take(argument)
            } else {
                break
            }
        }
        return ids.isEmpty ? nil : ids
    }

    private func take(_ argument: String) {
        if argument == "-" {
            reader = IDLineReader()
        } else if let words = RunIDText.fault(argument) {
            fault = ControlFailure(
                .usage, TerminalText.escape(RunIDText.message(of: words, in: argument)))
        } else {
            waiting.append(argument)
        }
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: IDSource.pieceSize)
        let count = Glibc.read(STDIN_FILENO, &buffer, buffer.count)
        guard count >= 0 else {
            if errno == EINTR { return }
            if errno == EAGAIN {
                // A terminal or pipe that another program made non-blocking.
                _ = hasMore(within: -1)
                return
            }
            fault = ControlFailure(
                .usage, "standard input: \(String(cString: strerror(errno)))")
            return
        }
        if count > 0 {
            waiting = reader?.take(Array(buffer[..<count]))[...] ?? []
        } else {
            waiting = reader?.finish()[...] ?? []
        }
        if let found = reader?.fault {
            fault = ControlFailure(
                .usage, "standard input, line \(found.line): \(found.message)")
        }
        if count == 0 { reader = nil }
    }

    private func hasMore(within milliseconds: Int32 = IDSource.patience) -> Bool {
        var wanted = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&wanted, 1, milliseconds) > 0
    }
}
