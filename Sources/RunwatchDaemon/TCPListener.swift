import Glibc
import RunwatchControl
import RunwatchCore
import RunwatchHTTP
import RunwatchLinux

/// The listener for figures and health over TCP, where one is configured.
///
/// Confined to the daemon's actor. A change is made in two steps, so that a reload that fails for another
/// reason leaves everything as it was.
final class TCPListener {
    /// Why a listener could not be opened; names the address and the remedy.
    struct Failure: Error {
        var message: String
    }

    /// A listener that is at work.
    struct Open {
        /// As configured.
        var address: ListenAddress
        /// With the port that was really got.
        var bound: ListenAddress
        var server: HTTPServer
    }

    /// A change that has been tried and not yet decided.
    struct Change {
        fileprivate var next: Open?
        /// Closed already, since the two could not stand side by side.
        fileprivate var closed: (address: ListenAddress, bound: ListenAddress)?
        fileprivate var isNone = false
    }

    /// A few scrapers and probes; nobody needs more, and who opens more harms nobody else.
    private static let limits = HTTPServerLimits(
        connections: 64, memoryPerConnection: 16 << 10, body: 4096)

    private(set) var current: Open?
    private let control: ControlServer

    init(_ control: ControlServer) {
        self.control = control
    }

    /// Opens what is wanted from now on, and leaves what is there at work where that is possible.
    ///
    /// - Throws: `Failure`; then what was there is at work as before.
    func prepare(_ wanted: ListenAddress?) async throws(Failure) -> Change {
        guard wanted != current?.address else { return Change(isNone: true) }
        guard let wanted else { return Change() }
        var change = Change()
        if let old = current, old.bound.overlaps(wanted) {
            await old.server.close(within: .seconds(1))
            current = nil
            change.closed = (old.address, old.bound)
        }
        do throws(Failure) {
            change.next = try open(wanted)
        } catch {
            await cancel(change)
            throw error
        }
        return change
    }

    /// Takes a change up.
    func commit(_ change: Change) async {
        guard !change.isNone else { return }
        let old = current
        current = change.next
        await old?.server.close(within: .seconds(1))
    }

    /// Takes a change back.
    func cancel(_ change: Change) async {
        await change.next?.server.close(within: .seconds(1))
        guard let closed = change.closed else { return }
        // It was ours a moment ago. Should someone have taken it since, the next reload tries again.
        current = try? open(closed.bound)
        current?.address = closed.address
    }

    func close() async {
        await current?.server.close()
        current = nil
    }

    private func open(_ address: ListenAddress) throws(Failure) -> Open {
        let control = control
        do {
            let (descriptor, bound) = try ListeningSocket.tcp(address)
            let isLoopback = bound.isLoopback
            let server = try HTTPServer(
                descriptor: descriptor, label: "runwatch.http", limits: TCPListener.limits,
                problem: ControlServer.document(for:)
            ) { await control.respondOverTCP(to: $0, isLoopback: isLoopback) }
            return Open(address: address, bound: bound, server: server)
        } catch let error as SystemCallError {
            throw Failure(message: TCPListener.words(error, address))
        } catch {
            throw Failure(message: "http.listen \(address): \(error)")
        }
    }

    private static func words(_ error: SystemCallError, _ address: ListenAddress) -> String {
        let remedy =
            switch error.errno {
            case EADDRINUSE: "; another program listens there: end it, or choose another port"
            case EADDRNOTAVAIL: "; no interface of this machine has that address"
            case EACCES: "; ports below 1024 need a right: choose a higher one"
            default: ""
            }
        return "http.listen cannot be opened: \(error)\(remedy)"
    }
}
