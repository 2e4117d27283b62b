import Dispatch
import Glibc
import RunwatchLinux
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct FolderWatcherTests {
    /// A watcher on a queue of its own that keeps what it is told.
    ///
    /// Sendable by hand: the watcher is touched on its queue alone.
    private final class Fixture: @unchecked Sendable {
        let queue = DispatchQueue(label: "folder-watcher-test")
        private let watcher: FolderWatcher

        private final class Log: Sendable { let changes = Mutex<[FolderWatcher.Change]>([]) }
        private let log: Log

        init() throws {
            let log = Log()
            self.log = log
            watcher = try FolderWatcher(queue: queue) { change in
                log.changes.withLock { $0.append(change) }
            }
        }

        func watch(_ folders: [String]) async -> [SystemCallError] {
            await withCheckedContinuation { continuation in
                queue.async { continuation.resume(returning: self.watcher.watch(folders)) }
            }
        }

        func folders() async -> [String] {
            await withCheckedContinuation { continuation in
                queue.async { continuation.resume(returning: self.watcher.folders.sorted()) }
            }
        }

        func close() async {
            await withCheckedContinuation { continuation in
                queue.async {
                    self.watcher.close()
                    continuation.resume()
                }
            }
        }

        var changes: [FolderWatcher.Change] { log.changes.withLock { $0 } }

        func hasChanges(_ count: Int) async -> Bool {
            await until { self.changes.count >= count }
        }
    }

    let folder = TemporaryFolder()

    @Test func `a new file, an edit and a rename are each told`() async throws {
        let fixture = try Fixture()
        #expect(await fixture.watch([folder.path]).isEmpty)
        folder.write("a", "1")
        #expect(await fixture.hasChanges(1))
        folder.write("a", "2")
        #expect(await fixture.hasChanges(2))
        #expect(rename(folder.path("a"), folder.path("b")) == 0)
        #expect(await fixture.hasChanges(3))
        // A second file put in the place of the first: a watch on the file would be blind now.
        folder.write("c", "3")
        #expect(rename(folder.path("c"), folder.path("b")) == 0)
        #expect(await fixture.hasChanges(4))
        #expect(!fixture.changes.contains(.ofFolders))
    }

    @Test func `a burst is told once or a few times, not each`() async throws {
        let fixture = try Fixture()
        #expect(await fixture.watch([folder.path]).isEmpty)
        for number in 0..<500 { folder.write("file\(number)", "x") }
        #expect(await fixture.hasChanges(1))
        #expect(fixture.changes.count < 100)
    }

    @Test func `a steady stream of changes does not put off the report`() async throws {
        let fixture = try Fixture()
        #expect(await fixture.watch([folder.path]).isEmpty)
        // Written until the report comes, so without a bound this would last to the time limit.
        let isTold = await until {
            folder.write("a", "x")
            return !fixture.changes.isEmpty
        }
        #expect(isTold)
    }

    @Test func `a swapped link is told`() async throws {
        let fixture = try Fixture()
        #expect(mkdir(folder.path("..1"), 0o755) == 0 && mkdir(folder.path("..2"), 0o755) == 0)
        folder.write("..1/file", "1")
        folder.write("..2/file", "2")
        #expect(symlink("..1", folder.path("..data")) == 0)
        #expect(symlink("..data/file", folder.path("file")) == 0)
        #expect(await fixture.watch(resolveLinkFolders(of: folder.path("file"))).isEmpty)
        #expect(symlink("..2", folder.path("..new")) == 0)
        #expect(rename(folder.path("..new"), folder.path("..data")) == 0)
        #expect(await fixture.hasChanges(1))
    }

    @Test func `a folder that goes asks for a new set-up and can come back`() async throws {
        let fixture = try Fixture()
        let path = folder.path("inner")
        #expect(mkdir(path, 0o755) == 0)
        #expect(await fixture.watch([path]).isEmpty)
        #expect(rename(path, folder.path("away")) == 0)
        #expect(await until { fixture.changes.contains(.ofFolders) })
        #expect(await fixture.watch([path]).map(\.errno) == [ENOENT])
        #expect(mkdir(path, 0o755) == 0)
        #expect(await fixture.watch([path]).isEmpty)
        let before = fixture.changes.count
        folder.write("inner/a", "1")
        #expect(await fixture.hasChanges(before + 1))
        #expect(remove(folder.path("inner/a")) == 0 && rmdir(path) == 0)
        #expect(await until { fixture.changes.dropFirst(before + 1).contains(.ofFolders) })
        #expect(await fixture.folders().isEmpty)
    }

    @Test func `folders are added, kept and taken away`() async throws {
        let fixture = try Fixture()
        let one = TemporaryFolder()
        let two = TemporaryFolder()
        #expect(await fixture.watch([one.path, two.path, one.path]).isEmpty)
        #expect(await fixture.folders() == [one.path, two.path].sorted())
        #expect(await fixture.watch([two.path]).isEmpty)
        #expect(await fixture.folders() == [two.path])
        one.write("a", "1")
        two.write("a", "1")
        #expect(await fixture.hasChanges(1))
        #expect(fixture.changes.allSatisfy { $0 == .inFolders })
    }

    @Test func `two names of one folder are one watch, and one name may go`() async throws {
        let fixture = try Fixture()
        let name = folder.path("name")
        let target = TemporaryFolder()
        #expect(symlink(target.path, name) == 0)
        #expect(await fixture.watch([name, target.path]).isEmpty)
        #expect(await fixture.watch([target.path]).isEmpty)
        target.write("a", "1")
        #expect(await fixture.hasChanges(1))
    }

    @Test func `what cannot be watched is told, and the rest is watched`() async throws {
        let fixture = try Fixture()
        let file = folder.write("file", "")
        let failures = await fixture.watch([folder.path("gone"), file, folder.path])
        #expect(failures.map(\.errno) == [ENOENT, ENOTDIR])
        #expect(await fixture.folders() == [folder.path])
    }

    @Test func `nothing is told after the end`() async throws {
        let fixture = try Fixture()
        #expect(await fixture.watch([folder.path]).isEmpty)
        folder.write("a", "1")
        await fixture.close()
        let count = fixture.changes.count
        #expect(await fixture.watch([folder.path]).isEmpty)
        // Another watcher, made later, has told of its change: the first had the time to.
        let other = try Fixture()
        #expect(await other.watch([folder.path]).isEmpty)
        folder.write("b", "1")
        #expect(await other.hasChanges(1))
        #expect(fixture.changes.count == count)
    }
}
