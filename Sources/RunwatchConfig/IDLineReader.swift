/// Reads IDs from text that comes in pieces: one a line, by the rules of `ids_from` files.
package struct IDLineReader {
    /// An ID that cannot be one, or a line that is none, and where.
    package struct Fault: Hashable, Sendable {
        /// From 1.
        package var line: Int
        package var message: String

        package init(line: Int, message: String) {
            self.line = line
            self.message = message
        }
    }

    /// A line may be so long, its comment included; longer ones are no list of IDs.
    package static let longestLine = 64 << 10

    /// The first fault; nothing behind it is read.
    package private(set) var fault: Fault?
    /// The beginning of a line whose end has not come.
    private var rest: [UInt8] = []
    private var linesRead = 0

    package init() {}

    /// Takes a piece, and gives the IDs of the lines that are whole by now, up to the first fault.
    package mutating func take(_ piece: [UInt8]) -> [String] {
        guard fault == nil else { return [] }
        rest += piece
        var ids: [String] = []
        if let end = rest.lastIndex(of: UInt8(ascii: "\n")) {
            let whole = Array(rest[...end])
            rest.removeFirst(end + 1)
            ids = read(whole)
        }
        if fault == nil, rest.count > IDLineReader.longestLine {
            fault = Fault(
                line: linesRead + 1,
                message:
                    "the line is longer than \(IDLineReader.longestLine) bytes; write one ID a "
                    + "line")
        }
        return ids
    }

    /// The last line, which may end without a break.
    package mutating func finish() -> [String] {
        guard fault == nil else { return [] }
        defer { rest = [] }
        return read(rest)
    }

    private mutating func read(_ bytes: [UInt8]) -> [String] {
        var ids: [String] = []
        var found: Fault?
        let first = linesRead
        bytes.withUnsafeBufferPointer { whole in
            let hasMark = first == 0 && whole.starts(with: [0xEF, 0xBB, 0xBF])
            let text = UnsafeBufferPointer(rebasing: whole[(hasMark ? 3 : 0)...])
            let end = UTF8Check.firstFault(in: text)
            if let end {
                found = Fault(
                    line: first + TextPlace(of: end, in: text).line,
                    message: "the text is not UTF-8")
            }
            let good = UnsafeBufferPointer(rebasing: text[..<(end ?? text.count)])
            IDList.lines(good) { line in
                let number = first + line.line
                guard number < found?.line ?? .max else { return false }
                if let words = RunIDText.fault(line.id) {
                    let id = String(decoding: line.id, as: UTF8.self)
                    found = Fault(line: number, message: RunIDText.message(of: words, in: id))
                    return false
                }
                ids.append(String(decoding: line.id, as: UTF8.self))
                return true
            }
        }
        fault = found
        linesRead += bytes.count { $0 == UInt8(ascii: "\n") }
        return ids
    }
}
