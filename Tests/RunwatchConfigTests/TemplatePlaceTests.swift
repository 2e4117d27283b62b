import RunwatchConfig
import RunwatchCore
import TestSupport
import Testing

/// A template's fault is told where it stands in the file, however the template is written there.
@Suite struct TemplatePlaceTests {
    private func load(_ scalar: String) -> ConfigurationResult {
        let main =
            "receivers:\n  ops:\n    slack:\n      url: {env: SLACK_URL}\n      text: \(scalar)\n"
            + "    timeout: 5s\n"
        return RunwatchConfigTests.load(main)
    }

    /// What stands at a diagnostic's place.
    private func text(at diagnostic: Diagnostic, in file: String) -> String {
        let lines = file.unicodeScalars.split(
            separator: "\n", omittingEmptySubsequences: false)
        guard diagnostic.line >= 1, diagnostic.line <= lines.count else { return "" }
        return String(lines[diagnostic.line - 1].dropFirst(diagnostic.column - 1))
    }

    @Test(arguments: [
        ("a {{zz}}", 5, 15), ("'it''s {{zz}}'", 5, 20),
        (#""caf\u00e9 \"{{zz}}\"""#, 5, 26), ("é{{zz}}", 5, 14),
        ("a\n        b\n\n        {{zz}}", 8, 9), ("|\n        {{zz}}", 6, 9),
        ("|2\n          {{zz}}", 6, 11), ("|-\n\n        a\n         {{zz}}", 8, 10),
        (">\n        a\n        b {{zz}}", 7, 11),
        (">\n        a\n\n          b\n        {{zz}}", 9, 9),
        ("&x a{{zz}}", 5, 17), ("&x\n        'a {{zz}}'", 6, 12), ("!!str \"{{zz}}\"", 5, 20),
        ("\"a\\\n        b{{zz}}\"", 6, 10), ("\"\\x41\\U0001F600\\t{{zz}}\"", 5, 30),
    ])
    func `a name is found in every style of a scalar`(
        _ scalar: String, _ line: Int, _ column: Int
    ) throws {
        let diagnostic = try #require(load(scalar).errors.first)
        #expect(diagnostic.message.hasPrefix("'text': unknown key 'zz'"))
        #expect(!diagnostic.message.hasSuffix("of the template"))
        #expect((diagnostic.line, diagnostic.column) == (line, column))
    }

    @Test func `an alias is told where the template stands`() throws {
        let result = RunwatchConfigTests.load(
            """
            receivers:
              a: {slack: {url: {env: SLACK_URL}, text: &t "{{zz}}"}}
              b: {teams: {url: {env: SLACK_URL}, text: *t}}
            """)
        #expect(result.errors.map(\.line) == [2])
        #expect(result.errors.first?.column == 48)
    }

    @Test func `the place is never wrong, whatever the text looks like`() {
        var random = SeededGenerator(seed: 20_261_123)
        for _ in 0..<3000 {
            let scalar = ScalarText.random(&random)
            let isReturned = Bool.random(using: &random)
            var main =
                "\(Bool.random(using: &random) ? "\u{FEFF}" : "")receivers:\n  ops:\n    ntfy:\n"
                + "      topic: runs\n      text: \(scalar)\n    timeout: 5s\n"
            if isReturned {
                main = main.split(separator: "\n", omittingEmptySubsequences: false).joined(
                    separator: "\r\n")
            }
            let result = RunwatchConfigTests.load(main)
            #expect(result.errors.count == 1, "\(main)")
            guard let fault = result.errors.first else { continue }
            #expect(fault.message.hasPrefix("'text': unknown key 'zz'; known"), "\(fault)\n\(main)")
            #expect(!fault.message.hasSuffix("of the template"), "\(fault)\n\(main)")
            #expect(text(at: fault, in: main).hasPrefix("{{zz}}"), "\(fault)\n\(main)")
        }
    }

    @Test func `a break that only YAML knows counts as it does for YAML`() throws {
        let diagnostic = try #require(load("|\n        a\u{85}        {{zz}}").errors.first)
        #expect((diagnostic.line, diagnostic.column) == (7, 9))
    }

    @Test(arguments: ["|\n        a\u{2028}        {{zz}}", "\"a\u{2029}   {{zz}}\""])
    func `a scalar that is not read again as it was read leaves the place to words`(
        _ scalar: String
    ) throws {
        let diagnostic = try #require(load(scalar).errors.first)
        #expect((diagnostic.line, diagnostic.column) == (5, 13))
        #expect(diagnostic.message.hasSuffix(" of the template"))
    }

    @Test func `in a line of more than a mebibyte the place is left to words`() throws {
        let comment = String(repeating: "x", count: 1 << 20)
        let diagnostic = try #require(load("\"a {{zz}}\" # \(comment)").errors.first)
        #expect((diagnostic.line, diagnostic.column) == (5, 13))
        #expect(diagnostic.message.hasSuffix(", at line 1, column 3 of the template"))
    }

    @Test func `a fault in a file has its place there, and the file is watched`() {
        var files = MemoryFiles([
            "/c/runwatch.yaml": """
            receivers:
              ops: {webhook: {url: "https://hooks.example.com/", body: {file: hook.mustache}}}
            """,
            "/c/hook.mustache": "{\n  \"text\": \"é{{titel}}\"\n}\n",
        ])
        let result = files.load()
        #expect(
            result.lines() == ["hook.mustache:2:13: unknown key 'titel'; did you mean 'title'?"])
        #expect(result.watchedPaths.contains("/c/hook.mustache"))
        files.files["/c/hook.mustache"] = Array("{\"text\": \"{{title}}\"}\r\n".utf8)
        guard case .webhook(let webhook)? = files.load().configuration?.receivers.first?.kind else {
            Issue.record("no webhook")
            return
        }
        #expect(webhook.body == "{\"text\": \"{{title}}\"}")
    }
}

