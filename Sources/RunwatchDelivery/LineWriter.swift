import Dispatch
import Glibc
package import RunwatchLinux
import Synchronization

/// Writes whole lines to a descriptor, in order, on a queue of its own.
///
/// A reader that is slow, or has stopped reading, holds up this queue and nothing else. The
/// descriptor's flags are left alone, for others may share it (a terminal, a log's pipe): instead of
/// making it non-blocking, the writer waits until it is writable and then writes no more than a pipe
/// takes at once.
package final class LineWriter: Sendable {
    /// How a line ended.
    package enum Ending: Equatable, Sendable {
        case written
        /// Not written, or not whole; the system's reason.
        case failed(SystemCallError)
        /// Not written, for the writer was stopped.
        case stopped
    }

    private struct Line: Sendable {
        var bytes: [UInt8]
        var ended: @Sendable (Ending) -> Void
    }

    private struct State {
        var lines: [Line] = []
        var isWriting = false
        var isStopped = false
    }

    /// The most that one write hands over: what a writable pipe takes whole (`PIPE_BUF`, pipe(7)).
    private static let atOnce = 4096
    /// How often a writer that waits for its reader looks whether it was stopped, in milliseconds.
    private static let patience: Int32 = 100

    private let descriptor: Int32
    private let queue: DispatchQueue
    private let state = Mutex(State())
    /// The rest of a line whose beginning was written before an error.
    ///
    /// It goes out before anything else, so that the next line begins a line. Touched on the queue only.
    private let unfinished = Mutex<[UInt8]>([])

    /// - Parameter descriptor: Stays open as long as the writer; it is not closed here.
    package init(descriptor: Int32) {
        self.descriptor = descriptor
        queue = DispatchQueue(label: "runwatch.lines.\(descriptor)")
        // A reader that went away is an error to handle (EPIPE), not a reason to end the process.
        signal(SIGPIPE, SIG_IGN)
    }

    /// Takes a line, its line feed included; `ended` is called once, on the writer's queue.
    package func write(_ bytes: [UInt8], ended: @escaping @Sendable (Ending) -> Void) {
        let begins = state.withLock { state in
            state.lines.append(Line(bytes: bytes, ended: ended))
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if begins { queue.async { self.writeAll() } }
    }

    /// Ends every line that has not begun with `.stopped`, soon; later ones too.
    package func stop() {
        state.withLock { $0.isStopped = true }
    }

    private var isStopped: Bool { state.withLock { $0.isStopped } }

    private func writeAll() {
        while let batch = takeBatch() {
            var lines = batch[...]
            while !lines.isEmpty {
                let ending = writeSome(&lines)
                guard ending != .written else { continue }
                // The lines behind the failed one would fail as well, and must not overtake it.
                for line in lines { line.ended(ending) }
                break
            }
        }
    }

    private func takeBatch() -> [Line]? {
        state.withLock { state in
            guard !state.lines.isEmpty else {
                state.isWriting = false
                return nil
            }
            defer { state.lines = [] }
            return state.lines
        }
    }

    /// Writes as many whole lines as go out at once, or one longer one in pieces, and removes them.
    private func writeSome(_ lines: inout ArraySlice<Line>) -> Ending {
        let rest = unfinished.withLock { $0 }
        if !rest.isEmpty {
            let (ending, count) = push(rest[...])
            unfinished.withLock { $0.removeFirst(count) }
            guard ending == .written else { return ending }
        }
        var buffer: [UInt8] = []
        var taken = 0
        for line in lines {
            guard taken == 0 || buffer.count + line.bytes.count <= LineWriter.atOnce else { break }
            buffer += line.bytes
            taken += 1
        }
        var (ending, count) = push(buffer[...])
        for line in lines.prefix(taken) {
            if count < line.bytes.count {
                if count > 0 { unfinished.withLock { $0 = Array(line.bytes[count...]) } }
                return ending
            }
            count -= line.bytes.count
            lines.removeFirst()
            line.ended(.written)
        }
        return .written
    }

    /// Writes all bytes unless an error or a stop comes first; says how many went out.
    private func push(_ bytes: ArraySlice<UInt8>) -> (ending: Ending, count: Int) {
        var rest = bytes
        while !rest.isEmpty {
            if isStopped { return (.stopped, bytes.count - rest.count) }
            var poller = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            let ready = poll(&poller, 1, LineWriter.patience)
            if ready == 0 || (ready < 0 && errno == EINTR) { continue }
            let piece = rest.prefix(LineWriter.atOnce)
            let written = piece.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            let failure = errno
            if written >= 0 {
                rest = rest.dropFirst(written)
                continue
            }
            switch failure {
            case EINTR: continue
            case EAGAIN:
                // Someone made it non-blocking, and another writer was faster: not at full speed.
                usleep(10_000)
            default:
                let error = SystemCallError(
                    call: "write to descriptor \(descriptor)", errno: failure)
                return (.failed(error), bytes.count - rest.count)
            }
        }
        return (.written, bytes.count)
    }
}
