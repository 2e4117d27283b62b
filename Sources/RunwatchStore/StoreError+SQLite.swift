import CSQLite

extension StoreError {
    /// Judges a result code of SQLite (sqlite.org/rescode.html).
    ///
    /// - Parameter doing: What was tried, as it follows "cannot": `open the database`.
    init(sqlite code: Int32, on database: OpaquePointer?, doing: String) {
        let words = String(cString: database.map { sqlite3_errmsg($0) } ?? sqlite3_errstr(code))
        let path = sqlite3_db_filename(database, "main").map { String(cString: $0) } ?? ""
        let name = path.isEmpty ? "the database" : path
        let (judged, remedy) = StoreError.judge(code & 0xFF)
        self.init(judged, "\(name): cannot \(doing): \(words) (SQLite \(code)); \(remedy)")
    }

    private static func judge(_ primary: Int32) -> (Code, remedy: String) {
        switch primary {
        case SQLITE_FULL:
            (.unavailable, "free some space on its file system; it is tried again by itself")
        case SQLITE_BUSY, SQLITE_LOCKED:
            (.unavailable, "end the other program that writes to it; it is tried again by itself")
        case SQLITE_READONLY, SQLITE_PERM, SQLITE_CANTOPEN, SQLITE_AUTH:
            (.unavailable, "see that its folder exists and that this user may write to both")
        case SQLITE_IOERR, SQLITE_NOMEM, SQLITE_INTERRUPT, SQLITE_PROTOCOL, SQLITE_NOLFS:
            (.unavailable, "look at the disk and the kernel's log; it is tried again by itself")
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            (.damaged, "restore it from a backup, or read out what is left with sqlite3's .recover")
        default: (.bug, "this is a fault of Runwatch: please report it")
        }
    }
}
