/// A line made of painted pieces that ends at a terminal's edge, whatever is added.
struct FittedLine {
    private(set) var text = ""
    private let style: TextStyle
    private var left: Int

    /// - Parameter width: In columns.
    init(_ style: TextStyle, width: Int) {
        self.style = style
        left = max(0, width)
    }

    var isFull: Bool { left == 0 }

    /// Adds a piece, or as much of it as there is room for.
    /// - Parameter piece: Made safe already, and not painted.
    mutating func add(_ piece: String, _ paint: TextStyle.Paint = .plain) {
        guard !isFull, !piece.isEmpty else { return }
        let width = TerminalText.width(piece)
        text += style.paint(width > left ? TerminalText.shortened(piece, to: left) : piece, paint)
        left = max(0, left - width)
    }
}
