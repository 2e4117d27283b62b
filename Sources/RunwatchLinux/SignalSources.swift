package import Dispatch
import Glibc

/// The signals that the program answers, as events of a queue.
///
/// Confined to the queue, and one at a time in a process. The signals' default actions are off from the start,
/// also after `close`.
///
/// A signal is taken in one of two ways, since it depends on the threads which: one that leaves it unblocked
/// runs the handler, which writes to a pipe; when all block it, as Dispatch's own threads do, it waits
/// for Dispatch's signal source. (With the signal ignored instead, the kernel throws it away for as long as
/// the main thread leaves it unblocked: signal(7).)
package final class SignalSources {
    package enum Signal: Hashable, Sendable, CaseIterable {
        /// SIGTERM: stop.
        case terminate
        /// SIGINT: stop, from a terminal.
        case interrupt
        /// SIGHUP: read the configuration again.
        case hangup

        fileprivate var number: Int32 {
            switch self {
            case .terminate: SIGTERM
            case .interrupt: SIGINT
            case .hangup: SIGHUP
            }
        }
    }

    private let sources: [any DispatchSourceSignal]
    private let pipeSource: (any DispatchSourceRead)?

    /// Starts at once; signals that come from here on are told.
    ///
    /// - Parameter handler: Called on the queue; several signals of a kind that come together may be one.
    package init(queue: DispatchQueue, handler: @escaping (Signal) -> Void) {
        pipeSource = SignalPipe.shared.map { pipe in
            let source = DispatchSource.makeReadSource(fileDescriptor: pipe.reader, queue: queue)
            source.setEventHandler {
                for number in pipe.read() {
                    if let kind = Signal.allCases.first(where: { $0.number == number }) {
                        handler(kind)
                    }
                }
            }
            source.activate()
            return source
        }
        sources = Signal.allCases.map { kind in
            let source = DispatchSource.makeSignalSource(signal: kind.number, queue: queue)
            source.setEventHandler { handler(kind) }
            source.activate()
            return source
        }
        for kind in Signal.allCases {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = forwardSignal
            action.sa_flags = Int32(SA_RESTART)
            sigaction(kind.number, &action, nil)
        }
    }

    /// No signal is told after this, if it is called on the queue.
    package func close() {
        pipeSource?.cancel()
        for source in sources { source.cancel() }
    }

    deinit { close() }

    /// Turns off the signals that would end the program because of one write: to a pipe or socket that
    /// nobody reads (SIGPIPE), or beyond the limit of a file's size (SIGXFSZ).
    ///
    /// The write itself fails then.
    package static func ignoreFatalWrites() {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
    }
}

/// Carries signals' numbers from their handler to a queue; there for as long as the process.
private struct SignalPipe {
    /// Without descriptors for it the signals that all threads block are told still.
    static let shared = SignalPipe()

    let reader: Int32
    let writer: Int32

    private init?() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            // A full pipe means that the same news is on its way already.
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (reader, writer) = (ends[0], ends[1])
    }

    func read() -> [Int32] {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = Glibc.read(reader, &buffer, buffer.count)
        return buffer.prefix(max(0, count)).map { Int32($0) }
    }
}

/// Runs within whatever the thread was doing: one write, and nothing that allocates or locks.
///
/// `SignalPipe.shared` is made before this is installed.
private let forwardSignal: @convention(c) (Int32) -> Void = { number in
    guard let pipe = SignalPipe.shared else { return }
    let before = errno
    var byte = UInt8(truncatingIfNeeded: number)
    _ = write(pipe.writer, &byte, 1)
    errno = before
}
