import Glibc
import RunwatchCore
import RunwatchLinux
import TestSupport
import Testing

@testable import RunwatchStore

@Suite struct OpeningTests {
    private let folder = TemporaryFolder()
    private var path: String { folder.path("runwatch.db") }

    private func open() throws -> Store { try Store(at: .file(path), time: ManualTime()) }

    private func error(_ body: () throws -> Store) -> StoreError? {
        do {
            _ = try body()
            return nil
        } catch {
            return error as? StoreError
        }
    }

    private func names() -> Set<String> {
        var names: Set<String> = []
        guard let stream = opendir(folder.path) else { return [] }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.insert(name) }
        }
        return names
    }

    private func size(_ name: String) -> Int {
        var status = stat()
        return stat(folder.path(name), &status) == 0 ? Int(status.st_size) : 0
    }

    /// Writes bytes into a file at a place, or at its end.
    private func patch(_ name: String, at offset: Int, with bytes: [UInt8]) {
        let descriptor = Glibc.open(folder.path(name), O_WRONLY)
        #expect(descriptor >= 0)
        #expect(pwrite(descriptor, bytes, bytes.count, offset) == bytes.count)
        Glibc.close(descriptor)
    }

    private func fill(_ count: Int = 500) async throws {
        let store = try open()
        for watch in try await store.list((0..<count).map { "run-\($0)" }) {
            store.submit(.transition(watch.next(.running, to: ["log"])))
        }
        await store.close()
    }

    @Test func `the file has mode 0640 whatever the mask, and its own mark`() async throws {
        let store = try open()
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o640)
        #expect(stat("\(path)-wal", &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o640)
        #expect(try await store.number("PRAGMA user_version") == Schema.version)
        #expect(try await store.number("PRAGMA application_id") == Schema.applicationID)
        #expect(try await store.number("PRAGMA synchronous") == 2)
        #expect(try await store.number("PRAGMA foreign_keys") == 1)
        #expect(try await store.number("PRAGMA wal_autocheckpoint") == 0)
        #expect(store.openingNotice == nil)
        await store.close()
    }

    @Test func `a log that has grown is copied into the file, and begun anew`() async throws {
        let store = try open()
        var sizes: [Int] = []
        for round in 0..<4 {
            // Some four megabytes; as much is worth a checkpoint.
            _ = try await store.list((0..<20_000).map { "run-\(round)-\($0)" })
            sizes.append(size("runwatch.db-wal"))
        }
        #expect(size("runwatch.db") > 4 << 20)
        // Where nothing is copied it grows by as much in every round.
        #expect(sizes[3] < sizes[0] * 2, "the log's sizes: \(sizes)")
        await store.close()
    }

    @Test func `a second store is refused, and told who holds the first`() async throws {
        let store = try open()
        let refusal = error { try open() }
        #expect(refusal?.code == .locked)
        #expect(refusal?.message.contains("process \(getpid())") == true)
        await store.close()
        let next = try open()
        await next.close()
    }

    @Test func `the lock is free again when a store is gone without being closed`() async throws {
        do { _ = try open() }
        // The queue may hold the store a moment longer.
        #expect(
            await eventually {
                guard let store = try? open() else { return false }
                await store.close()
                return true
            })
    }

    @Test func `a folder that is missing is named`() throws {
        let refusal = error { try Store(at: .file(folder.path("no/runwatch.db"))) }
        #expect(refusal?.code == .unavailable)
        #expect(refusal?.message.contains("no/runwatch.db") == true)
    }

    @Test func `a database of a newer program is refused and left as it is`() async throws {
        try await fill(1)
        var store = try open()
        try await store.execute("PRAGMA user_version = 99")
        await store.close()
        let refusal = error { try open() }
        #expect(refusal?.code == .tooNew)
        #expect(refusal?.message.contains("99") == true)
        let connection = try Connection(path: path, mode: .write)
        #expect(try connection.number("SELECT count(*) FROM transition") == 1)
        try connection.execute("PRAGMA user_version = \(Schema.version)")
        store = try open()
        await store.close()
    }

    @Test func `another program's database is refused and left as it is`() throws {
        let connection = try Connection(path: path, mode: .write)
        try connection.execute("CREATE TABLE song (name TEXT); INSERT INTO song VALUES ('la')")
        let refusal = error { try open() }
        #expect(refusal?.code == .damaged)
        #expect(try connection.number("SELECT count(*) FROM song") == 1)
    }

    @Test func `a file that is no database is set aside under a dated name, and told`() async throws
    {
        folder.write("runwatch.db", String(repeating: "This is no database. ", count: 500))
        let store = try open()
        let notice = try #require(store.openingNotice)
        // ManualTime begins at 2027-01-15T08:00:00Z.
        #expect(notice.contains("runwatch.db.damaged-20270115T080000Z"))
        #expect(names().contains("runwatch.db.damaged-20270115T080000Z"))
        #expect(try await store.list("12").sequence == 0)
        await store.close()
    }

    @Test func `a second damage within a second gets a name of its own`() async throws {
        for expected in ["", "-2"] {
            folder.write("runwatch.db", String(repeating: "This is no database. ", count: 500))
            let store = try open()
            #expect(names().contains("runwatch.db.damaged-20270115T080000Z\(expected)"))
            await store.close()
        }
    }

    @Test func `a log beside an empty file is set aside with it, not deleted`() async throws {
        folder.write("runwatch.db", "")
        folder.write("runwatch.db-wal", "precious")
        let store = try open()
        #expect(store.openingNotice != nil)
        #expect(names().contains("runwatch.db.damaged-20270115T080000Z-wal"))
        await store.close()
    }

    @Test func `a damaged file whose watches can still be read is refused and left as it is`()
        async throws
    {
        try await fill()
        var status = stat()
        #expect(stat(path, &status) == 0)
        let pages = Int(status.st_size) / 4096
        #expect(pages > 30)
        // One of the last pages, which hold the newest events and deliveries.
        patch("runwatch.db", at: (pages - 3) * 4096, with: [UInt8](repeating: 0x55, count: 4096))
        let before = names()
        let refusal = error { try open() }
        #expect(refusal?.code == .damaged)
        #expect(refusal?.message.contains(".recover") == true)
        #expect(names().filter { $0.contains("damaged") }.isEmpty)
        #expect(names().subtracting(["runwatch.db-shm", "runwatch.db-wal"]) == before)
    }

    @Test func `a damaged file whose schema is unreadable is set aside`() async throws {
        try await fill()
        patch("runwatch.db", at: 100, with: [UInt8](repeating: 0xFF, count: 3996))
        let store = try open()
        #expect(store.openingNotice != nil)
        #expect(try await store.number("SELECT count(*) FROM watch") == 0)
        await store.close()
    }

    @Test func `an empty file becomes a database`() async throws {
        folder.write("runwatch.db", "")
        let store = try open()
        #expect(store.openingNotice == nil)
        #expect(try await store.number("PRAGMA user_version") == Schema.version)
        await store.close()
    }

    @Test func `after closing no log is left beside the file`() async throws {
        try await fill(10)
        #expect(names() == ["runwatch.db", "runwatch.db.lock"])
    }
}
