import Glibc
import RunwatchLinux

/// A client's socket, without any HTTP of its own.
///
/// Its calls block for 30 s at the most, on a queue of its own, so that no other test waits for them.
actor HTTPServerRawConnection {
    private let executor = QueueExecutor(label: "raw connection")
    nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    private var descriptor: Int32 = -1
    private var pending: [UInt8] = []

    init(port: UInt16) async {
        descriptor = HTTPServerRawConnection.connected(port: port)
    }

    /// Connects and sends in one go, so that no other test's work comes in between.
    init(port: UInt16, sending text: String) async {
        descriptor = HTTPServerRawConnection.connected(port: port)
        send(text)
    }

    init(path: String) async {
        descriptor = HTTPServerRawConnection.connected(path: path)
    }

    deinit {
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    var isConnected: Bool { descriptor >= 0 }

    /// Sends all of it; `false` when the server does not take it.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return false }
            rest = rest.dropFirst(sent)
        }
        return true
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Reads until `text` has come, and gives everything up to its end; less when the server closes.
    func read(until text: String) -> String {
        let needle = Array(text.utf8)
        while true {
            if let end = HTTPServerRawConnection.end(of: needle, in: pending) {
                let found = pending[..<end]
                pending.removeFirst(end)
                return String(decoding: found, as: UTF8.self)
            }
            guard fill() else {
                defer { pending = [] }
                return String(decoding: pending, as: UTF8.self)
            }
        }
    }

    /// Reads what there is, 64 KiB at the most; nothing when the server closes.
    func readSome() -> String {
        guard !pending.isEmpty || fill() else { return "" }
        defer { pending = [] }
        return String(decoding: pending, as: UTF8.self)
    }

    /// Reads until the server closes.
    func readToEnd() -> String {
        while fill() {}
        defer { pending = [] }
        return String(decoding: pending, as: UTF8.self)
    }

    /// The error that reading ends in: 0 for an orderly end.
    func readError() -> Int32 {
        var byte: UInt8 = 0
        while true {
            let count = recv(descriptor, &byte, 1, 0)
            if count == 0 { return 0 }
            if count < 0, errno == EINTR { continue }
            if count < 0 { return errno }
        }
    }

    /// Whether the server has closed, with nothing left to read.
    func hasEnded() -> Bool { pending.isEmpty && !fill() }

    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    private func fill() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        var count = recv(descriptor, &buffer, buffer.count, 0)
        // With a time limit set, a signal that another test sends itself breaks it off (signal(7)).
        while count < 0, errno == EINTR { count = recv(descriptor, &buffer, buffer.count, 0) }
        guard count > 0 else { return false }
        pending.append(contentsOf: buffer[..<count])
        return true
    }

    private static func end(of needle: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= needle.count else { return nil }
        for start in 0...(bytes.count - needle.count)
        where bytes[start..<start + needle.count].elementsEqual(needle) {
            return start + needle.count
        }
        return nil
    }

    nonisolated static func connected(port: UInt16) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return connected(AF_INET, &address)
    }

    nonisolated static func connected(path: String) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        return connected(AF_UNIX, &address)
    }

    private nonisolated static func connected<Address>(
        _ family: Int32, _ address: inout Address
    ) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(family, kind, 0)
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
        guard result == 0 else {
            Glibc.close(descriptor)
            return -1
        }
        return descriptor
    }
}
