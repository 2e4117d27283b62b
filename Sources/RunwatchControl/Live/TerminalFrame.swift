/// Lines that are drawn over themselves: what to write to a terminal for the next picture.
///
/// Uses what every terminal knows (ECMA-48): cursor up, home, erase to the end of line and screen, hide and
/// show the cursor. Between two pictures the cursor rests at the end of the last line, so that a picture may
/// fill the whole height.
package struct TerminalFrame: Sendable {
    /// Hides the cursor.
    package static let entering = Array("\u{1B}[?25l".utf8)
    /// Plain text again, the cursor shown, on a line of its own.
    package static let leaving = Array("\u{1B}[0m\u{1B}[?25h\r\n".utf8)

    private var height = 0
    private var columns = 0

    package init() {}

    /// Draws over the picture before.
    /// - Parameters:
    ///   - lines: Each shorter than `columns`; not more than the terminal has rows.
    ///   - columns: The terminal's width now.
    package mutating func draw(_ lines: [String], columns: Int) -> [UInt8] {
        var text = ""
        if height > 0 {
            // After another width the lines before are wrapped in a way that only the terminal knows.
            text = columns == self.columns ? "\r" + up(height - 1) : "\u{1B}[H\u{1B}[J"
        }
        text += lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J"
        height = max(1, lines.count)
        self.columns = columns
        return Array(text.utf8)
    }

    /// Somebody else has written: the next picture stands below it.
    package mutating func forget() { height = 0 }

    private func up(_ count: Int) -> String { count > 0 ? "\u{1B}[\(count)A" : "" }
}

/// One line that is drawn over itself, below what was written before.
package enum ProgressLine {
    package static let erased = Array("\r\u{1B}[K".utf8)

    /// - Parameter text: Shortened here, so that it never wraps, nor does the `^C` that a terminal shows
    ///   behind it.
    package static func draw(_ text: String, columns: Int) -> [UInt8] {
        erased + Array(TerminalText.shortened(text, to: max(1, columns - 3)).utf8)
    }
}
