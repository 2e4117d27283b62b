import CSQLite
import Glibc
import Synchronization

/// A file system for SQLite (sqlite.org/vfs.html) whose calls fail on purpose.
///
/// It hands everything to the usual one, but for the calls that `Plan` names. Lives as long as the
/// process: SQLite knows it by its address.
final class FaultyFiles: Sendable {
    enum Call: CaseIterable {
        case read
        case write
        case sync
    }

    struct Plan {
        var calls: Set<Call> = []
        /// How many such calls pass first; `nil` for never.
        var passes: Int?
        /// How many fail then.
        var failures = 1
        var code = SQLITE_IOERR
        fileprivate(set) var count = 0
    }

    let name: String
    private let plan = Mutex(Plan())

    init(name: String) {
        self.name = name
        register()
    }

    /// Sets what fails from now on.
    func fail(_ calls: Set<Call>, after passes: Int?, times: Int = 1, code: Int32) {
        plan.withLock { $0 = Plan(calls: calls, passes: passes, failures: times, code: code) }
    }

    func heal() { plan.withLock { $0 = Plan() } }

    /// Whether a call has failed since the plan was set.
    var hasFailed: Bool { plan.withLock { plan in plan.passes.map { plan.count > $0 } ?? false } }

    fileprivate func result(of call: Call) -> Int32? {
        plan.withLock { plan in
            guard plan.calls.contains(call), let passes = plan.passes else { return nil }
            plan.count += 1
            return plan.count > passes && plan.count <= passes + plan.failures ? plan.code : nil
        }
    }

    // MARK: SQLite's side

    private func register() {
        guard let usual = sqlite3_vfs_find(nil) else { return }
        let vfs = UnsafeMutablePointer<sqlite3_vfs>.allocate(capacity: 1)
        vfs.initialize(to: usual.pointee)
        vfs.pointee.pNext = nil
        vfs.pointee.zName = UnsafePointer(strdup(name))
        vfs.pointee.pAppData = Unmanaged.passRetained(self).toOpaque()
        // Behind the usual file's own bytes stands whose it is.
        vfs.pointee.szOsFile = usual.pointee.szOsFile + Int32(MemoryLayout<Extra>.stride)
        vfs.pointee.xOpen = { vfs, name, file, flags, outFlags in
            guard let usual = sqlite3_vfs_find("unix"), let vfs, let file else {
                return SQLITE_ERROR
            }
            let code = usual.pointee.xOpen(usual, name, file, flags, outFlags)
            guard code == SQLITE_OK, let methods = file.pointee.pMethods else { return code }
            let extra = FaultyFiles.extra(file)
            extra.initialize(
                to: Extra(owner: vfs.pointee.pAppData, methods: UnsafePointer(methods)))
            file.pointee.pMethods = FaultyFiles.methods(like: methods)
            return code
        }
        sqlite3_vfs_register(vfs, 0)
    }

    fileprivate struct Extra {
        var owner: UnsafeMutableRawPointer?
        var methods: UnsafePointer<sqlite3_io_methods>
    }

    fileprivate static func extra(_ file: UnsafeMutablePointer<sqlite3_file>)
        -> UnsafeMutablePointer<Extra>
    {
        let size = Int(sqlite3_vfs_find("unix")?.pointee.szOsFile ?? 0)
        return (UnsafeMutableRawPointer(file) + size).assumingMemoryBound(to: Extra.self)
    }

    fileprivate static func fault(
        _ file: UnsafeMutablePointer<sqlite3_file>, _ call: Call
    ) -> Int32? {
        guard let owner = extra(file).pointee.owner else { return nil }
        return Unmanaged<FaultyFiles>.fromOpaque(owner).takeUnretainedValue().result(of: call)
    }

    /// The usual methods with ours before three of them; a table for each open file, never freed.
    private static func methods(
        like usual: UnsafePointer<sqlite3_io_methods>
    ) -> UnsafePointer<sqlite3_io_methods> {
        let methods = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        methods.initialize(to: usual.pointee)
        methods.pointee.xRead = { file, bytes, count, offset in
            guard let file else { return SQLITE_ERROR }
            if let code = FaultyFiles.fault(file, .read) { return code }
            return FaultyFiles.extra(file).pointee.methods.pointee.xRead(file, bytes, count, offset)
        }
        methods.pointee.xWrite = { file, bytes, count, offset in
            guard let file else { return SQLITE_ERROR }
            if let code = FaultyFiles.fault(file, .write) { return code }
            return FaultyFiles.extra(file).pointee.methods.pointee.xWrite(
                file, bytes, count, offset)
        }
        methods.pointee.xSync = { file, flags in
            guard let file else { return SQLITE_ERROR }
            if let code = FaultyFiles.fault(file, .sync) { return code }
            return FaultyFiles.extra(file).pointee.methods.pointee.xSync(file, flags)
        }
        return UnsafePointer(methods)
    }
}
