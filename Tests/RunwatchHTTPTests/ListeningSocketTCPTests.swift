import Glibc
import RunwatchCore
import RunwatchLinux
import TestSupport
import Testing

@Suite struct ListeningSocketTCPTests {
    private func address(_ text: String) throws -> ListenAddress {
        try #require(ListenAddress(text))
    }

    @Test(arguments: ["127.0.0.1:0", "[::1]:0", "127.3.4.5:0"])
    func `an address is listened on at the port that it got`(_ text: String) throws {
        let wanted = try address(text)
        guard let (descriptor, bound) = try listening(wanted) else { return }
        defer { close(descriptor) }
        #expect(bound.host == wanted.host)
        #expect(bound.port > 0)
        #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
        #expect(fcntl(descriptor, F_GETFL) & O_NONBLOCK != 0)
        let again = #expect(throws: SystemCallError.self) { try ListeningSocket.tcp(bound) }
        #expect(again?.errno == EADDRINUSE)
        #expect(again?.call == "bind \(bound)")
    }

    @Test func `the address of no interface is told`() throws {
        // 192.0.2.0/24 is for documentation (RFC 5737).
        let wanted = try address("192.0.2.1:0")
        let error = #expect(throws: SystemCallError.self) { try ListeningSocket.tcp(wanted) }
        #expect(error?.errno == EADDRNOTAVAIL)
    }

    @Test func `a socket's file is given to another group, and a missing one is told`() throws {
        let folder = TemporaryFolder()
        let path = folder.path("control.sock")
        let descriptor = try ListeningSocket.unix(path: path, mode: 0o660, group: nil)
        defer { close(descriptor) }
        // One's own group is allowed to everyone; another one to root.
        let group: UInt32 = geteuid() == 0 ? 4_000_000_001 : getegid()
        try ListeningSocket.give(path, to: group)
        var status = stat()
        lstat(path, &status)
        #expect(status.st_gid == group)
        #expect(status.st_mode & 0o777 == 0o660)
        let error = #expect(throws: SystemCallError.self) {
            try ListeningSocket.give(folder.path("none"), to: group)
        }
        #expect(error?.errno == ENOENT)
    }

    /// `nil` on a machine without IPv6.
    private func listening(
        _ wanted: ListenAddress
    ) throws(SystemCallError) -> (descriptor: Int32, address: ListenAddress)? {
        do throws(SystemCallError) {
            return try ListeningSocket.tcp(wanted)
        } catch {
            let isMissing = error.errno == EAFNOSUPPORT || error.errno == EADDRNOTAVAIL
            if isMissing, case .v6 = wanted.host { return nil }
            throw error
        }
    }
}
