import CSQLite
import Glibc
import RunwatchCore
import RunwatchLinux

/// A database that is ready for use, and what a person should know about how it came to be.
struct Opening: ~Copyable {
    var connection: Connection
    /// Said loudly: a damaged file was set aside.
    var notice: String?
}

extension Opening {
    /// Up to this size a check at start is not felt: 64 MiB take a tenth of a second from memory, and
    /// little more than a second from a slow disk.
    private static let sizeAlwaysChecked = 64 << 20
    /// After an unclean end up to this size: it takes seconds from a slow disk, and a start that takes
    /// longer than the service manager waits would never succeed.
    private static let sizeEverChecked = 256 << 20

    /// Opens `:memory:`.
    static func memory() throws(StoreError) -> Opening {
        let connection = try Connection(path: ":memory:", mode: .write)
        try connection.configure()
        try connection.migrate()
        return Opening(connection: connection, notice: nil)
    }

    /// Opens or makes a file; its lock is held by the caller.
    static func file(
        _ path: String, now: Timestamp, vfs: String? = nil
    ) throws(StoreError) -> Opening {
        let wasUnclean = (size("\(path)-wal") ?? 0) > 0
        var fault: StoreError?
        if size(path) == 0, wasUnclean {
            // SQLite would delete the log of an empty file, with all that is in it.
            fault = StoreError(.damaged, "\(path) is empty, and its write-ahead log is not")
        } else {
            try make(path)
            do throws(StoreError) {
                return Opening(
                    connection: try open(path, wasUnclean: wasUnclean, vfs: vfs), notice: nil)
            } catch {
                guard error.code == .damaged, !isReadable(path, vfs: vfs) else { throw error }
                fault = error
            }
        }
        let aside = try setAside(path, now: now)
        try make(path)
        let connection = try open(path, wasUnclean: false, vfs: vfs)
        return Opening(
            connection: connection,
            notice: """
                the database was damaged beyond reading and has been set aside as \(aside); a fresh \
                one has been begun, and every watch starts anew (\(fault?.message ?? ""))
                """)
    }

    private static func open(
        _ path: String, wasUnclean: Bool, vfs: String?
    ) throws(StoreError) -> Connection {
        let isChecked = (size(path) ?? 0) <= (wasUnclean ? sizeEverChecked : sizeAlwaysChecked)
        // Before SQLite has it open: closing a descriptor gives up the process's locks on the file.
        if isChecked { readAhead(path) }
        let connection = try Connection(path: path, mode: .write, vfs: vfs)
        // Before anything is written: a newer program's file, or another program's, stays as it is.
        let version = try connection.schemaVersion()
        guard version <= Schema.version else {
            throw StoreError(
                .tooNew,
                """
                \(path) has the format \(version), and this program knows formats up to \
                \(Schema.version): install the version of Runwatch that wrote it, or a newer one
                """)
        }
        if version == 0, try connection.number("SELECT count(*) FROM sqlite_schema") != 0 {
            throw StoreError(
                .damaged,
                "\(path) is another program's database: move it away, or name another file")
        }
        if isChecked { try connection.check(path) }
        try connection.configure()
        try connection.migrate()
        return connection
    }

    /// Has the kernel fetch the file from one end to the other.
    ///
    /// The check reads it in the order of its trees, page by page from all over the disk: 1.6 s for
    /// 108 MiB where the whole takes 0.2 s in a row.
    private static func readAhead(_ path: String) {
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        // Without it the check is slower, and no worse.
        guard descriptor >= 0 else { return }
        defer { Glibc.close(descriptor) }
        // Of one piece of advice the kernel takes no more than its own read-ahead, 128 KiB at first.
        let part = 128 << 10
        for start in stride(from: 0, to: size(path) ?? 0, by: part) {
            _ = posix_fadvise(descriptor, start, part, POSIX_FADV_WILLNEED)
        }
    }

    /// Whether the tables can still be read, so that a person could save what is in them.
    private static func isReadable(_ path: String, vfs: String?) -> Bool {
        do throws(StoreError) {
            let connection = try Connection(path: path, mode: .read, vfs: vfs)
            _ = try connection.schemaVersion()
            // Any database that still gives its schema is someone's to judge, not ours to move.
            guard
                try connection.number("SELECT count(*) FROM sqlite_schema WHERE name = 'watch'")
                    == 1
            else { return try connection.number("SELECT count(*) FROM sqlite_schema") != 0 }
            _ = try connection.number("SELECT id FROM watch LIMIT 1")
            return true
        } catch {
            // What cannot be told for want of memory or descriptors is left alone.
            return error.code != .damaged && error.code != .bug
        }
    }

    /// Makes an empty file with its mode; SQLite gives the same mode to the files beside it.
    private static func make(_ path: String) throws(StoreError) {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else {
            let number = errno
            guard number != EEXIST else { return }
            throw StoreError(
                .unavailable,
                """
                \(SystemCallError(call: "make the database \(path)", errno: number)); see that its \
                folder exists and that this user may write to it
                """)
        }
        // The group may read whatever umask says; a file system without modes is no reason to stop.
        _ = fchmod(descriptor, 0o640)
        Glibc.close(descriptor)
    }

    /// Renames the file and its log to a dated name, as a pair that SQLite can still open.
    private static func setAside(_ path: String, now: Timestamp) throws(StoreError) -> String {
        let stamp = now.description.prefix { $0 != "." }.filter { $0 != "-" && $0 != ":" }
        let plain = "\(path).damaged-\(stamp)Z"
        var aside = plain
        var count = 1
        while size(aside) != nil {
            count += 1
            aside = "\(plain)-\(count)"
        }
        // The log first: a log without its file would be deleted, a file without its log is only older.
        for suffix in ["-wal", "-shm", ""] where size(path + suffix) != nil {
            guard rename(path + suffix, aside + suffix) == 0 else {
                let error = SystemCallError(call: "rename \(path + suffix)", errno: errno)
                throw StoreError(.unavailable, "a damaged database cannot be set aside: \(error)")
            }
        }
        return aside
    }

    /// In bytes; `nil` when there is no such file.
    private static func size(_ path: String) -> Int? {
        var status = stat()
        return lstat(path, &status) == 0 ? Int(status.st_size) : nil
    }
}

extension Connection {
    /// Reads every page once.
    fileprivate func check(_ path: String) throws(StoreError) {
        var statement = try statement("PRAGMA quick_check(1)")
        guard try statement.step() else { return }
        let words = statement.text(0)
        guard words != "ok" else { return }
        throw StoreError(
            .damaged,
            """
            \(path) is damaged (\(words)) and has been left as it is: restore it from a backup, save \
            what can be read with `sqlite3 \(path) .recover`, or move it away to begin afresh
            """)
    }

    /// The settings of the writer, each with its reason.
    fileprivate func configure() throws(StoreError) {
        // Readers never wait for the writer, nor it for them.
        _ = try number("PRAGMA journal_mode = WAL")
        // A commit is on disk when it returns. NORMAL lost commits in half of all power cuts.
        try execute("PRAGMA synchronous = FULL")
        try execute("PRAGMA foreign_keys = ON")
        // A disk's fault on a mapped page would be a signal, not an error.
        try execute("PRAGMA mmap_size = 0")
        // In KiB when negative: the kernel caches the file anyway, and the whole daemon has 64 MiB.
        try execute("PRAGMA cache_size = -4096")
        try execute("PRAGMA temp_store = MEMORY")
        try execute("PRAGMA trusted_schema = OFF")
        // A damaged page is found when it is read, not when it has done harm.
        try execute("PRAGMA cell_size_check = ON")
    }
}
