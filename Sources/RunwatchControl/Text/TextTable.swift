/// Rows in aligned columns; a column in which no row has anything is left out.
package struct TextTable {
    package struct Column: Sendable {
        package var title: String
        /// For numbers.
        package var isRightAligned: Bool

        package init(_ title: String, isRightAligned: Bool = false) {
            self.title = title
            self.isRightAligned = isRightAligned
        }
    }

    package struct Cell: Sendable, ExpressibleByStringLiteral {
        package var text: String
        package var paint: TextStyle.Paint

        /// - Parameter text: Escaped here: it may come from outside.
        package init(_ text: String?, _ paint: TextStyle.Paint = .plain) {
            self.text = text.map(TerminalText.escape) ?? ""
            self.paint = paint
        }

        package init(stringLiteral value: String) {
            self.init(value)
        }
    }

    private let columns: [Column]
    private var rows: [[Cell]] = []

    package init(_ columns: [Column]) {
        self.columns = columns
    }

    package var isEmpty: Bool { rows.isEmpty }

    /// Adds a row with a cell for each column.
    package mutating func append(_ row: [Cell]) {
        rows.append(row)
    }

    /// The lines, titles first, each ending in a line break; nothing when there are no rows.
    package func text(_ style: TextStyle, indent: String = "") -> String {
        lines(style).map { indent + $0 + "\n" }.joined()
    }

    /// The lines, titles first; nothing when there are no rows.
    /// - Parameter width: Where lines are cut off, in columns.
    package func lines(_ style: TextStyle, width: Int = .max) -> [String] {
        guard !rows.isEmpty else { return [] }
        let shown = columns.indices.filter { index in
            rows.contains { index < $0.count && !$0[index].text.isEmpty }
        }
        var widths = columns.map { TerminalText.width($0.title) }
        for row in rows {
            for (index, cell) in row.enumerated() where index < widths.count {
                widths[index] = max(widths[index], TerminalText.width(cell.text))
            }
        }
        let titles = columns.map { Cell($0.title, .dim) }
        return ([titles] + rows).map { row in
            var line = FittedLine(style, width: width)
            add(row, to: &line, shown, widths)
            return line.text
        }
    }

    private func add(_ row: [Cell], to line: inout FittedLine, _ shown: [Int], _ widths: [Int]) {
        // Trailing space helps nobody: the last cell with text ends the line.
        guard let last = shown.last(where: { $0 < row.count && !row[$0].text.isEmpty })
        else { return }
        for index in shown where index <= last {
            let cell = row[index]
            let space = String(
                repeating: " ", count: widths[index] - TerminalText.width(cell.text))
            if columns[index].isRightAligned { line.add(space) }
            line.add(cell.text, cell.paint)
            guard index < last else { return }
            line.add((columns[index].isRightAligned ? "" : space) + "  ")
        }
    }
}
