import Dispatch
import Glibc

/// Gives a program its standard input, through a pipe, as fast as the program reads.
///
/// Ends by itself when all is written or nobody will read it. Confined to its queue; `close` ends it before.
final class ChildInput {
    private let descriptor: Int32
    private var bytes: [UInt8]
    private var written = 0
    /// Made when the pipe is full for the first time: most events fit into it.
    private var writable: (any DispatchSourceWrite)?
    private var isClosed = false

    /// Writes at once.
    ///
    /// - Parameter descriptor: Non-blocking; it is closed here.
    init(descriptor: Int32, bytes: [UInt8], queue: DispatchQueue) {
        self.descriptor = descriptor
        self.bytes = bytes
        guard !write() else {
            close()
            return
        }
        let source = DispatchSource.makeWriteSource(fileDescriptor: descriptor, queue: queue)
        source.setEventHandler { [weak self] in
            guard let self, !isClosed, write() else { return }
            close()
        }
        source.setCancelHandler { Glibc.close(descriptor) }
        source.activate()
        writable = source
    }

    deinit { close() }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        bytes = []
        guard let writable else {
            Glibc.close(descriptor)
            return
        }
        writable.cancel()
    }

    /// - Returns: Whether nothing is left to do: all is written, or the program reads no more.
    private func write() -> Bool {
        let result = DescriptorWriter.write(bytes, from: written, to: descriptor)
        written = result.written
        return result.failure?.errno != EAGAIN
    }
}
