import Glibc

/// A manual page of the project (mdoc(7)), read for what tests compare with the programs.
package struct ManualPage: Sendable {
    /// A line of a page: its words, quotes taken off, `.It` and the like first.
    package struct Line: Sendable {
        package var text: String
        package var words: [String]
        /// The nearest `.Sh` before it.
        package var section: String
        /// The nearest `.Ss` of that section before it; empty for none.
        package var subsection: String
        /// How many lists it stands in.
        package var depth: Int

        /// The head of an item of a list, without `.It`; `nil` for other lines.
        package var item: [String]? { words.first == ".It" ? Array(words.dropFirst()) : nil }
    }

    package private(set) var lines: [Line] = []

    /// Reads `docs/man/NAME`.
    package init(_ name: String) throws {
        try self.init(text: ProjectFile.read("docs/man/\(name)"))
    }

    package init(text: String) {
        var (section, subsection, depth) = ("", "", 0)
        for line in text.split(separator: "\n") where !line.hasPrefix(".\\\"") {
            let words = ManualPage.words(line)
            switch words.first {
            case ".Sh": (section, subsection) = (words.dropFirst().joined(separator: " "), "")
            case ".Ss": subsection = words.dropFirst().joined(separator: " ")
            case ".Bl": depth += 1
            case ".El": depth -= 1
            default: break
            }
            lines.append(
                Line(
                    text: String(line), words: words, section: section, subsection: subsection,
                    depth: depth))
        }
    }

    package func section(_ name: String) -> [Line] { lines.filter { $0.section == name } }

    /// The options that the head of an item defines: `Fl c Ar file , Fl -config Ar file`.
    package static func options(_ item: [String]) -> [String] {
        item.indices.dropFirst().filter { item[$0 - 1] == "Fl" }.map { "-" + item[$0] }
    }

    private static func words(_ line: Substring) -> [String] {
        var words: [String] = []
        var rest = line[...]
        while let first = rest.first {
            let isQuoted = first == "\""
            if isQuoted { rest.removeFirst() }
            let word = rest.prefix { isQuoted ? $0 != "\"" : $0 != " " }
            rest = rest.dropFirst(word.count + 1).drop { $0 == " " }
            words.append(
                String(word).replacing("\\(dq", with: "\"").replacing("\\&", with: "")
                    .replacing("\\e", with: "\\"))
        }
        return words
    }
}

/// A file of the project's own, read by a test.
package enum ProjectFile {
    package struct Missing: Error {
        package var path: String
    }

    /// - Parameter path: From the project's folder on.
    package static func read(_ path: String) throws -> String {
        let path = "\(root)/\(path)"
        guard let file = fopen(path, "r") else { throw Missing(path: path) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }

    private static let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
}
