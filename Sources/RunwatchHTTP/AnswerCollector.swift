import RunwatchCore
import RunwatchLinux

/// Gathers one answer from its header lines and pieces of body, and keeps it within bounds.
struct AnswerCollector {
    enum Overflow {
        case headers
        case body
    }

    /// All header lines of an answer together, interim answers and trailers included.
    static let maximumHeaderBytes = 256 << 10
    /// Room is made at once for a body of the announced length, but on a mere announcement never more.
    private static let maximumReservation = 1 << 20

    /// What there was too much of; the answer is not worth having then.
    private(set) var overflow: Overflow?
    private(set) var headerBytes = 0
    /// Whether the headers of the final answer are complete.
    private(set) var isHeaderComplete = false
    /// Whether the body was cut at its bound, as wanted.
    private(set) var isCut = false
    private var isInHeaders = false
    private var isInterim = false
    private var maximumBody = 0
    private var cutsBody = false
    private var contentType = ""
    private var retryAfter: RetryHint?
    private var contentLength: Int?
    private var isEncoded = false
    private var body: [UInt8] = []

    /// Forgets everything and waits for a new answer.
    ///
    /// - Parameter cutsBody: A larger body is cut instead of refused.
    mutating func begin(maximumBody: Int, cutsBody: Bool = false) {
        self = AnswerCollector()
        self.maximumBody = maximumBody
        self.cutsBody = cutsBody
    }

    /// Takes one header line with its line end, a status line or the empty line.
    ///
    /// - Returns: Whether to go on.
    mutating func header(_ line: UnsafeRawBufferPointer) -> Bool {
        headerBytes += line.count
        guard headerBytes <= AnswerCollector.maximumHeaderBytes else {
            overflow = .headers
            return false
        }
        // The final answer's headers are the last: what follows are trailers.
        guard !isHeaderComplete else { return true }
        if line.starts(with: "HTTP/".utf8) {
            // What an interim answer (103) says does not hold for the final one.
            isInHeaders = true
            // "HTTP/1.1 103 Early Hints": a status of one hundred and something.
            isInterim = line.drop { $0 != 32 }.dropFirst().first == UInt8(ascii: "1")
            contentType = ""
            retryAfter = nil
            contentLength = nil
            isEncoded = false
            return true
        }
        guard isInHeaders else { return true }
        guard let first = line.first, first != 13, first != 10 else {
            isInHeaders = false
            isHeaderComplete = !isInterim
            return isWorthReading()
        }
        read(line)
        return true
    }

    /// Takes a piece of the decoded body.
    ///
    /// - Returns: Whether to go on.
    mutating func append(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let room = maximumBody - body.count
        if bytes.count > room, !cutsBody {
            overflow = .body
            body = []
            return false
        }
        if body.isEmpty, let contentLength, !isEncoded {
            let expected = min(contentLength, maximumBody)
            body.reserveCapacity(min(expected, AnswerCollector.maximumReservation))
        }
        body.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes.prefix(room)))
        isCut = bytes.count > room
        return !isCut
    }

    /// The answer so far, moved out.
    mutating func takeResponse(status: Int) -> HTTPResponse {
        HTTPResponse(
            status: status, contentType: contentType, retryAfter: retryAfter, body: takeBody())
    }

    /// The body so far, moved out; what comes later starts a new one.
    mutating func takeBody() -> [UInt8] {
        let taken = body
        body = []
        return taken
    }

    private mutating func isWorthReading() -> Bool {
        guard let contentLength, contentLength > maximumBody, !isEncoded, !cutsBody else {
            return true
        }
        overflow = .body
        return false
    }

    private mutating func read(_ line: UnsafeRawBufferPointer) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return }
        let name = UnsafeRawBufferPointer(rebasing: line[..<colon])
        let value = UnsafeRawBufferPointer(rebasing: line[(colon + 1)...])
        switch colon {
        case 11 where name.isHeader("retry-after"):
            retryAfter = RetryAfterParser.parse(value.trimmed, now: SystemTime().wallClock())
        case 12 where name.isHeader("content-type"):
            let type = value.prefix { $0 != UInt8(ascii: ";") }
            contentType = String(
                decoding: UnsafeRawBufferPointer(rebasing: type).trimmed.lazy.map(lowercase),
                as: UTF8.self)
        case 14 where name.isHeader("content-length"):
            contentLength = Int(String(decoding: value.trimmed, as: UTF8.self))
        case 16 where name.isHeader("content-encoding"):
            isEncoded = true
        default:
            break
        }
    }
}

private func lowercase(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
}

extension UnsafeRawBufferPointer {
    /// Whether this is the name, which is in lower case, in whatever case.
    fileprivate func isHeader(_ name: StaticString) -> Bool {
        guard count == name.utf8CodeUnitCount else { return false }
        return zip(self, UnsafeBufferPointer(start: name.utf8Start, count: count))
            .allSatisfy { lowercase($0) == $1 }
    }

    /// Without white space and line ends around it.
    fileprivate var trimmed: UnsafeRawBufferPointer {
        func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 || byte == 13 || byte == 10 }
        guard let first = firstIndex(where: { !isSpace($0) }),
            let last = lastIndex(where: { !isSpace($0) })
        else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(rebasing: self[first...last])
    }
}
