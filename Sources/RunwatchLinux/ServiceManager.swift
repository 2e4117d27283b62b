import Glibc

/// The service manager's notification socket (sd_notify(3)); does nothing where there is none.
package struct ServiceManager: Sendable {
    /// The longest status line that is sent, in bytes.
    private static let maximumStatus = 1024

    private let socketPath: String?
    /// How often at least `feedWatchdog` must be called; `nil` when nobody watches (sd_watchdog_enabled(3)).
    package let watchdogInterval: Duration?

    /// From the process's environment.
    package init() {
        self.init(
            socketPath: Environment.value("NOTIFY_SOCKET"),
            watchdogMicroseconds: Environment.value("WATCHDOG_USEC"),
            watchdogProcess: Environment.value("WATCHDOG_PID"))
    }

    init(socketPath: String?, watchdogMicroseconds: String?, watchdogProcess: String?) {
        // Only these two kinds of address are local sockets.
        self.socketPath = socketPath.flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? $0 : nil }
        let isOurs = watchdogProcess.map { Int32($0) == getpid() } ?? true
        watchdogInterval = watchdogMicroseconds.flatMap { Int64($0) }
            .flatMap { $0 > 0 && isOurs ? .microseconds($0) : nil }
    }

    /// Whether anyone is told.
    package var isPresent: Bool { socketPath != nil }

    /// The program has started, or a reload is done.
    ///
    /// - Throws: When the manager cannot be reached: it would wait in vain and end the program.
    package func ready(status: String? = nil) throws(SystemCallError) {
        try send("READY=1" + ServiceManager.statusLine(status))
    }

    /// A reload begins; `ready` ends it.
    package func reloading() throws(SystemCallError) {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let microseconds = Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
        try send("RELOADING=1\nMONOTONIC_USEC=\(microseconds)")
    }

    /// The program stops.
    package func stopping(status: String? = nil) throws(SystemCallError) {
        try send("STOPPING=1" + ServiceManager.statusLine(status))
    }

    /// The line that `systemctl status` shows.
    package func status(_ text: String) throws(SystemCallError) {
        try send(String(ServiceManager.statusLine(text).dropFirst()))
    }

    /// The program is alive.
    package func feedWatchdog() throws(SystemCallError) {
        try send("WATCHDOG=1")
    }

    private static func statusLine(_ text: String?) -> String {
        guard let text else { return "" }
        // A line break would start another message to the manager.
        let line = text.utf8.prefix(maximumStatus).map { $0 < 32 ? 32 : $0 }
        return "\nSTATUS=" + String(decoding: line, as: UTF8.self)
    }

    private func send(_ message: String) throws(SystemCallError) {
        guard let socketPath else { return }
        let call = "notify \(socketPath)"
        var path = Array(socketPath.utf8)
        // "@" stands for the NUL of an abstract name (unix(7)), whose length is part of the address.
        if path.first == UInt8(ascii: "@") { path[0] = 0 }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.count < MemoryLayout.size(ofValue: address.sun_path), path.count > 1 else {
            throw SystemCallError(call: call, errno: ENAMETOOLONG)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let descriptor = socket(
            AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemCallError(call: call, errno: errno) }
        defer { close(descriptor) }
        // A manager that is busy has two seconds; a stuck one must not stop the program.
        var limit = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let bytes = Array(message.utf8)
        let length = MemoryLayout<sa_family_t>.size + path.count + (path[0] == 0 ? 0 : 1)
        var count = 0
        repeat {
            count = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(
                        descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0,
                        socklen_t(length))
                }
            }
        } while count < 0 && errno == EINTR
        guard count >= 0 else { throw SystemCallError(call: call, errno: errno) }
    }
}
