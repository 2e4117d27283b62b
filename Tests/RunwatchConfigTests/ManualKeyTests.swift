import RunwatchConfig
import RunwatchCore
import TestSupport
import Testing

/// runwatch.yaml(5) has the keys of the schema, with the types and defaults of the reference pages.
@Suite struct ManualKeyTests {
    /// A key as the page defines it: `.It Ic poll.max Ar duration Pq Li 60s`.
    private struct Entry: Equatable {
        var type: String?
        var standard: String?
    }

    private static func entries(_ page: ManualPage, _ subsection: String) -> [(String, Entry)] {
        page.section("KEYS").filter { $0.subsection == subsection }.compactMap { line in
            guard let item = line.item, item.count > 1, item[0] == "Ic" else { return nil }
            var entry = Entry()
            var rest = item.dropFirst(2)
            if rest.first == "Ar" {
                entry.type = rest.dropFirst().first
                rest = rest.dropFirst(2)
            }
            if rest.first == "Pq" {
                rest = rest.dropFirst()
                entry.standard = (rest.first == "Li" ? rest.dropFirst() : rest)
                    .joined(separator: " ")
            }
            return (item[1], entry)
        }
    }

    /// The keys of the schema, by the part of the page in which they belong.
    private static func schema() throws -> [String: [String]] {
        let known = DocumentedKeyTests.known(DocumentedKeyTests.strange)
        let watches = DocumentedKeyTests.known(DocumentedKeyTests.discovery)
        func keys(_ mapping: String, _ lead: String = "") throws -> [String] {
            try #require(known[mapping] ?? watches[mapping], "\(mapping)")
                .map { lead + $0 }
        }
        func inside(_ kind: String) throws -> [String] { try keys("'\(kind)'", "\(kind).") }
        let defaults = try keys("'defaults'")
        let service = try keys("service 'a'")
        // What holds for every watch may stand at a service as well.
        #expect(Set(defaults).isSubset(of: service))
        let krixik = own(service, "krixik")
        let kinetica = own(service, "kinetica")
        let common = service.filter { !(defaults + krixik + kinetica).contains($0) }
        return [
            "The main file": try keys("the configuration"),
            "Keys of a service": common + (try inside("limits")) + (try inside("tls")),
            "Keys of a service of kind krixik": krixik,
            "Keys of a service of kind kinetica": kinetica,
            "Keys of a receiver": try keys("receiver 'b'") + inside("digest"),
            "Keys of stdout": try inside("stdout"),
            "Keys of webhook": try inside("webhook"),
            "Keys of slack, discord and teams": try inside("slack") + inside("discord")
                + inside("teams"),
            "Keys of ntfy": try inside("ntfy"),
            "Keys of email": try inside("email"),
            "Keys of exec": try inside("exec"),
            "Keys of defaults": defaults + (try inside("poll")),
            "Keys of retention": try keys("'retention'"),
            "Keys of control": try keys("'control'"),
            "Keys of http": try keys("'http'"),
            "Keys of log": try keys("'log'"),
            "Keys of a watch": try keys("a watch") + inside("discover"),
        ]
    }

    /// Those of the keys that a service of another kind may not have.
    private static func own(_ keys: [String], _ kind: String) -> [String] {
        let other = kind == "krixik" ? "kinetica" : "krixik"
        let lines = keys.filter { $0 != "kind" }.map { "    \($0): 1\n" }.joined()
        let result = load("services:\n  w:\n    kind: \(other)\n" + lines)
        return keys.filter { key in
            result.diagnostics.contains {
                $0.message.hasPrefix("'\(key)' is for services of kind \(kind);")
            }
        }
    }

    @Test func `the page has every key where it belongs and no other`() throws {
        let page = try ManualPage("runwatch.yaml.5")
        let schema = try ManualKeyTests.schema()
        for (part, keys) in schema {
            let documented = ManualKeyTests.entries(page, part).map(\.0)
            #expect(documented.sorted() == keys.sorted(), "\(part)")
        }
        let parts = Set(page.section("KEYS").filter { $0.item?.first == "Ic" }.map(\.subsection))
        #expect(parts == Set(schema.keys))
    }

    // MARK: The reference pages

    /// The part of the page for the keys under each heading of the reference pages.
    private static let parts: [(page: String, heading: String, parts: [String])] = [
        ("Configuration", "The main file", ["The main file"]),
        ("Configuration", "Keys of every kind", ["Keys of a service", "Keys of a receiver"]),
        ("Configuration", "kind: krixik", ["Keys of a service of kind krixik"]),
        ("Configuration", "kind: kinetica", ["Keys of a service of kind kinetica"]),
        ("Configuration", "stdout", ["Keys of stdout"]),
        ("Configuration", "webhook", ["Keys of webhook"]),
        ("Configuration", "slack, discord, teams", ["Keys of slack, discord and teams"]),
        ("Configuration", "ntfy", ["Keys of ntfy"]), ("Configuration", "email", ["Keys of email"]),
        ("Configuration", "exec", ["Keys of exec"]),
        ("Configuration", "defaults", ["Keys of defaults"]),
        ("Configuration", "retention", ["Keys of retention"]),
        ("Configuration", "control", ["Keys of control"]),
        ("Configuration", "http", ["Keys of http"]),
        ("Configuration", "log", ["Keys of log"]), ("WatchLists", "Keys", ["Keys of a watch"]),
    ]

    /// The rows of the tables of keys under a heading; `Keys of every kind` stands there twice.
    private static func rows(_ text: String, _ heading: String) -> [(keys: [String], entry: Entry)]
    {
        var rows: [(keys: [String], entry: Entry)] = []
        var isInside = false
        var columns: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("#") { isInside = line.drop { $0 == "#" } == " \(heading)" }
            guard isInside, line.hasPrefix("| "), !line.hasPrefix("| ---") else { continue }
            let cells = line.dropFirst().split(separator: " |", omittingEmptySubsequences: false)
                .map { String($0.drop { $0 == " " }) }
            if cells[0] == "key" {
                columns = cells
                continue
            }
            func cell(_ name: String) -> String? {
                guard let index = columns.firstIndex(of: name), index < cells.count else {
                    return nil
                }
                let plain = cells[index].filter { $0 != "`" }
                return plain.isEmpty ? nil : plain
            }
            let parts = cells[0].split(separator: "`", omittingEmptySubsequences: false)
            let keys = parts.indices.filter { !$0.isMultiple(of: 2) }.map { String(parts[$0]) }
            rows.append((keys, Entry(type: cell("type"), standard: cell("default"))))
        }
        return rows
    }

    @Test func `types and defaults are those of the reference pages`() throws {
        let page = try ManualPage("runwatch.yaml.5")
        var count = 0
        for (name, heading, parts) in ManualKeyTests.parts {
            let text = try DocumentedKeyTests.page(name)
            var entries: [String: [Entry]] = [:]
            for (key, entry) in parts.flatMap({ ManualKeyTests.entries(page, $0) }) {
                entries[key, default: []].append(entry)
            }
            for (keys, expected) in ManualKeyTests.rows(text, heading) {
                // `username`, `password` share a row: text, secret.
                let types = expected.type.map { $0.split(separator: ", ").map(String.init) } ?? []
                for (index, key) in keys.enumerated() {
                    var expected = expected
                    if keys.count > 1, types.count == keys.count { expected.type = types[index] }
                    let found = entries[key] ?? []
                    #expect(found.contains(expected), "\(key): \(expected), not \(found)")
                    count += 1
                }
            }
        }
        #expect(count >= 90)
    }
}
