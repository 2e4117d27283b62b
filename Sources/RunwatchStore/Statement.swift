import CSQLite
import RunwatchCore

/// A prepared statement; it never leaves the method that made it.
///
/// Values are bound in order, each call the next parameter; columns are read by their place, from 0.
struct Statement: ~Copyable {
    private let handle: OpaquePointer
    /// Where it goes back to; `nil` for a statement that is used once.
    private let cache: StatementCache?
    private var parameter: Int32 = 0

    init(_ handle: OpaquePointer, from cache: StatementCache?) {
        self.handle = handle
        self.cache = cache
    }

    deinit {
        guard let cache else {
            sqlite3_finalize(handle)
            return
        }
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
        cache.giveBack(handle)
    }

    // MARK: Binding

    mutating func bind(_ value: Int64?) throws(StoreError) {
        parameter += 1
        guard let value else { return try check(sqlite3_bind_null(handle, parameter)) }
        try check(sqlite3_bind_int64(handle, parameter, value))
    }

    mutating func bind(_ value: Int?) throws(StoreError) { try bind(value.map { Int64($0) }) }
    mutating func bind(_ value: Bool) throws(StoreError) { try bind(value ? 1 : 0 as Int64) }
    mutating func bind(_ value: Timestamp?) throws(StoreError) { try bind(value?.milliseconds) }
    mutating func bind(_ value: WatchID) throws(StoreError) { try bind(value.rowID) }

    mutating func bind(_ value: String?) throws(StoreError) {
        guard var value else { return try bind(nil as Int64?) }
        parameter += 1
        let (handle, parameter) = (handle, parameter)
        try check(
            value.withUTF8 {
                runwatch_bind_text(handle, parameter, $0.baseAddress, Int32($0.count))
            }
        )
    }

    /// Binds UTF-8 as text.
    mutating func bind(text bytes: [UInt8]) throws(StoreError) {
        parameter += 1
        let (handle, parameter) = (handle, parameter)
        try check(
            bytes.withUnsafeBufferPointer {
                runwatch_bind_text(handle, parameter, $0.baseAddress, Int32($0.count))
            })
    }

    // MARK: Running

    /// Goes to the next row; `false` after the last one.
    mutating func step() throws(StoreError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw failure(code)
        }
    }

    /// Runs to the end and makes ready for the next values.
    mutating func run() throws(StoreError) {
        while try step() {}
        reset()
    }

    /// Makes ready to be bound and run again.
    mutating func reset() {
        // Its result repeats the last step's, which has been thrown already.
        sqlite3_reset(handle)
        parameter = 0
    }

    // MARK: Columns

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }
    func int64(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
    func int(_ column: Int32) -> Int { Int(int64(column)) }
    func bool(_ column: Int32) -> Bool { int64(column) != 0 }

    func optionalInt(_ column: Int32) -> Int? { isNull(column) ? nil : int(column) }
    func timestamp(_ column: Int32) -> Timestamp { Timestamp(milliseconds: int64(column)) }

    func optionalTimestamp(_ column: Int32) -> Timestamp? {
        isNull(column) ? nil : timestamp(column)
    }

    func text(_ column: Int32) -> String {
        withText(column) { String(decoding: $0, as: UTF8.self) }
    }

    func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }
    func bytes(_ column: Int32) -> [UInt8] { withText(column) { Array($0) } }

    /// Whether the column is that text, byte by byte, or NULL where that is `nil`.
    func isEqual(_ column: Int32, _ text: String?) -> Bool {
        guard var text else { return isNull(column) }
        guard !isNull(column) else { return false }
        return withText(column) { bytes in
            text.withUTF8 { $0.count == bytes.count && $0.elementsEqual(bytes) }
        }
    }

    private func withText<R>(_ column: Int32, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
        let start = sqlite3_column_text(handle, column)
        let count = Int(sqlite3_column_bytes(handle, column))
        return body(UnsafeBufferPointer(start: start, count: start == nil ? 0 : count))
    }

    // MARK: Errors

    private func check(_ code: Int32) throws(StoreError) {
        if code != SQLITE_OK { throw failure(code) }
    }

    private func failure(_ code: Int32) -> StoreError {
        let words = String(cString: sqlite3_sql(handle)).prefix { $0 != "\n" && $0 != "(" }
        return StoreError(
            sqlite: code, on: sqlite3_db_handle(handle), doing: "run \(words.prefix(60))")
    }
}

/// The prepared statements of one connection that are not in use.
///
/// A statement is taken out while it is used, so that it can never be used twice at once.
final class StatementCache {
    /// By the address of the SQL, which is part of the program.
    private var idle: [UnsafePointer<UInt8>: OpaquePointer] = [:]
    private var keys: [OpaquePointer: UnsafePointer<UInt8>] = [:]
    private var isClosed = false

    func take(_ sql: StaticString) -> OpaquePointer? {
        idle.removeValue(forKey: sql.utf8Start)
    }

    /// Takes up a new statement, which is in use.
    func adopt(_ handle: OpaquePointer, for sql: StaticString) {
        keys[handle] = sql.utf8Start
    }

    func giveBack(_ handle: OpaquePointer) {
        guard !isClosed, let key = keys[handle], idle[key] == nil else {
            keys[handle] = nil
            sqlite3_finalize(handle)
            return
        }
        idle[key] = handle
    }

    /// Finalizes what is not in use; what is in use follows when it is given back.
    func close() {
        isClosed = true
        for handle in idle.values { sqlite3_finalize(handle) }
        idle = [:]
    }
}
