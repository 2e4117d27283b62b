/// What is kept of a program's output: all of it up to a limit, else its beginning and its end.
package struct KeptOutput: Sendable {
    private let headLimit: Int
    private let tailLimit: Int
    private var head: [UInt8] = []
    /// What came after the head; up to twice its limit, so that it is not cut for each byte.
    private var tail: [UInt8] = []
    /// Bytes that came in all.
    package private(set) var total = 0

    /// - Parameter limit: Bytes that are kept; less than 0 is 0.
    package init(limit: Int) {
        tailLimit = max(0, limit) / 2
        headLimit = max(0, limit) - tailLimit
    }

    package mutating func append(_ bytes: some RandomAccessCollection<UInt8>) {
        total += bytes.count
        let free = headLimit - head.count
        head.append(contentsOf: bytes.prefix(free))
        tail.append(contentsOf: bytes.dropFirst(free).suffix(tailLimit))
        if tail.count > tailLimit * 2 { tail.removeFirst(tail.count - tailLimit) }
    }

    /// What is kept; when something is left out, a line in its place says how much.
    package var bytes: [UInt8] {
        let missing = total - headLimit - tailLimit
        guard missing > 0 else { return head + tail }
        return head + Array("\n[\(missing) bytes left out]\n".utf8) + tail.suffix(tailLimit)
    }
}
