/// The numbered scripts that make the tables, counted by `PRAGMA user_version`.
enum Schema {
    /// Script `n` leads from version `n` to version `n + 1`.
    static let scripts: [[UInt8]] = [
        PackageResources.v1_sql, PackageResources.v2_sql, PackageResources.v3_sql,
    ]
    static var version: Int64 { Int64(scripts.count) }

    /// "RnWa" in the file's header (sqlite.org/fileformat.html, 1.3.12): file(1) shows it, and another
    /// program's database is told apart by it.
    static let applicationID: Int64 = 0x526E_5761
}

extension Connection {
    func schemaVersion() throws(StoreError) -> Int64 { try number("PRAGMA user_version") ?? 0 }

    /// Brings the tables up to date, in one transaction; all of it happens, or nothing.
    func migrate() throws(StoreError) {
        let version = try schemaVersion()
        guard version < Schema.version else { return }
        try begin()
        do throws(StoreError) {
            for script in Schema.scripts.dropFirst(Int(version)) {
                try execute(String(decoding: script, as: UTF8.self))
            }
            try execute("PRAGMA user_version = \(Schema.version)")
            try execute("PRAGMA application_id = \(Schema.applicationID)")
        } catch {
            rollBack()
            throw error
        }
        try commit()
    }
}
