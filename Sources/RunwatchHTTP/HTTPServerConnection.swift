import CMicrohttpd
import Glibc
import RunwatchCore
import RunwatchLinux

/// A connection, from its acceptance to its end, and what its peer owes us since when.
///
/// libmicrohttpd's own timeout begins anew with each byte that trickles in, and suspended connections have
/// none; so each connection has its deadline here, and one timer looks at them all. Used on the loop's
/// queue alone.
final class HTTPServerConnection {
    enum Duty {
        /// To send a whole request.
        case send
        /// To take bytes that wait.
        case take
        /// Nothing: a handler runs, or a stream has nothing to say.
        case wait
    }

    /// One that is refused has to say soon what it wants to be refused.
    private static let refusedTimeout = Duration.seconds(2)

    let socket: Int32
    /// Who is at the other end of a Unix socket; `nil` on TCP.
    let peer: PeerCredentials?
    let verdict: HTTPServerAdmission.Verdict
    /// The request under way.
    weak var exchange: HTTPServerExchange?
    private var duty = Duty.send
    private var since: Instant
    /// Bytes that the kernel held for the peer when it was last looked at; -1 before that.
    private var untaken: Int32 = -1

    init(
        socket: Int32, peer: PeerCredentials?, verdict: HTTPServerAdmission.Verdict,
        at now: Instant
    ) {
        self.socket = socket
        self.peer = peer
        self.verdict = verdict
        since = now
    }

    func owes(_ duty: Duty, since now: Instant) {
        self.duty = duty
        since = now
        untaken = -1
    }

    /// Whether the peer is late with what it owes.
    ///
    /// A reader that takes slowly but steadily is not: what the kernel holds for it changes.
    func isOverdue(at now: Instant, _ limits: HTTPServerLimits) -> Bool {
        switch duty {
        case .wait: return false
        case .send:
            let limit =
                verdict == .refuse
                ? min(limits.requestTimeout, HTTPServerConnection.refusedTimeout)
                : limits.requestTimeout
            return since.duration(to: now) >= limit
        case .take:
            let left = runwatch_untaken(socket)
            guard left == untaken else {
                untaken = left
                since = now
                return false
            }
            return since.duration(to: now) >= limits.stallTimeout
        }
    }

    /// Ends it in both directions: libmicrohttpd sees that and closes.
    func end() {
        if duty == .send { exchange?.tellTimeout() }
        shutdown(socket, Int32(SHUT_RDWR))
    }

    /// Who is at the other end of a Unix socket (`SO_PEERCRED`, unix(7)).
    static func credentials(of socket: Int32) -> PeerCredentials? {
        // struct ucred: pid, uid, gid, 32 bits each.
        var credentials: (Int32, UInt32, UInt32) = (0, 0, 0)
        var length = socklen_t(12)
        guard getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0, length == 12
        else { return nil }
        return PeerCredentials(
            processID: credentials.0, userID: credentials.1, groupID: credentials.2)
    }
}
