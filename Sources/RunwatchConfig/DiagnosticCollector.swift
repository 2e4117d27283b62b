import RunwatchCore

/// Gathers the diagnostics of all files of one load.
///
/// Of each file the first hundred errors and the first hundred warnings are kept; the rest is counted, and
/// its messages are never made.
final class DiagnosticCollector {
    static let limit = 100

    private struct File {
        let path: String
        var errors: [Diagnostic] = []
        var warnings: [Diagnostic] = []
        var furtherErrors = 0
        var furtherWarnings = 0
    }

    private var files: [File] = []
    private var indexes: [String: Int] = [:]
    private(set) var hasErrors = false

    /// Gives a file its place in the order of files: that of its first mention.
    func begin(_ path: String) {
        _ = index(of: path)
    }

    func error(
        _ path: String, line: Int, column: Int, _ message: () -> String
    ) {
        hasErrors = true
        let index = index(of: path)
        guard files[index].errors.count < DiagnosticCollector.limit else {
            files[index].furtherErrors += 1
            return
        }
        let diagnostic = Diagnostic(file: path, line: line, column: column, message: message())
        // One anchored value can be wrong in each place that uses it.
        guard !files[index].errors.contains(diagnostic) else { return }
        files[index].errors.append(diagnostic)
    }

    func warning(
        _ path: String, line: Int, column: Int, _ message: () -> String
    ) {
        let index = index(of: path)
        guard files[index].warnings.count < DiagnosticCollector.limit else {
            files[index].furtherWarnings += 1
            return
        }
        let diagnostic = Diagnostic(
            severity: .warning, file: path, line: line, column: column, message: message())
        guard !files[index].warnings.contains(diagnostic) else { return }
        files[index].warnings.append(diagnostic)
    }

    var errorCount: Int { files.reduce(0) { $0 + $1.errors.count + $1.furtherErrors } }
    var warningCount: Int { files.reduce(0) { $0 + $1.warnings.count + $1.furtherWarnings } }

    /// Everything, in the order of files and of places in them.
    var sorted: [Diagnostic] {
        files.flatMap { file in
            var all = (file.errors + file.warnings).enumerated().sorted { left, right in
                (left.element.line, left.element.column, left.offset)
                    < (right.element.line, right.element.column, right.offset)
            }.map(\.element)
            if file.furtherErrors > 0 {
                all.append(further(file, .error, file.furtherErrors, "error"))
            }
            if file.furtherWarnings > 0 {
                all.append(further(file, .warning, file.furtherWarnings, "warning"))
            }
            return all
        }
    }

    private func further(
        _ file: File, _ severity: Diagnostic.Severity, _ count: Int, _ word: String
    ) -> Diagnostic {
        Diagnostic(
            severity: severity, file: file.path, line: 0, column: 0,
            message: "and \(count) more \(word)\(count == 1 ? "" : "s") in this file")
    }

    private func index(of path: String) -> Int {
        if let index = indexes[path] { return index }
        indexes[path] = files.count
        files.append(File(path: path))
        return files.count - 1
    }
}
