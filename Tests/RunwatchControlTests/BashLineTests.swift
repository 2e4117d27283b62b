import RunwatchControl
import Testing

@Suite struct BashLineTests {
    /// Bash's own (bash(1), COMP_WORDBREAKS).
    private static let breaks = " \t\n\"'@><=;|&(:"

    private func line(_ text: String) -> BashLine { BashLine(text, breaks: BashLineTests.breaks) }

    @Test(arguments: [
        ("runwatchctl ", [""]), ("runwatchctl show", ["show"]),
        ("runwatchctl  show\t", ["show", ""]), ("runwatchctl show w/a\\ b", ["show", "w/a b"]),
        ("runwatchctl show 'a \"b\" \\' c", ["show", "a \"b\" \\", "c"]),
        ("runwatchctl show \"a \\\"b\\\" \\x\" c", ["show", "a \"b\" \\x", "c"]),
        ("runwatchctl show '' \"", ["show", "", ""]),
        ("runwatchctl --socket=/a:b ", ["--socket=/a:b", ""]),
        ("X=1 Y='a b' runwatchctl show w", ["show", "w"]),
        ("runwatchctl show w/a\\", ["show", "w/a"]), ("runwatchctl show w\\\n/a", ["show", "w/a"]),
        ("runwatchctl show 2>/dev/null w", ["show", "w"]),
        ("runwatchctl show über/日本 ", ["show", "über/日本", ""]),
    ])
    func `words are taken apart as bash does`(_ text: String, _ words: [String]) {
        #expect(line(text).words == words)
        #expect(!line(text).isUnknown)
        #expect(!line(text).isRedirection)
    }

    @Test(arguments: [
        "runwatchctl show $x", "runwatchctl show \"$x", "runwatchctl show $(ls",
        "runwatchctl show `a",
        "runwatchctl show w; ls", "a | runwatchctl show w",
    ])
    func `nothing is put where only bash knows the word, or in another command`(_ text: String) {
        #expect(line(text).isUnknown)
        #expect(line(text).reply("w/1") == nil)
    }

    @Test func `an expansion in an earlier word does no harm`() {
        #expect(line("runwatchctl --socket $S show w").reply("w/1") == "w/1")
    }

    @Test(arguments: ["runwatchctl list >a", "runwatchctl list 2> ", "runwatchctl list <"])
    func `where output goes is a file`(_ text: String) {
        #expect(line(text).isRedirection)
    }

    @Test(arguments: [
        // What is typed, the candidate, and what bash is to put in the place of the last part.
        ("w/", "w/a b", "w/a\\ b"), ("w/$", "w/$(x)", nil), ("w/\\$", "w/$(x)", "w/\\$\\(x\\)"),
        ("w/r:", "w/r:1:2", "1:2"), ("w/r:1:", "w/r:1:2", "2"), ("w/r\\:", "w/r:1", "w/r:1"),
        ("--service=w", "--service=warehouse", "warehouse"), ("w/a=", "w/a=b c", "b\\ c"),
        ("'w/a", "w/a b", "w/a b"), ("'w/a:b", "w/a:b'c", "w/a:b'\\''c"),
        ("\"w/", "w/$`\"\\", "w/\\$\\`\\\"\\\\"),
        ("\"w/", "w/a!b", "w/a\"\\!\"b"), ("w/'a", "w/a b", "a b"),
        ("'w/a b'", "w/a b;c", "w/a\\ b\\;c"),
        ("w/", "w/~#*?[]{}<>&|!^", "w/\\~\\#\\*\\?\\[\\]\\{\\}\\<\\>\\&\\|\\!\\^"),
        ("w/", "w/übé 日本", "w/übé\\ 日本"), ("w/r:", "w/other", nil), ("", "-", "-"),
    ])
    func `what is put into the line is quoted as the word begins`(
        _ typed: String, _ candidate: String, _ reply: String?
    ) {
        #expect(line("runwatchctl show \(typed)").reply(candidate) == reply)
    }
}
