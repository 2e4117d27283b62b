import RunwatchLinux
import Testing

/// The reference page of the database has every table and column, in the schema's order.
@Suite struct DocumentedSchemaTests {
    private struct Table: Equatable, CustomStringConvertible {
        var name: String
        /// `name TYPE` of each column.
        var columns: [String] = []

        var description: String { "\(name): \(columns)" }
    }

    private static func lines(_ path: String) throws -> [Substring] {
        let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        let bytes = try FileReader.read("\(root)/Sources/\(path)")
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    }

    private static func schema() throws -> [Table] {
        var tables: [Table] = []
        for line in try lines("RunwatchStore/Schema/v1.sql") {
            let words = line.split { $0 == " " || $0 == "," }
            if line.hasPrefix("CREATE TABLE "), words.count > 2 {
                tables.append(Table(name: String(words[2])))
            } else if line.hasPrefix("    "), words.count > 1,
                words[1] == "TEXT" || words[1] == "INTEGER"
            {
                tables[tables.count - 1].columns.append("\(words[0]) \(words[1])")
            }
        }
        // What later versions added stands at the end of its table.
        for line in try lines("RunwatchStore/Schema/v2.sql") {
            let words = line.split { $0 == " " || $0 == ";" }
            guard line.hasPrefix("ALTER TABLE "), words.count > 6 else { continue }
            let place = tables.firstIndex { $0.name == words[2] }
            tables[try #require(place)].columns.append("\(words[5]) \(words[6])")
        }
        return tables
    }

    private static func page() throws -> [Table] {
        var tables: [Table] = []
        for line in try lines("RunwatchDaemon/Runwatch.docc/Database.md") {
            if line.hasPrefix("## ") { tables.append(Table(name: String(line.dropFirst(3)))) }
            let cells = line.split(separator: "|").map { $0.filter { $0 != "`" && $0 != " " } }
            if line.hasPrefix("| `"), cells.count > 2, !tables.isEmpty {
                tables[tables.count - 1].columns.append("\(cells[0]) \(cells[1])")
            }
        }
        return tables.filter { !$0.columns.isEmpty }
    }

    @Test func `every table and column is documented`() throws {
        let schema = try DocumentedSchemaTests.schema()
        #expect(schema.count > 5)
        #expect(try DocumentedSchemaTests.page() == schema)
    }
}
