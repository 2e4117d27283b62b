import Glibc

/// Ends a TCP connection with a reset instead of an orderly close.
package enum SocketReset {
    /// Disconnecting a TCP socket resets it at once; its owner still closes it.
    package static func reset(_ descriptor: Int32) {
        var nowhere = sockaddr()
        nowhere.sa_family = sa_family_t(AF_UNSPEC)
        _ = connect(descriptor, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
    }
}
