import Glibc

/// A lock on a file (flock(2)), held until the value is gone or the process ends, however it ends.
///
/// The file holds the process ID of its holder, for the message of whoever comes second. It is never
/// removed: a file that is removed and made anew could be locked twice.
package final class FileLock: Sendable {
    private let descriptor: Int32

    /// Makes the file where needed and takes its lock without waiting.
    ///
    /// - Throws: With `errno` `EWOULDBLOCK` when another process, or another lock of this one, holds
    ///   it; `holder(of:)` tells which.
    package init(path: String) throws(SystemCallError) {
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
            guard descriptor >= 0 else { throw SystemCallError(call: "open \(path)", errno: errno) }
            do throws(SystemCallError) {
                try FileLock.lock(descriptor, path: path)
            } catch {
                Glibc.close(descriptor)
                throw error
            }
            // Someone may have replaced the file between open and lock: then this is a lock on nothing.
            guard FileLock.isStill(descriptor, at: path) else {
                Glibc.close(descriptor)
                continue
            }
            self.descriptor = descriptor
            break
        }
        let text = Array("\(getpid())\n".utf8)
        // Only the message of a second process suffers when this fails.
        if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, text, text.count, 0) }
    }

    deinit {
        _ = ftruncate(descriptor, 0)
        // Closing alone would leave it with a child that is just being started and holds a copy.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// The process that wrote its ID into the lock file; `nil` when none can be read.
    package static func holder(of path: String) -> Int32? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return nil }
        let digits = bytes[..<count].prefix { $0 >= 48 && $0 <= 57 }
        return Int32(String(decoding: digits, as: UTF8.self))
    }

    private static func lock(_ descriptor: Int32, path: String) throws(SystemCallError) {
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let number = errno
            guard number == EINTR else {
                throw SystemCallError(call: "lock \(path)", errno: number)
            }
        }
    }

    private static func isStill(_ descriptor: Int32, at path: String) -> Bool {
        var held = stat()
        var named = stat()
        return fstat(descriptor, &held) == 0 && lstat(path, &named) == 0
            && held.st_ino == named.st_ino && held.st_dev == named.st_dev
    }
}
