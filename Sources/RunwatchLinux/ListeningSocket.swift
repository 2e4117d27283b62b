import Glibc

/// Makes the sockets that servers listen on: non-blocking, and closed in programs that are started.
package enum ListeningSocket {
    /// The longest path that fits an address of unix(7), with its closing NUL.
    package static let longestPath = 107

    /// Listens on a Unix socket, replacing a stale socket file at the path.
    ///
    /// The file never has a wider mode than the wanted one: Linux makes it with the mode of the unbound
    /// socket, less the umask. (Setting the umask instead would change what other threads create at
    /// that moment.) Nothing tells a stale socket from a live one; the caller holds the lock that makes
    /// this process the path's owner.
    /// - Parameters:
    ///   - mode: The permissions of the file.
    ///   - group: The group that the file is given to; `nil` leaves the process's own.
    /// - Returns: A descriptor that the caller closes.
    /// - Throws: `SystemCallError`: the path is too long, is taken by something that is no socket, or
    ///   lies in a folder that is missing or may not be written.
    package static func unix(
        path: String, mode: UInt16, group: UInt32?
    ) throws(SystemCallError) -> Int32 {
        var address = try unixAddress(path)
        try removeStaleSocket(path)
        let descriptor = try make(AF_UNIX, "socket for \(path)")
        do throws(SystemCallError) {
            guard fchmod(descriptor, mode_t(mode)) == 0 else {
                throw SystemCallError(call: "fchmod \(path)", errno: errno)
            }
            guard bind(descriptor, &address) == 0 else {
                throw SystemCallError(call: "bind \(path)", errno: errno)
            }
            do throws(SystemCallError) {
                if let group { try give(path, to: group) }
                // What the umask took away comes back once the group is right.
                guard chmod(path, mode_t(mode)) == 0 else {
                    throw SystemCallError(call: "chmod \(path)", errno: errno)
                }
                try startListening(descriptor, path)
            } catch {
                unlink(path)
                throw error
            }
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Gives a socket's file to a group, as after a change of the configuration.
    ///
    /// - Throws: `SystemCallError`: there is no such file, or the process may not give it to that group.
    package static func give(_ path: String, to group: UInt32) throws(SystemCallError) {
        var status = stat()
        // A sandbox may forbid even the chown that would change nothing.
        if lstat(path, &status) == 0, status.st_gid == group { return }
        guard lchown(path, uid_t.max, group) == 0 else {
            throw SystemCallError(call: "chown \(path) to group \(group)", errno: errno)
        }
    }

    private static func unixAddress(_ path: String) throws(SystemCallError) -> sockaddr_un {
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, !bytes.contains(0) else {
            throw SystemCallError(call: "bind '\(path)'", errno: EINVAL)
        }
        guard bytes.count <= longestPath else {
            throw SystemCallError(
                call:
                    "bind \(path): \(bytes.count) bytes, and a socket's path may have \(longestPath)",
                errno: ENAMETOOLONG)
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return address
    }

    private static func removeStaleSocket(_ path: String) throws(SystemCallError) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return }
            throw SystemCallError(call: "lstat \(path)", errno: errno)
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw SystemCallError(
                call: "bind \(path): something that is no socket is there, move it away",
                errno: EEXIST)
        }
        guard unlink(path) == 0 || errno == ENOENT else {
            throw SystemCallError(call: "unlink \(path)", errno: errno)
        }
    }

    static func make(_ family: Int32, _ call: String) throws(SystemCallError) -> Int32 {
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        let descriptor = socket(family, Int32(bitPattern: kind), 0)
        guard descriptor >= 0 else { throw SystemCallError(call: call, errno: errno) }
        return descriptor
    }

    static func bind<Address>(_ descriptor: Int32, _ address: inout Address) -> Int32 {
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }

    static func startListening(
        _ descriptor: Int32, _ name: String
    ) throws(SystemCallError) {
        // As many waiting connections as the kernel allows (net.core.somaxconn cuts it).
        guard listen(descriptor, 4096) == 0 else {
            throw SystemCallError(call: "listen \(name)", errno: errno)
        }
    }
}
