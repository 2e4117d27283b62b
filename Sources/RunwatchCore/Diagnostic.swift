/// A fault, or a warning, at a place in a file: `FILE:LINE:COLUMN: message`.
package struct Diagnostic: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Severity: Hashable, Sendable {
        case error
        case warning
    }

    package var severity: Severity
    package var file: String
    /// From 1; 0 when the fault is the file as a whole.
    package var line: Int
    /// From 1, in characters; 0 when the fault is the file or line as a whole.
    package var column: Int
    /// Names the thing, the fault and the remedy.
    package var message: String

    package init(
        severity: Severity = .error, file: String, line: Int, column: Int, message: String
    ) {
        self.severity = severity
        self.file = file
        self.line = line
        self.column = column
        self.message = message
    }

    package var description: String {
        "\(file):\(line):\(column): \(severity == .warning ? "warning: " : "")\(message)"
    }
}
