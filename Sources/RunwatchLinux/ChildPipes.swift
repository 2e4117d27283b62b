import Glibc
import RunwatchCore

/// The pipes of one program: what it reads is written, and what it prints is read, as fast as it goes.
///
/// Everything is read, so that the program never waits for a reader that has enough; but beyond a first
/// amount at a bounded pace (6.4 MB/s), so that one that prints for ever costs next to nothing.
///
/// The reading end of its standard input is held too: then a program that does not want its input is no
/// error, and no SIGPIPE. That it is not wanted is not noticed, and need not be.
struct ChildPipes {
    /// What a pipe holds by default (pipe(7)): one read empties it.
    private static let chunk = 64 << 10
    /// Read as fast as it comes, in chunks; no program that means well prints more.
    private static let unpacedBytes = 1 << 20
    private static let pause = Duration.milliseconds(10)
    /// The most that a pipe holds unless the administrator allows more (`/proc/sys/fs/pipe-max-size`).
    private static let largestPipe = 1 << 20

    private var input: ChildSpawn.Pipe?
    private let bytes: [UInt8]
    private var written = 0
    private var output: Int32
    private let unpaced: Int
    private var pausedUntil: ContinuousClock.Instant?
    private var kept: KeptOutput

    /// Takes over the descriptors; `end` closes them.
    init(_ started: ChildSpawn.Started, _ program: ChildProgram) {
        input = started.input
        bytes = program.input
        output = started.output
        unpaced = max(program.keptOutput, ChildPipes.unpacedBytes)
        kept = KeptOutput(limit: program.keptOutput)
        write()
    }

    /// Waits until something can be done, does it, and returns.
    ///
    /// - Parameters:
    ///   - other: A descriptor whose being readable ends the wait too; -1 for none.
    ///   - limit: Ends the wait in any case.
    mutating func wait(
        for other: Int32, atMost limit: Duration, _ now: ContinuousClock.Instant
    ) {
        var limit = limit
        if let pausedUntil {
            if pausedUntil > now {
                limit = min(limit, now.duration(to: pausedUntil))
            } else {
                self.pausedUntil = nil
            }
        }
        // A descriptor below 0 is passed over (poll(2)).
        var entries = [
            pollfd(fd: other, events: Int16(POLLIN), revents: 0),
            pollfd(fd: pausedUntil == nil ? output : -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: input?.writer ?? -1, events: Int16(POLLOUT), revents: 0),
        ]
        // One more, or the last part of a millisecond would be waited for in a busy loop.
        let milliseconds = Int32(clamping: limit.wholeMilliseconds + (limit > .zero ? 1 : 0))
        // An interrupted or failed call is an early return: the caller looks, and comes back.
        guard poll(&entries, nfds_t(entries.count), milliseconds) > 0 else { return }
        if entries[1].revents != 0 {
            let count = readChunk()
            if count > 0, kept.total >= unpaced { pausedUntil = now.advanced(by: ChildPipes.pause) }
        }
        if entries[2].revents != 0 { write() }
    }

    /// Reads what is in the pipe now, without waiting for more, and closes everything.
    ///
    /// The pipe's end is no sign of anything: a process that the program left behind may hold it for ever,
    /// and print for ever.
    mutating func end(_ how: ChildEnding.How) -> ChildEnding {
        var left = ChildPipes.largestPipe
        while left > 0 {
            let count = readChunk()
            guard count > 0 else { break }
            left -= count
        }
        closeInput()
        closeOutput()
        return ChildEnding(how: how, output: kept.bytes, outputBytes: kept.total)
    }

    // MARK: - Reading and writing

    /// - Returns: How many bytes came; 0 when there are none now, or none ever again.
    private mutating func readChunk() -> Int {
        guard output >= 0 else { return 0 }
        let descriptor = output
        let count = withUnsafeTemporaryAllocation(byteCount: ChildPipes.chunk, alignment: 1) {
            (buffer) -> Int in
            var count = -1
            repeat {
                count = read(descriptor, buffer.baseAddress, buffer.count)
            } while count < 0 && errno == EINTR
            if count > 0 { kept.append(buffer[..<count]) }
            return count
        }
        if count == 0 || (count < 0 && errno != EAGAIN) { closeOutput() }
        return max(0, count)
    }

    private mutating func write() {
        guard let input else { return }
        let result = DescriptorWriter.write(bytes, from: written, to: input.writer)
        written = result.written
        // All is written, or it cannot be.
        if result.failure?.errno != EAGAIN { closeInput() }
    }

    private mutating func closeInput() {
        input?.close()
        input = nil
    }

    private mutating func closeOutput() {
        if output >= 0 { close(output) }
        output = -1
    }
}
