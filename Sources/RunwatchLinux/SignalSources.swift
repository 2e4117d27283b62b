package import Dispatch
import Glibc

/// The signals that the program answers, as events of a queue.
///
/// Confined to the queue. Made active at once; the signals' default actions are off from then on, also after
/// `close`.
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

    /// - Parameter handler: Called on the queue; several signals of a kind that come together are one.
    package init(queue: DispatchQueue, handler: @escaping (Signal) -> Void) {
        sources = Signal.allCases.map { kind in
            // Dispatch sees a signal besides its action, so the action must be none.
            signal(kind.number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: kind.number, queue: queue)
            source.setEventHandler { handler(kind) }
            source.activate()
            return source
        }
    }

    /// No signal is told after this, if it is called on the queue.
    package func close() {
        for source in sources { source.cancel() }
    }

    deinit { close() }

    /// Turns off the signals that would end the program because of one write: to a pipe or socket that
    /// nobody reads (SIGPIPE), or beyond the limit of a file's size (SIGXFSZ). The write itself then fails.
    package static func ignoreFatalWrites() {
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
    }
}
