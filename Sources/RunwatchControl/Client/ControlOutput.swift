import Glibc
import RunwatchLinux

/// Where a verb writes: whole pieces at a time, to what people read and to what they are warned by.
package struct ControlOutput: Sendable {
    /// `false` once the reader has gone away.
    package var write: @Sendable ([UInt8]) -> Bool
    package var warn: @Sendable (String) -> Void

    package init(
        write: @escaping @Sendable ([UInt8]) -> Bool, warn: @escaping @Sendable (String) -> Void
    ) {
        self.write = write
        self.warn = warn
    }

    /// What went wrong at `standard`'s standard output.
    package static let standardFault = OutputFault()

    /// Standard output and standard error.
    ///
    /// The program ignores SIGPIPE, so a reader that left (`| head`) shows as an error of the write.
    package static let standard = ControlOutput(
        write: writer(to: STDOUT_FILENO, noting: standardFault),
        warn: { _ = writeAll(Array("runwatchctl: \($0)\n".utf8), to: STDERR_FILENO) })

    /// Writes whole pieces to a descriptor; `false` once its reader has gone away, or it takes no more.
    package static func writer(
        to descriptor: Int32, noting fault: OutputFault? = nil
    ) -> @Sendable ([UInt8]) -> Bool {
        { writeAll($0, to: descriptor, noting: fault) }
    }

    private static func writeAll(
        _ bytes: [UInt8], to descriptor: Int32, noting fault: OutputFault? = nil
    ) -> Bool {
        var result = DescriptorWriter.write(bytes, to: descriptor)
        while let failure = result.failure {
            guard failure.errno == EAGAIN else {
                fault?.note(failure)
                return false
            }
            // A terminal or pipe that another program made non-blocking: wait for room.
            var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            Glibc.poll(&wanted, 1, -1)
            result = DescriptorWriter.write(bytes, from: result.written, to: descriptor)
        }
        return true
    }
}
