import CCurl
import Glibc
import RunwatchLinux

/// The epoll set of libcurl's sockets, with as few calls of epoll_ctl(2) as will do.
///
/// libcurl tells of a connection's socket twice a request: read, and nothing. The set keeps the read
/// interest in between, since the next request wants it again, and drops it only when an event comes
/// that nobody wants (the peer closed an idle connection). That is safe for sockets which were opened
/// and are closed through the set. Others (the resolver's pair) are closed behind its back, so for them
/// "nothing" is carried out at once.
///
/// Confined to its transport's queue.
final class CurlSocketSet {
    private struct Entry {
        /// What the kernel was told; 0 when the descriptor is not in the set.
        var registered: UInt32 = 0
        /// What libcurl wants now.
        var wanted: UInt32 = 0
        /// Opened here, so that its end is seen here.
        var isOwn = false
        /// Counts the sockets that had this number, so that an event read before a close is not taken
        /// for one of the socket that got the number next.
        var generation: UInt32 = 0
    }

    private static let readEvent = EPOLLIN.rawValue
    private static let writeEvent = EPOLLOUT.rawValue
    /// Events taken in one wake-up; what is left wakes the queue again.
    private static let batch = 128

    let descriptor: Int32
    private(set) var openedCount = 0
    private(set) var openCount = 0
    private var entries: [Entry] = []
    private let events: UnsafeMutablePointer<epoll_event>

    init() throws(SystemCallError) {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw SystemCallError(call: "epoll_create1", errno: errno) }
        events = .allocate(capacity: CurlSocketSet.batch)
        events.initialize(repeating: epoll_event(), count: CurlSocketSet.batch)
    }

    deinit { events.deallocate() }

    /// Closes the set itself; for the cancel handler of the source that watches it.
    func closeSet() { Glibc.close(descriptor) }

    /// A new socket that belongs to no set; negative when there is none to be had.
    static func newSocket(to peer: curl_sockaddr) -> Int32 {
        // libcurl by itself would leave it to programs that we start.
        socket(peer.family, peer.socktype | Int32(SOCK_CLOEXEC.rawValue), peer.protocol)
    }

    /// A new socket for libcurl; negative when there is none to be had.
    func open(to peer: curl_sockaddr) -> Int32 {
        let socket = CurlSocketSet.newSocket(to: peer)
        guard socket >= 0 else { return CURL_SOCKET_BAD }
        reserve(socket)
        entries[Int(socket)].isOwn = true
        openedCount += 1
        openCount += 1
        return socket
    }

    /// Closes a socket that `open` gave.
    func close(_ socket: Int32) -> Int32 {
        if entries.indices.contains(Int(socket)), entries[Int(socket)].isOwn {
            unregister(socket)
            entries[Int(socket)].isOwn = false
            entries[Int(socket)].wanted = 0
            entries[Int(socket)].generation &+= 1
            openCount -= 1
        }
        return Glibc.close(socket)
    }

    /// Takes down what libcurl wants to know of a socket: one of `CURL_POLL_…`.
    func want(_ what: Int32, of socket: Int32) {
        guard socket >= 0 else { return }
        reserve(socket)
        let entry = entries[Int(socket)]
        var wanted: UInt32 = 0
        if what == CURL_POLL_IN || what == CURL_POLL_INOUT { wanted |= CurlSocketSet.readEvent }
        if what == CURL_POLL_OUT || what == CURL_POLL_INOUT { wanted |= CurlSocketSet.writeEvent }
        entries[Int(socket)].wanted = wanted
        guard wanted == 0 else {
            if wanted != entry.registered { register(socket, wanted) }
            return
        }
        if !entry.isOwn {
            unregister(socket)
            entries[Int(socket)].generation &+= 1
        } else if entry.registered & CurlSocketSet.readEvent == 0 {
            unregister(socket)
        } else if entry.registered != CurlSocketSet.readEvent {
            register(socket, CurlSocketSet.readEvent)
        }
    }

    /// Reads what is ready and hands each socket on, with libcurl's bits for what happened.
    func drain(_ handle: (_ socket: Int32, _ bits: Int32) -> Void) {
        let count = epoll_wait(descriptor, events, Int32(CurlSocketSet.batch), 0)
        guard count > 0 else { return }
        for index in 0..<Int(count) {
            let event = events[index]
            let socket = Int32(truncatingIfNeeded: event.data.u64 & 0xFFFF_FFFF)
            let entry = entries[Int(socket)]
            guard entry.generation == UInt32(truncatingIfNeeded: event.data.u64 >> 32) else {
                continue
            }
            guard entry.wanted != 0 else {
                unregister(socket)
                continue
            }
            var bits: Int32 = 0
            if event.events & (EPOLLIN.rawValue | EPOLLHUP.rawValue) != 0 {
                bits |= CURL_CSELECT_IN
            }
            if event.events & EPOLLOUT.rawValue != 0 { bits |= CURL_CSELECT_OUT }
            if event.events & EPOLLERR.rawValue != 0 { bits |= CURL_CSELECT_ERR }
            handle(socket, bits)
        }
    }

    private func reserve(_ socket: Int32) {
        while entries.count <= Int(socket) { entries.append(Entry()) }
    }

    private func register(_ socket: Int32, _ wanted: UInt32) {
        let entry = entries[Int(socket)]
        var event = epoll_event()
        event.events = wanted
        event.data.u64 = UInt64(entry.generation) << 32 | UInt64(UInt32(bitPattern: socket))
        let isNew = entry.registered == 0
        var status = epoll_ctl(descriptor, isNew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, &event)
        // The kernel knows better than the table: it forgets a socket when its last descriptor goes.
        if status != 0, isNew ? errno == EEXIST : errno == ENOENT {
            status = epoll_ctl(descriptor, isNew ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event)
        }
        // Without memory for the entry the request meets its timeout.
        entries[Int(socket)].registered = status == 0 ? wanted : 0
    }

    private func unregister(_ socket: Int32) {
        guard entries[Int(socket)].registered != 0 else { return }
        // Fails when the socket is gone already: the kernel has dropped it then.
        epoll_ctl(descriptor, EPOLL_CTL_DEL, socket, nil)
        entries[Int(socket)].registered = 0
    }
}
