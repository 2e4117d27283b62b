import RunwatchControl
import TestSupport
import Testing

/// The manual pages and the completion scripts say what the programs do, and nothing else.
@Suite struct ManualPageTests {
    private static func output(_ program: String, _ arguments: String...) async -> String {
        let folder = TemporaryFolder()
        let running = RunningProgram(program, arguments, in: folder.path)
        _ = await eventually { !running.isRunning }
        return running.output
    }

    // MARK: runwatchctl(1)

    private static func outline() async throws -> CommandOutline {
        let text = await output("runwatchctl", "--experimental-dump-help")
        return try #require(CommandOutline(dumpedHelp: text))
    }

    /// The options of each verb's own list, by verb.
    private static func verbs(_ page: ManualPage) -> [String: Set<String>] {
        var verbs: [String: Set<String>] = [:]
        var verb = ""
        for line in page.section("VERBS") {
            guard let item = line.item else { continue }
            if line.depth == 1 {
                verb = item.count > 1 && item[0] == "Cm" ? item[1] : ""
                verbs[verb, default: []].formUnion([])
            } else {
                verbs[verb, default: []].formUnion(ManualPage.options(item))
            }
        }
        return verbs
    }

    @Test func `runwatchctl(1) has every verb and option of the program and no other`() async throws
    {
        let outline = try await ManualPageTests.outline()
        let page = try ManualPage("runwatchctl.1")
        let common = Set(outline.commonOptions.flatMap(\.names))
        #expect(common == ["--json", "--socket", "--version", "-h", "--help"])
        var expected: [String: Set<String>] = [:]
        for verb in outline.verbs {
            expected[verb.name] = Set(verb.options.flatMap(\.names)).subtracting(common)
        }
        let documented = ManualPageTests.verbs(page)
        #expect(Set(documented.keys) == Set(expected.keys))
        for (verb, options) in expected { #expect(documented[verb] == options, "\(verb)") }
        let everywhere = page.section("OPTIONS").compactMap(\.item).flatMap(ManualPage.options)
        #expect(Set(everywhere) == common)
    }

    @Test func `the synopsis of each verb has its options and its operands`() async throws {
        let page = try ManualPage("runwatchctl.1")
        for verb in try await ManualPageTests.outline().verbs where verb.name != "help" {
            let heads = page.section("VERBS").filter { $0.depth == 1 }.compactMap(\.item)
                .filter { $0.dropFirst().first == verb.name }
            let words = heads.flatMap(\.self)
            let documented = ManualPageTests.verbs(page)[verb.name] ?? []
            for option in documented {
                // `Fl f | -follow`: the second name stands without a macro of its own.
                #expect(words.contains(String(option.dropFirst())), "\(verb.name) \(option)")
            }
            #expect(verb.operands.isEmpty || words.contains("Ar"), "\(verb.name)")
            let isRepeating = verb.operands.contains(where: \.isRepeating)
            #expect(words.contains("...") == isRepeating, "\(verb.name)")
        }
    }

    @Test func `runwatchctl(1) has every exit code and no other`() throws {
        let page = try ManualPage("runwatchctl.1")
        let codes = page.section("EXIT STATUS").compactMap(\.item).flatMap {
            $0.compactMap { Int32($0) }
        }
        #expect(codes == ExitStatus.allCases.map(\.rawValue))
    }

    // MARK: runwatchd(8)

    /// The indented entries of a part of the daemon's help: the words before their explanations.
    private static func entries(_ help: String, _ part: String) -> [String] {
        let lines = help.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.drop { $0 != "\(part):" }.dropFirst().prefix { !$0.isEmpty }
            .filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
            .flatMap { $0.split(separator: " ").map { String($0.filter { $0 != "," }) } }
    }

    private static func daemonOptions() async -> Set<String> {
        let words = entries(await output("runwatchd", "--help"), "OPTIONS")
        return Set(words.filter { $0.hasPrefix("-") })
    }

    @Test func `runwatchd(8) has every option and exit code of the program`() async throws {
        let page = try ManualPage("runwatchd.8")
        let options = page.section("DESCRIPTION").compactMap(\.item).flatMap(ManualPage.options)
        #expect(Set(options) == (await ManualPageTests.daemonOptions()))
        let codes = page.section("EXIT STATUS").compactMap(\.item).flatMap {
            $0.compactMap { Int32($0) }
        }
        let help = await ManualPageTests.output("runwatchd", "--help")
        let known = ManualPageTests.entries(help, "EXIT CODES").compactMap { Int32($0) }
        #expect(known.count == 8)
        #expect(codes == known)
    }

    @Test(arguments: ["bash/runwatchd", "zsh/_runwatchd", "fish/runwatchd.fish"])
    func `the daemon's completions have its options`(_ script: String) async throws {
        let text = try ProjectFile.read("packaging/completions/\(script)")
        let words = Set(text.split { !$0.isLetter && $0 != "-" }.map(String.init))
        for option in await ManualPageTests.daemonOptions() where option.hasPrefix("--") {
            let name = script.hasSuffix("fish") ? String(option.dropFirst(2)) : option
            #expect(words.contains(name), "\(script) has no \(option)")
        }
    }
}
