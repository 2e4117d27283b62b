import Glibc

/// Reads whole files that someone else may have put there.
package enum FileReader {
    /// The file's bytes.
    ///
    /// Never waits: a pipe or a device in the file's place is refused, as is a folder.
    /// - Parameter limit: The most bytes that a file may have; a larger one fails with `EFBIG`.
    package static func read(
        _ path: String, limit: Int = .max
    ) throws(SystemCallError) -> [UInt8] {
        // Opening a pipe would wait for its writer.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { throw SystemCallError(call: "open \(path)", errno: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw SystemCallError(call: "fstat \(path)", errno: errno)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            throw SystemCallError(
                call: isFolder ? "read \(path)" : "read \(path), which is not a regular file",
                errno: isFolder ? EISDIR : EINVAL)
        }
        guard status.st_size <= limit else {
            throw SystemCallError(call: "read \(path)", errno: EFBIG)
        }
        return try read(descriptor, path, expected: Int(status.st_size), limit: limit)
    }

    private static func read(
        _ descriptor: Int32, _ path: String, expected: Int, limit: Int
    ) throws(SystemCallError) -> [UInt8] {
        var bytes: [UInt8] = []
        // The size is a hint: a file can grow meanwhile, and in /proc it is 0.
        var room = min(expected, 64 << 20) + 1
        while true {
            let start = bytes.count
            var count = 0
            var failure: Int32 = 0
            bytes.append(
                contentsOf: [UInt8](unsafeUninitializedCapacity: room) { buffer, filled in
                    repeat {
                        count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
                        failure = count < 0 ? errno : 0
                    } while failure == EINTR
                    filled = max(0, count)
                })
            guard failure == 0 else {
                throw SystemCallError(call: "read \(path)", errno: failure)
            }
            guard count > 0 else { return bytes }
            guard start + count <= limit else {
                throw SystemCallError(call: "read \(path)", errno: EFBIG)
            }
            room = 64 << 10
        }
    }
}
