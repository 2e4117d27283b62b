import RunwatchCore
import Testing

@testable import RunwatchStore

@Suite struct SchemaTests {
    private var lines: [Substring] {
        Schema.scripts.flatMap { script in
            String(decoding: script, as: UTF8.self).split(separator: "\n").map { $0[...] }
        }
    }

    @Test func `every column of every table says what it is`() {
        var table: String?
        var columns = 0
        for line in lines {
            let text = line.drop { $0 == " " }
            if line.hasPrefix("CREATE TABLE") { table = String(line) }
            if line.hasPrefix(")") { table = nil }
            let isConstraint = ["PRIMARY KEY", "UNIQUE", "--", "CREATE"].contains(
                where: text.hasPrefix)
            guard table != nil, !isConstraint else { continue }
            columns += 1
            #expect(line.contains(" -- "), "\(line)")
        }
        #expect(columns > 60)
    }

    @Test func `every table is strict, begins with its meaning, and is shown with its comments`()
        async throws
    {
        let store = try Store(at: .memory)
        let tables = "FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
        let count = try await store.number("SELECT count(*) \(tables)")
        #expect(count == 6)
        #expect(
            try await store.number(
                "SELECT count(*) \(tables) AND sql LIKE '%(' || char(10) || '    -- %'") == count)
        #expect(
            try await store.number(
                "SELECT count(*) FROM pragma_table_list WHERE strict AND schema = 'main'") == count)
        await store.close()
    }

    @Test func `the words of states and types in the comments are the contract's`() {
        let text = lines.joined(separator: "\n")
        for state in RunState.allCases { #expect(text.contains(state.name)) }
    }
}
