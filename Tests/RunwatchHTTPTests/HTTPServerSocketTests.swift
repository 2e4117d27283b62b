import Glibc
import RunwatchLinux
import TestSupport
import Testing

@Suite struct HTTPServerSocketTests {
    private func status(_ path: String) -> stat {
        var status = stat()
        lstat(path, &status)
        return status
    }

    @Test(arguments: [0o660, 0o600, 0o666])
    func `a Unix socket has the wanted mode and group from the start`(mode: Int) throws {
        let folder = TemporaryFolder()
        let path = folder.path("control.sock")
        let descriptor = try ListeningSocket.unix(
            path: path, mode: UInt16(mode), group: getgid())
        defer { close(descriptor) }
        let status = status(path)
        #expect(status.st_mode & S_IFMT == S_IFSOCK)
        #expect(Int(status.st_mode & 0o777) == mode)
        #expect(status.st_gid == getgid())
        #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
        #expect(fcntl(descriptor, F_GETFL) & O_NONBLOCK != 0)
    }

    @Test func `a stale socket is replaced`() throws {
        let folder = TemporaryFolder()
        let path = folder.path("control.sock")
        close(try ListeningSocket.unix(path: path, mode: 0o600, group: nil))
        #expect(HTTPServerRawConnection.connected(path: path) == -1)
        let descriptor = try ListeningSocket.unix(path: path, mode: 0o600, group: nil)
        defer { close(descriptor) }
        let client = HTTPServerRawConnection.connected(path: path)
        #expect(client >= 0)
        close(client)
    }

    @Test func `anything but a socket is left alone`() throws {
        let folder = TemporaryFolder()
        let path = folder.write("precious", "text")
        let link = folder.path("link")
        symlink(path, link)
        for place in [path, link, folder.path] {
            let error = #expect(throws: SystemCallError.self) {
                try ListeningSocket.unix(path: place, mode: 0o600, group: nil)
            }
            #expect(error?.errno == EEXIST)
            #expect(error?.description.contains(place) == true)
        }
        #expect(status(path).st_size == 4)
    }

    @Test func `a path that does not fit, is empty or has no folder is told`() throws {
        let folder = TemporaryFolder()
        let long = folder.path(String(repeating: "x", count: 100))
        for (path, code) in [(long, ENAMETOOLONG), ("", EINVAL), (folder.path("no/s"), ENOENT)] {
            let error = #expect(throws: SystemCallError.self) {
                try ListeningSocket.unix(path: path, mode: 0o600, group: nil)
            }
            #expect(error?.errno == code)
        }
    }

    @Test func `a loopback port is taken once`() throws {
        let (descriptor, port) = try ListeningSocket.loopback(port: 0)
        defer { close(descriptor) }
        #expect(port > 0)
        let error = #expect(throws: SystemCallError.self) {
            try ListeningSocket.loopback(port: port)
        }
        #expect(error?.errno == EADDRINUSE)
        #expect(error?.description.contains("127.0.0.1:\(port)") == true)
    }
}
