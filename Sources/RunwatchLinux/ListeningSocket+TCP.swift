import Glibc
package import RunwatchCore

extension ListeningSocket {
    /// Listens on a TCP port.
    ///
    /// `[::]` takes what comes to the machine's IPv4 addresses too, whatever `net.ipv6.bindv6only` says.
    /// - Parameter address: With port 0 for any free one.
    /// - Returns: A descriptor that the caller closes, and the address with the port that it got.
    /// - Throws: `SystemCallError`: the port is taken or needs a right, or no interface has the address.
    package static func tcp(
        _ address: ListenAddress
    ) throws(SystemCallError) -> (descriptor: Int32, address: ListenAddress) {
        let isSix = if case .v6 = address.host { true } else { false }
        let descriptor = try make(isSix ? AF_INET6 : AF_INET, "socket for \(address)")
        do throws(SystemCallError) {
            // A port whose last connections linger can be taken again at once.
            set(descriptor, SOL_SOCKET, SO_REUSEADDR, to: 1)
            if isSix { set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, to: 0) }
            guard bind(descriptor, to: address) == 0 else {
                throw SystemCallError(call: "bind \(address)", errno: errno)
            }
            try startListening(descriptor, "\(address)")
            var bound = address
            bound.port = try port(of: descriptor, "\(address)")
            return (descriptor, bound)
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Listens on a TCP port of 127.0.0.1.
    ///
    /// - Parameter port: 0 for any free one.
    /// - Returns: A descriptor that the caller closes, and the port that it got.
    package static func loopback(
        port: UInt16
    ) throws(SystemCallError) -> (descriptor: Int32, port: UInt16) {
        let (descriptor, address) = try tcp(.loopback(port: port))
        return (descriptor, address.port)
    }

    /// Sets an option; where that fails, `bind` or `listen` will say what is wrong.
    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, to value: Int32) {
        var value = value
        setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func bind(_ descriptor: Int32, to address: ListenAddress) -> Int32 {
        switch address.host {
        case .v4(let host):
            var name = sockaddr_in()
            name.sin_family = sa_family_t(AF_INET)
            name.sin_port = address.port.bigEndian
            name.sin_addr.s_addr = host.bigEndian
            return bind(descriptor, &name)
        case .v6(let host):
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            name.sin6_port = address.port.bigEndian
            withUnsafeMutableBytes(of: &name.sin6_addr) { bytes in
                withUnsafeBytes(of: host.bigEndian) { bytes.copyMemory(from: $0) }
            }
            return bind(descriptor, &name)
        }
    }

    /// Both families have the port at the same place.
    private static func port(
        of descriptor: Int32, _ name: String
    ) throws(SystemCallError) -> UInt16 {
        var address = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let asked = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length)
            }
        }
        guard asked == 0 else {
            throw SystemCallError(call: "getsockname \(name)", errno: errno)
        }
        return UInt16(bigEndian: address.sin6_port)
    }
}
