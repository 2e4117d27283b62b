import Glibc

/// Writes to descriptors that others read from.
package enum DescriptorWriter {
    /// How far a write came.
    package struct Result: Hashable, Sendable {
        /// Bytes that are written, from the start.
        package var written: Int
        /// Why the rest is not; `nil` when all is written.
        ///
        /// `EAGAIN`: the reader is slow, go on from `written` later. `EPIPE`: there is no reader any more.
        package var failure: SystemCallError?

        package var isComplete: Bool { failure == nil }
    }

    /// Writes all of the bytes from `start` on, however many calls that takes.
    ///
    /// `SIGPIPE` must be ignored (`SignalSources.ignoreFatalWrites`).
    package static func write(
        _ bytes: [UInt8], from start: Int = 0, to descriptor: Int32
    ) -> Result {
        var written = start
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(
                    descriptor, buffer.baseAddress.map { $0 + written }, buffer.count - written)
            }
            guard count < 0 else {
                written += count
                continue
            }
            let code = errno
            if code == EINTR { continue }
            let failure = SystemCallError(call: "write to descriptor \(descriptor)", errno: code)
            return Result(written: written, failure: failure)
        }
        return Result(written: written, failure: nil)
    }
}
