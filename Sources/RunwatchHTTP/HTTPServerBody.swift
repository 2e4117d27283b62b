import Dispatch

/// What a body has for the connection right now.
enum HTTPServerBodyPart {
    /// So many bytes were written.
    case bytes(Int)
    /// Nothing yet.
    case wait
    case end
    /// The connection is to be closed in mid-answer.
    case abort
}

/// A body that comes in parts; used on the loop's queue alone.
protocol HTTPServerBody: AnyObject {
    func read(into buffer: UnsafeMutableRawBufferPointer) -> HTTPServerBodyPart
    /// Ends the body as if its source had ended.
    func finish()
    /// Nobody reads any more.
    func cancel()
}

/// The first bytes of a body that is announced whole and never comes whole.
final class HTTPServerPartialBody: HTTPServerBody {
    private let bytes: ArraySlice<UInt8>
    private var end: HTTPServerBodyPart
    private var offset = 0

    init(_ bytes: [UInt8], count: Int, end: HTTPServerBodyPart) {
        self.bytes = bytes.prefix(max(0, count))
        self.end = end
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> HTTPServerBodyPart {
        let rest = bytes.dropFirst(offset).prefix(buffer.count)
        guard !rest.isEmpty else { return end }
        buffer.copyBytes(from: rest)
        offset += rest.count
        return .bytes(rest.count)
    }

    func finish() { end = .abort }
    func cancel() {}
}

/// A stream's chunks, pulled one at a time: the next is asked for when the connection has taken the last.
///
/// So a slow reader holds one chunk here, and the stream's own buffering policy decides about the rest.
/// Sendable by the loop's invariant: all of it is touched on the loop's queue alone.
final class HTTPServerStreamBody: HTTPServerBody, @unchecked Sendable {
    private let loop: HTTPServerLoop
    private weak var exchange: HTTPServerExchange?
    private var chunk: [UInt8] = []
    private var offset = 0
    private var hasEnded = false
    /// Told when the chunk is taken, or nobody wants it.
    private var taken: CheckedContinuation<Void, Never>?
    private var task: Task<Void, Never>?

    init(_ stream: AsyncStream<[UInt8]>, loop: HTTPServerLoop, exchange: HTTPServerExchange) {
        self.loop = loop
        self.exchange = exchange
        task = Task {
            // Also when nobody reads any more: asking on, cancelled, is what tells the stream's source so.
            for await chunk in stream where !chunk.isEmpty { await self.offer(chunk) }
            loop.perform { self.streamEnded() }
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> HTTPServerBodyPart {
        if offset == chunk.count { return hasEnded ? .end : .wait }
        let rest = chunk[offset...].prefix(buffer.count)
        buffer.copyBytes(from: rest)
        offset += rest.count
        if offset == chunk.count {
            chunk = []
            offset = 0
            take()
        }
        return .bytes(rest.count)
    }

    func finish() {
        hasEnded = true
        task?.cancel()
        take()
    }

    func cancel() {
        finish()
        chunk = []
        offset = 0
    }

    private func take() {
        taken?.resume()
        taken = nil
    }

    private func offer(_ chunk: [UInt8]) async {
        await withCheckedContinuation { continuation in
            loop.perform {
                guard !self.hasEnded else { return continuation.resume() }
                self.chunk = chunk
                self.offset = 0
                self.taken = continuation
                self.exchange?.resume()
            }
        }
    }

    private func streamEnded() {
        hasEnded = true
        task = nil
        exchange?.resume()
    }
}
