import Glibc
import Synchronization

/// A TCP server on the loopback that does to each connection what a script says, byte by byte: for answers
/// that no real server would give.
///
/// Each connection has a thread of its own. Ends with `stop`, or with the value.
package final class ScriptedTCPServer: Sendable {
    package indirect enum Step: Sendable {
        /// Reads one request: the head, and as much body as `Content-Length` says.
        case request
        /// Reads up to the text, which is kept as part of a request: a line of SMTP, or a whole message.
        case read(through: String)
        case send(String)
        case sendBytes([UInt8])
        case pause(Duration)
        /// Does these steps until the peer goes.
        case forever([Step])
        /// Closes with a reset (RST) instead of an end (FIN).
        case reset
        /// Keeps the connection open until the peer goes or the server stops.
        case hold
    }

    private struct State {
        var requests: [String] = []
        var connections: [Int32] = []
        var connectionCount = 0
        var runningThreads = 0
        var isStopped = false
    }

    private final class Shared: Sendable {
        let state = Mutex(State())
        let script: @Sendable (Int) -> [Step]
        let listener: Int32
        /// Readable for ever once the server is stopped.
        let stopped: Int32

        init(listener: Int32, stopped: Int32, script: @escaping @Sendable (Int) -> [Step]) {
            self.listener = listener
            self.stopped = stopped
            self.script = script
        }

        deinit {
            close(listener)
            close(stopped)
        }
    }

    package let port: UInt16
    private let shared: Shared
    private let stopWriter: Int32

    /// A server whose connections, counted from 0, do what `script` says and are then closed.
    package init(script: @escaping @Sendable (_ connection: Int) -> [Step]) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) | listen(listener, 1024)
                    | getsockname(listener, $0, &length)
            }
        }
        var ends: [Int32] = [-1, -1]
        guard listener >= 0, status == 0, pipe(&ends) == 0 else {
            preconditionFailure("no loopback server: errno \(errno)")
        }
        port = UInt16(bigEndian: address.sin_port)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        stopWriter = ends[1]
        shared = Shared(listener: listener, stopped: ends[0], script: script)
        Self.startThread { [shared] in Self.accept(shared) }
    }

    /// A server that does the same to every connection.
    package convenience init(_ steps: Step...) {
        self.init { _ in steps }
    }

    deinit { stop() }

    package var url: String { "http://127.0.0.1:\(port)" }
    /// Every request read so far, head and body as they came.
    package var requests: [String] { shared.state.withLock { $0.requests } }
    package var connectionCount: Int { shared.state.withLock { $0.connectionCount } }

    /// Takes no more connections and ends those there are.
    package func stop() {
        let isFirst = shared.state.withLock { state in
            guard !state.isStopped else { return false }
            state.isStopped = true
            // Their threads close them.
            for connection in state.connections { shutdown(connection, Int32(SHUT_RDWR)) }
            shutdown(shared.listener, Int32(SHUT_RDWR))
            return true
        }
        if isFirst { close(stopWriter) }
    }

    /// Waits until so many requests were read; false when a generous minute was not enough.
    package func hasRead(requests count: Int) async -> Bool {
        let end = ContinuousClock.now.advanced(by: .seconds(60))
        while shared.state.withLock({ $0.requests.count }) < count {
            guard !Task.isCancelled, ContinuousClock.now < end else { return false }
            // Cancellation ends the loop above.
            try? await Task.sleep(for: .milliseconds(2))
        }
        return true
    }

    // MARK: - Threads

    private static func accept(_ shared: Shared) {
        while true {
            let connection = Glibc.accept(shared.listener, nil, nil)
            guard connection >= 0 else {
                if errno == EINTR || errno == ECONNABORTED { continue }
                return
            }
            _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
            var one: Int32 = 1
            setsockopt(
                connection, Int32(IPPROTO_TCP), TCP_NODELAY, &one,
                socklen_t(MemoryLayout<Int32>.size))
            let number = shared.state.withLock { state -> Int? in
                guard !state.isStopped else { return nil }
                state.connections.append(connection)
                state.connectionCount += 1
                return state.connectionCount - 1
            }
            guard let number else {
                close(connection)
                return
            }
            startThread { serve(connection, number, shared) }
        }
    }

    private static func serve(_ connection: Int32, _ number: Int, _ shared: Shared) {
        var unread: [UInt8] = []
        _ = run(shared.script(number), connection, shared, &unread)
        shared.state.withLock { state in
            state.connections.removeAll { $0 == connection }
            // Within the lock: a closed number may come back as another connection at once.
            close(connection)
        }
    }

    /// Does the steps; false when the peer is gone.
    private static func run(
        _ steps: [Step], _ connection: Int32, _ shared: Shared, _ unread: inout [UInt8]
    ) -> Bool {
        for step in steps {
            switch step {
            case .request:
                guard let request = readRequest(connection, &unread) else { return false }
                shared.state.withLock { $0.requests.append(request) }
            case .read(let end):
                guard let text = read(connection, through: Array(end.utf8), &unread) else {
                    return false
                }
                shared.state.withLock { $0.requests.append(text) }
            case .send(let text):
                guard write(connection, Array(text.utf8)) else { return false }
            case .sendBytes(let bytes):
                guard write(connection, bytes) else { return false }
            case .pause(let duration):
                var wait = pollfd(fd: shared.stopped, events: Int16(POLLIN), revents: 0)
                let (seconds, attoseconds) = duration.components
                let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
                guard poll(&wait, 1, Int32(milliseconds)) == 0 else { return false }
            case .forever(let inner):
                while run(inner, connection, shared, &unread) {}
                return false
            case .reset:
                var linger = linger(l_onoff: 1, l_linger: 0)
                setsockopt(
                    connection, SOL_SOCKET, SO_LINGER, &linger,
                    socklen_t(MemoryLayout<Glibc.linger>.size))
                return false
            case .hold:
                while receive(connection, &unread) { unread.removeAll() }
                return false
            }
        }
        return true
    }

    private static func read(
        _ connection: Int32, through end: [UInt8], _ unread: inout [UInt8]
    ) -> String? {
        guard let place = place(of: end, connection, &unread) else { return nil }
        let text = String(decoding: unread[..<(place + end.count)], as: UTF8.self)
        unread.removeFirst(place + end.count)
        return text
    }

    /// Reads until the bytes have come; `nil` when the peer is gone before.
    private static func place(
        of bytes: [UInt8], _ connection: Int32, _ unread: inout [UInt8]
    ) -> Int? {
        var start = 0
        while true {
            let found = unread.indices.dropFirst(start).first {
                unread[$0...].starts(with: bytes)
            }
            if let found { return found }
            start = max(0, unread.count - bytes.count)
            guard receive(connection, &unread) else { return nil }
        }
    }

    private static func readRequest(_ connection: Int32, _ unread: inout [UInt8]) -> String? {
        let blankLine = Array("\r\n\r\n".utf8)
        guard let headEnd = place(of: blankLine, connection, &unread) else { return nil }
        let head = String(decoding: unread[..<headEnd], as: UTF8.self).lowercased()
        var length = 0
        for line in head.split(separator: "\r\n") where line.hasPrefix("content-length:") {
            length = Int(line.dropFirst(15).filter { $0 != " " }) ?? 0
        }
        let end = headEnd + blankLine.count + length
        while unread.count < end {
            guard receive(connection, &unread) else { return nil }
        }
        let request = String(decoding: unread[..<end], as: UTF8.self)
        unread.removeFirst(end)
        return request
    }

    private static func receive(_ connection: Int32, _ unread: inout [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(connection, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        unread.append(contentsOf: buffer[..<count])
        return true
    }

    private static func write(_ connection: Int32, _ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                send(
                    connection, buffer.baseAddress.map { $0 + sent }, bytes.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private static func startThread(_ body: @escaping @Sendable () -> Void) {
        let context = Unmanaged.passRetained(Body(body)).toOpaque()
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context)
        guard status == 0 else { preconditionFailure("no thread: \(status)") }
        pthread_detach(thread)
    }
}
