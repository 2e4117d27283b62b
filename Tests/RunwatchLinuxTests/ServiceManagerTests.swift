import Glibc
import TestSupport
import Testing

@testable import RunwatchLinux

@Suite struct ServiceManagerTests {
    let folder = TemporaryFolder()

    /// A socket such as the service manager's, by path or, with "@", by abstract name.
    private func makeSocket(_ path: String) -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(path.utf8)
        let isAbstract = path.hasPrefix("@")
        if isAbstract { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(2 + bytes.count + (isAbstract ? 0 : 1))
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        #expect(status == 0)
        return descriptor
    }

    private func receive(_ descriptor: Int32) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }

    private func manager(_ path: String?) -> ServiceManager {
        ServiceManager(socketPath: path, watchdogMicroseconds: nil, watchdogProcess: nil)
    }

    @Test(arguments: [true, false])
    func `each message arrives as one datagram`(_ isAbstract: Bool) throws {
        let path = isAbstract ? "@runwatch-test\(folder.path)" : folder.path("notify")
        let socket = makeSocket(path)
        defer { close(socket) }
        let manager = manager(path)
        try manager.ready(status: "7 watches")
        #expect(receive(socket) == "READY=1\nSTATUS=7 watches")
        try manager.ready()
        #expect(receive(socket) == "READY=1")
        try manager.status("up\nREADY=1")
        #expect(receive(socket) == "STATUS=up READY=1")
        try manager.feedWatchdog()
        #expect(receive(socket) == "WATCHDOG=1")
        try manager.stopping()
        #expect(receive(socket) == "STOPPING=1")
        try manager.reloading()
        let reload = try #require(receive(socket))
        #expect(reload.hasPrefix("RELOADING=1\nMONOTONIC_USEC="))
        #expect(Int64(reload.split(separator: "=").last ?? "") ?? 0 > 0)
    }

    @Test(arguments: [nil, "", "vsock:2:1", "relative/path"])
    func `without a socket nothing happens`(_ path: String?) throws {
        #expect(!manager(path).isPresent)
        try manager(path).ready()
        try manager(path).feedWatchdog()
    }

    @Test func `a socket that is gone is an error`() {
        for path in [folder.path("gone"), "/" + String(repeating: "x", count: 200), "@"] {
            #expect(throws: SystemCallError.self) { try manager(path).ready() }
        }
    }

    @Test func `the watchdog is for this process alone`() {
        func interval(_ microseconds: String?, _ process: String?) -> Duration? {
            ServiceManager(
                socketPath: nil, watchdogMicroseconds: microseconds, watchdogProcess: process
            ).watchdogInterval
        }
        #expect(interval("30000000", nil) == .seconds(30))
        #expect(interval("500000", "\(getpid())") == .milliseconds(500))
        #expect(interval("500000", "1") == nil)
        #expect(interval("500000", "x") == nil)
        for bad in [nil, "", "0", "-5", "x"] { #expect(interval(bad, nil) == nil) }
    }
}
