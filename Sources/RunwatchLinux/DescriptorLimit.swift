import Glibc
import Synchronization

/// How many descriptors this process may have (`RLIMIT_NOFILE`, getrlimit(2)).
package enum DescriptorLimit {
    /// As many as the unit allows; above that tables of descriptors would only get larger.
    private static let most = rlim_t(65_536)
    private static let original = Mutex<Int?>(nil)

    /// Raises the soft limit to the hard one, which is what it stays low for.
    ///
    /// Programs that use select(2) break on descriptors above 1023, and so the usual soft limit is 1024;
    /// whoever has no such calls raises it. Programs that are started get the original one back.
    /// - Returns: The limit that holds now.
    @discardableResult
    package static func raise() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return 1024
        }
        let wanted = min(limit.rlim_max, most)
        guard limit.rlim_cur < wanted else { return Int(clamping: limit.rlim_cur) }
        let before = Int(clamping: limit.rlim_cur)
        limit.rlim_cur = wanted
        // A sandbox may forbid it; then the old one has to do.
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return before
        }
        original.withLock { $0 = $0 ?? before }
        return Int(clamping: wanted)
    }

    /// The soft limit that programs are started with; `nil` when it was never raised.
    static var forPrograms: Int? { original.withLock { $0 } }
}
