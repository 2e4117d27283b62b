/// Reads IDs from text that comes in pieces: one a line, by the rules of `ids_from` files.
package struct IDLineReader {
    /// An ID that cannot be one, or a line that is none, and where.
    package struct Fault: Error, Hashable, Sendable {
        /// From 1.
        package var line: Int
        package var message: String
    }

    /// A line may be so long, its comment included; longer ones are no list of IDs.
    package static let longestLine = 64 << 10

    /// The beginning of a line whose end has not come.
    private var rest: [UInt8] = []
    private var linesRead = 0

    package init() {}

    /// Takes a piece, and gives the IDs of the lines that are whole by now.
    package mutating func take(_ piece: [UInt8]) throws(Fault) -> [String] {
        rest += piece
        guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else {
            guard rest.count <= IDLineReader.longestLine else { throw tooLong() }
            return []
        }
        let whole = Array(rest[...end])
        rest.removeFirst(end + 1)
        return try read(whole)
    }

    /// The last line, which may end without a break.
    package mutating func finish() throws(Fault) -> [String] {
        defer { rest = [] }
        return try read(rest)
    }

    private mutating func read(_ bytes: [UInt8]) throws(Fault) -> [String] {
        var ids: [String] = []
        var fault: Fault?
        let first = linesRead
        bytes.withUnsafeBufferPointer { whole in
            let hasMark = first == 0 && whole.starts(with: [0xEF, 0xBB, 0xBF])
            let text = UnsafeBufferPointer(rebasing: whole[(hasMark ? 3 : 0)...])
            if let offset = UTF8Check.firstFault(in: text) {
                fault = Fault(
                    line: first + TextPlace(of: offset, in: text).line,
                    message: "the text is not UTF-8")
                return
            }
            IDList.lines(text) { line in
                if let words = RunIDText.fault(line.id) {
                    let id = String(decoding: line.id, as: UTF8.self)
                    fault = Fault(
                        line: first + line.line, message: RunIDText.message(of: words, in: id))
                    return false
                }
                ids.append(String(decoding: line.id, as: UTF8.self))
                return true
            }
        }
        if let fault { throw fault }
        linesRead += bytes.count { $0 == UInt8(ascii: "\n") }
        guard rest.count <= IDLineReader.longestLine else { throw tooLong() }
        return ids
    }

    private func tooLong() -> Fault {
        Fault(
            line: linesRead + 1,
            message: "the line is longer than \(IDLineReader.longestLine) bytes; write one ID a line")
    }
}
