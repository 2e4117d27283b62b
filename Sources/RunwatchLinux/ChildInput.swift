import Dispatch
import Glibc

/// Gives a program its standard input, through a pipe, as fast as the program reads.
///
/// Ends by itself when all is written. Confined to its queue; `close` ends it before.
///
/// It holds the reading end of the pipe too: a pipe that is full and has no reader has an error and no room
/// (poll(2): `POLLERR` alone), which Dispatch does not tell a write source of; its thread would look at it
/// again and again, and take a whole processor for that. With a reader there is no error, and no SIGPIPE.
/// That the program does not want its input any more is not noticed then, and need not be.
final class ChildInput {
    private let writer: Int32
    private let reader: Int32
    private var bytes: [UInt8]
    private var written = 0
    /// Made when the pipe is full for the first time: most events fit into it.
    private var writable: (any DispatchSourceWrite)?
    private var isClosed = false

    /// Writes at once.
    ///
    /// - Parameters:
    ///   - writer: Non-blocking; it is closed here.
    ///   - reader: Closed here.
    init(writer: Int32, reader: Int32, bytes: [UInt8], queue: DispatchQueue) {
        self.writer = writer
        self.reader = reader
        self.bytes = bytes
        guard !write() else {
            close()
            return
        }
        let source = DispatchSource.makeWriteSource(fileDescriptor: writer, queue: queue)
        source.setEventHandler { [weak self] in
            guard let self, !isClosed, write() else { return }
            close()
        }
        source.setCancelHandler { ChildInput.close(writer, reader) }
        source.activate()
        writable = source
    }

    deinit { close() }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        bytes = []
        guard let writable else { return ChildInput.close(writer, reader) }
        writable.cancel()
    }

    private static func close(_ writer: Int32, _ reader: Int32) {
        Glibc.close(writer)
        Glibc.close(reader)
    }

    /// - Returns: Whether nothing is left to do: all is written, or it cannot be.
    private func write() -> Bool {
        let result = DescriptorWriter.write(bytes, from: written, to: writer)
        written = result.written
        return result.failure?.errno != EAGAIN
    }
}
