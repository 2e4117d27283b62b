import Glibc
import RunwatchCore

/// Judges by its `Host` whether a request to a loopback address was meant for this machine.
///
/// A page on the web may let its own name lead to 127.0.0.1 once it is loaded (DNS rebinding); the browser
/// takes our answers for that page's, and gives them to it. The name is still in `Host`. Who answers for
/// such a page owns a domain, so its name has a dot; addresses, `localhost` and names without a dot come from
/// nobody else than this machine or its network.
enum LocalHost {
    /// - Parameter host: The value of the header, perhaps with a port (RFC 9110, section 7.2).
    static func isOurs(_ host: String, ownName: String? = nil) -> Bool {
        // With a port of ours, so that what remains to be judged is an address or a name.
        if ListenAddress(host) != nil || ListenAddress("\(host):1") != nil { return true }
        var name = host[...]
        if let colon = name.lastIndex(of: ":") {
            guard name[name.index(after: colon)...].utf8.allSatisfy({ (0x30...0x39).contains($0) })
            else { return false }
            name = name[..<colon]
        }
        // The dot at the end of a whole name (RFC 1034, section 3.1) says nothing.
        if name.hasSuffix(".") { name.removeLast() }
        guard !name.utf8.contains(UInt8(ascii: ":")) else { return false }
        let lower = name.lowercased()
        return !lower.utf8.contains(UInt8(ascii: ".")) || lower.hasSuffix(".localhost")
            || lower == (ownName ?? machineName()).lowercased()
    }

    /// The name that this machine has for itself (uname(2)).
    private static func machineName() -> String {
        var names = utsname()
        guard uname(&names) == 0 else { return "" }
        return withUnsafeBytes(of: &names.nodename) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
