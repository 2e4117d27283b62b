import CSQLite

/// An open database.
///
/// Belongs to one queue at a time; closes itself when it is gone.
struct Connection: ~Copyable {
    enum Mode {
        case write
        case read
    }

    /// `nil` once closed.
    private var handle: OpaquePointer?
    private let cache = StatementCache()
    private let log = WriteAheadLog()

    /// Opens a file, or `:memory:`, and makes it where needed and allowed.
    /// - Parameter vfs: SQLite's name of the file system to use; `nil` for the usual one.
    init(path: String, mode: Mode, vfs: String? = nil) throws(StoreError) {
        // One queue uses the connection, so SQLite's own mutex would only cost.
        let access =
            mode == .write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY
        let flags = access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(path, &opened, flags, vfs)
        guard code == SQLITE_OK, let opened else {
            let error = StoreError(sqlite: code, on: opened, doing: "open \(path)")
            sqlite3_close_v2(opened)
            throw error
        }
        handle = opened
        // A short wait for a person's own sqlite3; longer would hold up every commit behind it.
        sqlite3_busy_timeout(opened, 250)
        _ = runwatch_set_defensive(opened)
        if mode == .write { log.follow(opened) }
    }

    deinit {
        cache.close()
        sqlite3_close_v2(handle)
    }

    /// Closes at once; every later use throws.
    mutating func close() {
        cache.close()
        sqlite3_close_v2(handle)
        handle = nil
    }

    // MARK: Statements

    /// A statement of the hot paths, kept for the next time.
    func cached(_ sql: StaticString) throws(StoreError) -> Statement {
        if let handle = cache.take(sql) { return Statement(handle, from: cache) }
        let made = try prepare(
            sql.utf8Start, length: sql.utf8CodeUnitCount, flags: UInt32(SQLITE_PREPARE_PERSISTENT))
        cache.adopt(made, for: sql)
        return Statement(made, from: cache)
    }

    /// A statement that is used once.
    func statement(_ sql: String) throws(StoreError) -> Statement {
        let utf8 = Array(sql.utf8)
        // The result is a pointer, so the closure needs no typed error: it gives a Result.
        let result = utf8.withUnsafeBufferPointer { bytes -> Result<OpaquePointer, StoreError> in
            guard let start = bytes.baseAddress else {
                return .failure(StoreError(.bug, "an empty statement"))
            }
            do throws(StoreError) {
                return .success(try prepare(start, length: bytes.count, flags: 0))
            } catch {
                return .failure(error)
            }
        }
        return Statement(try result.get(), from: nil)
    }

    /// Runs statements that bind nothing and give nothing.
    func execute(_ sql: String) throws(StoreError) {
        let database = try database()
        let code = sqlite3_exec(database, sql, nil, nil, nil)
        guard code == SQLITE_OK else {
            throw StoreError(
                sqlite: code, on: database,
                doing: "run \(sql.prefix { $0 != "\n" && $0 != "(" }.prefix(60))")
        }
    }

    /// The one number that a query gives; `nil` when it gives no row.
    func number(_ sql: String) throws(StoreError) -> Int64? {
        var statement = try statement(sql)
        return try statement.step() ? statement.int64(0) : nil
    }

    private func prepare(
        _ sql: UnsafePointer<UInt8>, length: Int, flags: UInt32
    ) throws(StoreError) -> OpaquePointer {
        let database = try database()
        var made: OpaquePointer?
        let code = sql.withMemoryRebound(to: CChar.self, capacity: length) {
            sqlite3_prepare_v3(database, $0, Int32(length), flags, &made, nil)
        }
        guard code == SQLITE_OK, let made else {
            throw StoreError(sqlite: code, on: database, doing: "prepare a statement")
        }
        return made
    }

    private func database() throws(StoreError) -> OpaquePointer {
        guard let handle else { throw StoreError(.unavailable, "the database is closed") }
        return handle
    }

    // MARK: Transactions

    /// Begins a transaction that may write.
    func begin() throws(StoreError) { try execute("BEGIN IMMEDIATE") }

    /// Ends a transaction that a statement's error has not already ended.
    func rollBack() {
        guard let handle, sqlite3_get_autocommit(handle) == 0 else { return }
        sqlite3_exec(handle, "ROLLBACK", nil, nil, nil)
    }

    /// Commits: on return, all is on disk.
    ///
    /// - Throws: `unavailable` when surely nothing was written; `commitUnknown` when nobody knows. A
    ///   failed fsync may have written all, some or nothing, and the kernel does not tell twice.
    func commit() throws(StoreError) {
        let database = try database()
        let code = sqlite3_exec(database, "COMMIT", nil, nil, nil)
        guard code != SQLITE_OK else { return }
        let error = StoreError(sqlite: code, on: database, doing: "commit")
        let isOpen = sqlite3_get_autocommit(database) == 0
        switch code & 0xFF {
        case SQLITE_BUSY where isOpen, SQLITE_FULL:
            rollBack()
            throw error
        default:
            rollBack()
            throw StoreError(
                .commitUnknown,
                "\(error.message); whether the last changes were written is unknown until restart")
        }
    }

    /// How many rows the last statement inserted, updated or deleted.
    var changes: Int { handle.map { Int(sqlite3_changes($0)) } ?? 0 }
    var lastInsertedRow: Int64 { handle.map { sqlite3_last_insert_rowid($0) } ?? 0 }

    // MARK: The write-ahead log

    /// Pages in the log that were not there after the last checkpoint.
    var pagesInLog: Int { log.pages }

    /// Copies what it can of the log into the database, waiting for nobody.
    ///
    /// The log's file keeps its size: writing over allocated blocks is faster than growing a file.
    func checkpoint() throws(StoreError) {
        let database = try database()
        let code = sqlite3_wal_checkpoint_v2(
            database, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
        log.wasCheckpointed()
        guard code == SQLITE_OK || code & 0xFF == SQLITE_BUSY else {
            throw StoreError(sqlite: code, on: database, doing: "checkpoint")
        }
    }
}

/// Counts the pages of the write-ahead log, as SQLite reports them after each commit.
private final class WriteAheadLog {
    private var total = 0
    private var atCheckpoint = 0

    var pages: Int { total - atCheckpoint }

    func wasCheckpointed() { atCheckpoint = total }

    private func grew(to pages: Int) {
        // Shorter than before: a checkpoint was complete, and the log has begun anew.
        if pages < total { atCheckpoint = 0 }
        total = pages
    }

    /// Has SQLite tell of each commit; the connection owns this object, and so outlives every call.
    ///
    /// SQLite's own checkpoints are such a hook, and end with this one: the store makes them between
    /// commits. `PRAGMA wal_autocheckpoint` must not be given, not even as 0: it would end this hook
    /// (SQLite's C interface, sqlite3_wal_hook).
    func follow(_ database: OpaquePointer) {
        sqlite3_wal_hook(
            database,
            { context, _, _, pages in
                guard let context else { return SQLITE_OK }
                let log = Unmanaged<WriteAheadLog>.fromOpaque(context).takeUnretainedValue()
                log.grew(to: Int(pages))
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }
}
