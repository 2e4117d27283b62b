import RunwatchControl
import RunwatchCore
import RunwatchLinux
import Testing

/// The page Control.md and the API say the same.
@Suite struct ControlPageTests {
    private let page: [Substring]

    init() throws {
        let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        let path = "\(root)/Sources/RunwatchDaemon/Runwatch.docc/Control.md"
        page = String(decoding: try FileReader.read(path), as: UTF8.self).split(separator: "\n")
    }

    /// The cells of the rows that begin so.
    private func rows(_ beginning: String) -> [[String]] {
        page.filter { $0.hasPrefix("| `\(beginning)") }.map { row in
            row.split(separator: "|").map { cell in
                String(cell.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            }
        }
    }

    @Test func `every type of problem has a row with its status, its meaning and what helps`() {
        let rows = rows("urn:runwatch:problem:")
        for code in Problem.Code.allCases {
            let row = rows.first { $0.first == "`\(code.type)`" }
            #expect(row?.count == 4, "\(code.type)")
            #expect(row?.dropFirst().first == "\(code.status)", "\(code.type)")
            #expect(row?.contains("") == false, "\(code.type)")
        }
        #expect(rows.count == Problem.Code.allCases.count)
    }

    @Test func `every operation of the document has a row among the routes`() throws {
        let routes = Set(["GET ", "POST ", "DELETE "].flatMap { rows($0) }.compactMap(\.first))
        let operations = try APIDocument().operations.map { "`\($0)`" }
        #expect(routes == Set(operations))
    }
}
