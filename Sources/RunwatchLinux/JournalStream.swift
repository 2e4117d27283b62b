import Glibc

/// What the service manager's journal does with our output.
package enum JournalStream {
    /// Whether what is written to the descriptor goes to the journal.
    ///
    /// `JOURNAL_STREAM` names the device and inode of that stream (systemd.exec(5)); output that was
    /// redirected has others.
    package static func isConnected(descriptor: Int32) -> Bool {
        isConnected(descriptor: descriptor, stream: Environment.value("JOURNAL_STREAM"))
    }

    static func isConnected(descriptor: Int32, stream: String?) -> Bool {
        guard let parts = stream?.split(separator: ":", omittingEmptySubsequences: false),
            parts.count == 2, let device = UInt64(parts[0]), let inode = UInt64(parts[1])
        else { return false }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return false }
        return UInt64(status.st_dev) == device && UInt64(status.st_ino) == inode
    }
}
