import Dispatch
import Glibc

/// Reads what a program prints, from the pipe it prints to.
///
/// Everything is read, so that the program never waits for a reader that has enough; but beyond a first
/// amount at a bounded pace (6.4 MB/s), so that one that prints for ever costs next to nothing. Confined to
/// its queue; `close` ends it.
final class ChildOutput {
    /// What a pipe holds by default (pipe(7)): one read empties it.
    private static let chunk = 64 << 10
    /// Read as fast as it comes, in chunks; no program that means well prints more.
    private static let unpacedBytes = 1 << 20
    private static let pause = DispatchTimeInterval.milliseconds(10)
    /// The most that a pipe holds unless the administrator allows more (`/proc/sys/fs/pipe-max-size`).
    private static let largestPipe = 1 << 20

    private let descriptor: Int32
    private let unpaced: Int
    private let readable: any DispatchSourceRead
    private let resume: any DispatchSourceTimer
    private var isPaused = false
    private var isClosed = false
    private(set) var kept: KeptOutput

    /// Reads at once.
    ///
    /// - Parameters:
    ///   - descriptor: Non-blocking; it is closed here.
    ///   - limit: Bytes to keep.
    init(descriptor: Int32, limit: Int, queue: DispatchQueue) {
        self.descriptor = descriptor
        unpaced = max(limit, ChildOutput.unpacedBytes)
        kept = KeptOutput(limit: limit)
        readable = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        resume = DispatchSource.makeTimerSource(queue: queue)
        readable.setEventHandler { [weak self] in self?.readOnce() }
        readable.setCancelHandler { Glibc.close(descriptor) }
        resume.setEventHandler { [weak self] in self?.goOn() }
        readable.activate()
        resume.activate()
    }

    deinit { close() }

    /// Reads what is in the pipe now, and does not wait for more.
    ///
    /// The pipe's end is no sign of anything: a process that the program left behind may hold it for ever,
    /// and print for ever.
    func drain() {
        var left = ChildOutput.largestPipe
        while left > 0, !isClosed {
            let count = readChunk()
            guard count > 0 else { return }
            left -= count
        }
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        resume.cancel()
        readable.cancel()
        // The cancel handler of a suspended source does not run.
        goOn()
    }

    // MARK: - Reading

    private func readOnce() {
        guard !isClosed, readChunk() > 0, kept.total >= unpaced, !isPaused else { return }
        isPaused = true
        readable.suspend()
        resume.schedule(deadline: .now() + ChildOutput.pause, leeway: .milliseconds(1))
    }

    private func goOn() {
        guard isPaused else { return }
        isPaused = false
        readable.resume()
    }

    /// - Returns: How many bytes came; 0 when there are none now, or none ever again.
    private func readChunk() -> Int {
        withUnsafeTemporaryAllocation(byteCount: ChildOutput.chunk, alignment: 1) { buffer in
            var count = -1
            repeat {
                count = read(descriptor, buffer.baseAddress, buffer.count)
            } while count < 0 && errno == EINTR
            guard count > 0 else {
                if count == 0 || errno != EAGAIN { close() }
                return 0
            }
            kept.append(buffer[..<count])
            return count
        }
    }
}
