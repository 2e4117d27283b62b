/// What a terminal shows after the bytes that were written to it; enough of ECMA-48 for our own programs.
///
/// Every character takes one column.
package struct ScreenModel: Sendable {
    package private(set) var columns: Int
    package private(set) var rows: Int
    package private(set) var isCursorShown = true
    /// A line was longer than the screen is wide.
    package private(set) var hasWrapped = false
    /// Sequences that are not known here.
    package private(set) var unknown: [String] = []
    package private(set) var column = 0
    package private(set) var row = 0

    private var grid: [[Unicode.Scalar]]
    private var rest: [UInt8] = []

    package init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = rows
        grid = Array(repeating: Array(repeating: " ", count: columns), count: rows)
    }

    /// The lines down to the last one with text, without the spaces at their ends.
    package var lines: [String] {
        var lines = grid.map { row in
            var text = String(String.UnicodeScalarView(row))
            while text.hasSuffix(" ") { text.removeLast() }
            return text
        }
        while lines.last == "" { lines.removeLast() }
        return lines
    }

    package var text: String { lines.joined(separator: "\n") }

    /// Cuts the lines, or adds room; the text stays at the upper left.
    package mutating func resize(columns: Int, rows: Int) {
        let lost = max(0, min(row + 1, self.rows) - rows)
        grid.removeFirst(lost)
        row -= lost
        grid = (0..<rows).map { index in
            let line = index < grid.count ? grid[index] : []
            let kept = Array(line.prefix(columns))
            return kept + Array(repeating: " ", count: columns - kept.count)
        }
        self.columns = columns
        self.rows = rows
        column = min(column, columns - 1)
    }

    /// Takes bytes; a sequence or character that is not whole waits for the next ones.
    package mutating func write(_ bytes: some Sequence<UInt8>) {
        rest += bytes
        var index = 0
        while index < rest.count {
            guard let length = unit(at: index) else { break }
            let part = Array(rest[index..<index + length])
            if part.count > 1, part[0] == 0x1B {
                control(part)
            } else {
                for scalar in String(decoding: part, as: UTF8.self).unicodeScalars { put(scalar) }
            }
            index += length
        }
        rest.removeFirst(index)
    }

    /// The length of what begins there; `nil` when its end has not come.
    private func unit(at index: Int) -> Int? {
        let first = rest[index]
        guard first != 0x1B else {
            guard index + 1 < rest.count else { return nil }
            guard rest[index + 1] == UInt8(ascii: "[") else { return 2 }
            let end = rest[(index + 2)...].firstIndex { (0x40...0x7E).contains($0) }
            return end.map { $0 - index + 1 }
        }
        let length = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        return index + length <= rest.count ? length : nil
    }

    private mutating func put(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\r": column = 0
        case "\n":
            if row + 1 < rows {
                row += 1
            } else {
                grid.removeFirst()
                grid.append(Array(repeating: " ", count: columns))
            }
        default:
            if column >= columns {
                hasWrapped = true
                column = 0
                put("\n")
            }
            grid[row][column] = scalar
            column += 1
        }
    }

    private mutating func control(_ sequence: [UInt8]) {
        let text = String(decoding: sequence.dropFirst(2), as: UTF8.self)
        switch text {
        case "H": (column, row) = (0, 0)
        case "K": erase(from: min(column, columns), to: columns, in: row)
        case "J":
            erase(from: min(column, columns), to: columns, in: row)
            for below in (row + 1)..<max(rows, row + 1) { erase(from: 0, to: columns, in: below) }
        case "?25l": isCursorShown = false
        case "?25h": isCursorShown = true
        case _ where text.hasSuffix("m"): break
        case _ where text.hasSuffix("A"): row = max(0, row - (Int(text.dropLast()) ?? 1))
        default: unknown.append(text)
        }
    }

    private mutating func erase(from first: Int, to end: Int, in row: Int) {
        for column in first..<end { grid[row][column] = " " }
    }
}
