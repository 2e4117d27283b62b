/// A file of IDs: one a line, `#` begins a comment at the start of a line and after white space.
enum IDList {
    struct Line {
        /// From 1.
        let line: Int
        let column: Int
        /// Without the white space and the comment around it; never empty.
        let id: UnsafeBufferPointer<UInt8>
    }

    /// Calls `body` for each ID until it returns `false`; the text must be UTF-8.
    static func lines(_ text: UnsafeBufferPointer<UInt8>, _ body: (Line) -> Bool) {
        var line = 0
        var start = 0
        while start < text.count {
            line += 1
            var end = start
            while end < text.count, text[end] != UInt8(ascii: "\n") { end += 1 }
            let next = end + 1
            while end > start, isSpace(text[end - 1]) { end -= 1 }
            let indent = start
            while start < end, isSpace(text[start]) { start += 1 }
            end = commentStart(text, start, end)
            if start < end {
                let id = UnsafeBufferPointer(rebasing: text[start..<end])
                guard body(Line(line: line, column: start - indent + 1, id: id)) else { return }
            }
            start = next
        }
    }

    /// Where the ID ends: before the comment and the white space before that.
    private static func commentStart(
        _ text: UnsafeBufferPointer<UInt8>, _ start: Int, _ end: Int
    ) -> Int {
        var index = start
        while index < end {
            if text[index] == UInt8(ascii: "#"), index == start || isSpace(text[index - 1]) {
                while index > start, isSpace(text[index - 1]) { index -= 1 }
                return index
            }
            index += 1
        }
        return end
    }

    /// A carriage return ends lines of Windows' files.
    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }
}
