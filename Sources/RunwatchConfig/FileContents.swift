import Glibc

/// Why a file could not be read.
package struct FileFault: Error, Equatable, CustomStringConvertible {
    package enum Code: Equatable, Sendable {
        case missing
        case isFolder
        /// No permission, too large, no regular file, or the disk's own trouble.
        case unreadable
    }

    package var code: Code
    /// Without the path: `no such file`.
    package var description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}

/// A file that was read, as far as the configuration cares.
package struct FileContents: Sendable {
    package var bytes: [UInt8]
    /// Whether everyone on the machine may read it.
    package var isWorldReadable: Bool

    package init(bytes: [UInt8], isWorldReadable: Bool = false) {
        self.bytes = bytes
        self.isWorldReadable = isWorldReadable
    }

    /// The text without the line break at its end; `nil` when it is not UTF-8.
    var text: String? {
        var text = bytes[...]
        if text.last == UInt8(ascii: "\n") {
            text.removeLast()
            if text.last == UInt8(ascii: "\r") { text.removeLast() }
        }
        guard text.withUnsafeBufferPointer({ UTF8Check.firstFault(in: $0) }) == nil else {
            return nil
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Why a file is no program that anyone could run; `nil` when it is one, or cannot be looked at.
    package static func programFault(_ path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            return errno == ENOENT || errno == ENOTDIR ? "is not there" : nil
        }
        if status.st_mode & S_IFMT != S_IFREG { return "is no program" }
        let anyone = S_IXUSR | S_IXGRP | S_IXOTH
        return status.st_mode & anyone == 0 ? "is not executable; 'chmod +x' it" : nil
    }

    /// Reads a regular file of at most `limit` bytes; never waits for a pipe or a device.
    package static func read(_ path: String, limit: Int) throws(FileFault) -> FileContents {
        guard !path.utf8.contains(0) else {
            throw FileFault(.unreadable, "the path holds a NUL character")
        }
        // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw fault(errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw fault(errno) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw FileFault(.isFolder, "this is a folder, not a file")
        default: throw FileFault(.unreadable, "this is no regular file")
        }
        let tooLarge = FileFault(.unreadable, "larger than \(limit) bytes")
        guard status.st_size <= limit else { throw tooLarge }
        // The size is a guess only: the file may grow or shrink, and /proc says 0.
        var bytes = [UInt8]()
        bytes.reserveCapacity(Int(status.st_size) + 1)
        let chunk = 1 << 18
        while bytes.count <= limit {
            let length = min(chunk, limit + 1 - bytes.count)
            var failure: Int32 = 0
            let part = [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
                var got = -1
                repeat {
                    got = Glibc.read(descriptor, buffer.baseAddress, length)
                    failure = got < 0 ? errno : 0
                } while failure == EINTR
                count = max(0, got)
            }
            if failure != 0 { throw fault(failure) }
            if part.isEmpty {
                let isWorldReadable = status.st_mode & S_IROTH != 0
                return FileContents(bytes: bytes, isWorldReadable: isWorldReadable)
            }
            bytes += part
        }
        throw tooLarge
    }

    private static func fault(_ number: Int32) -> FileFault {
        if number == EACCES || number == EPERM {
            return FileFault(.unreadable, "permission denied")
        }
        if number == ENOENT || number == ENOTDIR { return FileFault(.missing, "no such file") }
        var buffer = [CChar](repeating: 0, count: 128)
        guard strerror_r(number, &buffer, buffer.count) == 0 else {
            return FileFault(.unreadable, "error \(number)")
        }
        let text = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return FileFault(.unreadable, String(decoding: text, as: UTF8.self))
    }
}

/// The names in a folder.
enum FolderListing {
    /// At most `limit` names that `isWanted` picks, sorted by their bytes; none of a missing folder.
    static func names(
        in folder: String, limit: Int, where isWanted: (String) -> Bool
    ) throws(FileFault) -> [String] {
        guard let handle = opendir(folder) else {
            let failure = errno
            if failure == ENOENT || failure == ENOTDIR { return [] }
            throw FileFault(
                .unreadable, failure == EACCES ? "permission denied" : "cannot be listed")
        }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let length = Int(entry.pointee.d_reclen) - 19
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: max(1, length)) {
                    String(cString: $0)
                }
            }
            guard isWanted(name) else { continue }
            guard names.count < limit else {
                throw FileFault(.unreadable, "more than \(limit) files match")
            }
            names.append(name)
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}

/// Paths as texts.
enum PathText {
    /// `path` itself when absolute, else `folder/path`; an empty folder is the current one.
    static func join(_ folder: String, _ path: String) -> String {
        if path.utf8.first == UInt8(ascii: "/") || folder.isEmpty { return path }
        return folder.utf8.last == UInt8(ascii: "/") ? folder + path : folder + "/" + path
    }

    /// All before the last `/`; empty when there is none, `/` for a file of the root.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// All after the last `/`.
    static func name(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return path }
        return String(path[path.index(after: slash)...])
    }
}
