import Glibc
import RunwatchCore

/// Hosts of URLs that are private addresses without a look at any name server.
enum PrivateHost {
    /// Whether a host is `localhost` or a literal address that is not of the public Internet.
    ///
    /// - Parameter host: Without the brackets of IPv6. IPv4 may be written in every form that libcurl
    ///   takes: `127.1`, `0x7f000001`, `2130706433`.
    static func contains(_ host: some StringProtocol) -> Bool {
        let name = host.hasSuffix(".") ? String(host.dropLast()) : String(host)
        // RFC 6761, section 6.3.
        let lower = name.lowercased()
        if lower == "localhost" || lower.hasSuffix(".localhost") { return true }
        var address4 = in_addr()
        if inet_aton(name, &address4) != 0 {
            return PrivateAddress.contains(v4: UInt32(bigEndian: address4.s_addr))
        }
        var bytes = [UInt8](repeating: 0, count: 16)
        guard inet_pton(AF_INET6, name, &bytes) == 1 else { return false }
        return PrivateAddress.contains(v6: bytes.reduce(0) { $0 << 8 | UInt128($1) })
    }
}