/// Scalars of all styles, with one tag `{{zz}}`, as the value of a key that is indented by six spaces.
private enum ScalarText {
    private static let words = ["a", "bb", "é", "日本", "x{y}", "1", "e\u{301}", "🙂"]

    static func random(_ random: inout SeededGenerator) -> String {
        let anchor = ["", "", "&t ", "!!str ", "&t !!str "].randomElement(using: &random) ?? ""
        let text =
            switch Int.random(in: 0..<5, using: &random) {
            case 0: pieces(words + breaks, &random, quote: "")
            case 1: "'" + pieces(words + breaks + ["''", "\"", "\\"], &random, quote: "'") + "'"
            case 2:
                "\""
                    + pieces(
                        words + breaks + [
                            "\\\"", "\\\\", "\\n", "\\u00e9", "\\x41", "\\t", "'", "\\\n        ",
                            "\\\n\n        ", "\\ ",
                        ], &random, quote: "\"") + "\""
            case 3: block("|", &random)
            default: block(">", &random)
            }
        return anchor + text
    }

    private static let breaks = [
        " ", "  ", "\t", "\n        ", " \n       ", "\n\n        ", "\n   \n\n         ",
    ]

    private static func pieces(
        _ parts: [String], _ random: inout SeededGenerator, quote: String
    ) -> String {
        var pieces = (0..<Int.random(in: 0...8, using: &random)).map { _ in
            parts.randomElement(using: &random) ?? ""
        }
        pieces.insert("{{zz}}", at: Int.random(in: 0...pieces.count, using: &random))
        // A plain scalar begins and ends with a character that shows, and not with '{'.
        return quote.isEmpty ? "w" + pieces.joined() + "w" : pieces.joined()
    }

    private static func block(_ mark: String, _ random: inout SeededGenerator) -> String {
        let indent = Int.random(in: 7...9, using: &random)
        var lines = (0..<Int.random(in: 0...8, using: &random)).map { _ in
            let extra = [0, 0, 0, 1, 2].randomElement(using: &random) ?? 0
            let line = (0..<Int.random(in: 0...3, using: &random)).map { _ in
                words.randomElement(using: &random) ?? ""
            }
            return String(repeating: " ", count: extra)
                + line.joined(separator: [" ", "  ", "\t"].randomElement(using: &random) ?? "")
        }
        let tag = Bool.random(using: &random) ? "{{zz}}" : " a {{zz}} b "
        lines.insert(tag, at: Int.random(in: 0...lines.count, using: &random))
        let chomping = ["", "-", "+"].randomElement(using: &random) ?? ""
        let comment = Bool.random(using: &random) ? "  # a comment" : ""
        // With the indentation written out the first line may begin with spaces.
        let header = "\(mark)\(indent - 6)\(chomping)\(comment)"
        let body = lines.map { line in
            line.isEmpty ? "" : String(repeating: " ", count: indent) + line
        }
        return ([header] + body).joined(separator: "\n")
    }
}
