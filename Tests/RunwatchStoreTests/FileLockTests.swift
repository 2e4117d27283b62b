import Glibc
import RunwatchLinux
import TestSupport
import Testing

@Suite struct FileLockTests {
    private let folder = TemporaryFolder()
    private var path: String { folder.path("lock") }

    private func errorNumber(_ path: String) -> Int32? {
        do {
            _ = try FileLock(path: path)
            return nil
        } catch {
            return error.errno
        }
    }

    @Test func `a lock is held while the value lives, and names its holder`() throws {
        do {
            let lock = try FileLock(path: path)
            #expect(FileLock.holder(of: path) == getpid())
            #expect(errorNumber(path) == EWOULDBLOCK)
            #expect(FileLock.holder(of: path) == getpid())
            withExtendedLifetime(lock) {}
        }
        #expect(FileLock.holder(of: path) == nil)
        #expect(errorNumber(path) == nil)
    }

    @Test func `a lock is not followed through a link, and its file is not a folder`() {
        #expect(symlink(folder.path("other"), path) == 0)
        #expect(errorNumber(path) == ELOOP)
        #expect(errorNumber(folder.path) == EISDIR)
        #expect(errorNumber(folder.path("none/lock")) == ENOENT)
    }

    @Test func `a lock survives what stood in its file`() throws {
        folder.write("lock", "a long line of something else\n")
        let lock = try FileLock(path: path)
        #expect(FileLock.holder(of: path) == getpid())
        withExtendedLifetime(lock) {}
    }
}
