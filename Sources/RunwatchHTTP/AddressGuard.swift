import CCurl
import Glibc
import RunwatchCore

/// Judges the addresses that a name resolved to, at the last moment before a connection to each is begun.
///
/// Here a name cannot change its meaning any more between the look and the connection (DNS rebinding).
struct AddressGuard {
    /// Whether private addresses are refused; otherwise all are taken.
    private var isOn = false
    /// The first address that was refused.
    private(set) var refused: String?
    /// Whether a connection to some other address was let through.
    private(set) var hasLetThrough = false

    /// Forgets what was, and waits for a new request.
    mutating func begin(refusesPrivate: Bool) {
        isOn = refusesPrivate
        refused = nil
        hasLetThrough = false
    }

    /// Whether a connection to the address may be begun.
    mutating func admits(_ address: UnsafePointer<curl_sockaddr>) -> Bool {
        guard isOn else { return true }
        guard let start = MemoryLayout<curl_sockaddr>.offset(of: \.addr) else { return false }
        // Not by way of `addr`, which is shorter than an IPv6 address.
        let bytes = UnsafeRawBufferPointer(
            start: UnsafeRawPointer(address) + start, count: Int(address.pointee.addrlen))
        let isPublic =
            switch address.pointee.family {
            case AF_INET: AddressGuard.isPublic4(bytes)
            case AF_INET6: AddressGuard.isPublic6(bytes)
            // Only where the options name a socket, whatever the URL says.
            case AF_UNIX: true
            default: false
            }
        guard isPublic else {
            if refused == nil {
                refused = AddressGuard.text(address.pointee.family, bytes) ?? "of an unknown kind"
            }
            return false
        }
        hasLetThrough = true
        return true
    }

    private static func isPublic4(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let place = MemoryLayout<sockaddr_in>.offset(of: \.sin_addr),
            bytes.count >= place + MemoryLayout<in_addr>.size
        else { return false }
        let address = bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)
        return !PrivateAddress.contains(v4: UInt32(bigEndian: address))
    }

    private static func isPublic6(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let place = MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr),
            bytes.count >= place + MemoryLayout<in6_addr>.size
        else { return false }
        let address = bytes.loadUnaligned(fromByteOffset: place, as: UInt128.self)
        return !PrivateAddress.contains(v6: UInt128(bigEndian: address))
    }

    private static func text(_ family: Int32, _ bytes: UnsafeRawBufferPointer) -> String? {
        let place =
            family == AF_INET
            ? MemoryLayout<sockaddr_in>.offset(of: \.sin_addr)
            : MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr)
        guard family == AF_INET || family == AF_INET6, let place, place < bytes.count else {
            return nil
        }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) {
            buffer in
            inet_ntop(
                family, bytes.baseAddress.map { $0 + place }, buffer.baseAddress,
                socklen_t(buffer.count)
            ).map { String(cString: $0) }
        }
    }
}
