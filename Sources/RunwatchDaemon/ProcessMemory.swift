import Glibc

/// Keeps what the process holds near what it uses.
///
/// The functions are glibc's own (malloc.h is in no module of Swift's); with another C library nothing
/// happens.
enum ProcessMemory {
    /// Blocks from this size on go back to the system when they are freed.
    ///
    /// An answer about a hundred thousand runs is read in buffers of many megabytes. glibc would learn from
    /// them to keep such buffers among small ones that stay (mallopt(3), M_MMAP_THRESHOLD): set by hand,
    /// the threshold stands.
    private static let largeBlock: Int32 = 256 << 10
    /// Pools for threads: Dispatch's come and go, and each would keep what its pool has freed.
    private static let pools: Int32 = 2

    // As malloc.h has them.
    private static let trimThreshold: Int32 = -1
    private static let mmapThreshold: Int32 = -3
    private static let arenaMax: Int32 = -8

    /// To be called before anything large is made.
    static func prepare() {
        guard let symbol = dlsym(nil, "mallopt") else { return }
        typealias Function = @convention(c) (Int32, Int32) -> Int32
        let mallopt = unsafeBitCast(symbol, to: Function.self)
        _ = mallopt(mmapThreshold, largeBlock)
        _ = mallopt(trimThreshold, largeBlock)
        _ = mallopt(arenaMax, pools)
    }

    /// Gives free pages between used ones back.
    static func giveBack() {
        guard let symbol = dlsym(nil, "malloc_trim") else { return }
        typealias Function = @convention(c) (Int) -> Int32
        _ = unsafeBitCast(symbol, to: Function.self)(0)
    }
}
