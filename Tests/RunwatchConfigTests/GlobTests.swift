import RunwatchConfig
import TestSupport
import Testing

@Suite struct GlobTests {
    @Test(arguments: [
        ("*.yaml", "a.yaml"), ("*", "a"), ("a*b*c", "aXbXbc"), ("?.yaml", "é.yaml"),
        ("[a-c]1", "b1"), ("[!a-c]1", "d1"), ("[^a]", "b"), ("[]x]", "]"), ("[a", "[a"),
        ("\\*", "*"), (".*", ".a"), ("a**b", "ab"), ("[a-]", "-"), ("*.yaml", "x.yaml.yaml"),
    ])
    func `a pattern matches`(_ pattern: String, _ name: String) {
        #expect(Glob(pattern).matches(name))
    }

    @Test(arguments: [
        ("*.yaml", "a.yml"), ("*.yaml", ".a.yaml"), ("?a", ".a"), ("[.]a", ".a"), ("a?", "a"),
        ("[a-c]", "d"), ("[!a-c]", "b"), ("[c-a]", "b"), ("*.yaml", "a.yaml~"), ("", "a"),
        ("\\*", "a"), ("a*", "b"),
    ])
    func `a pattern does not match`(_ pattern: String, _ name: String) {
        #expect(!Glob(pattern).matches(name))
    }

    @Test func `a pattern of many stars ends soon`() {
        let pattern = String(repeating: "*a", count: 100) + "b"
        #expect(!Glob(pattern).matches(String(repeating: "a", count: 255)))
    }

    @Test func `only patterns are patterns`() {
        #expect(Glob.isPattern("*.yaml") && Glob.isPattern("a?") && Glob.isPattern("[ab]"))
        #expect(!Glob.isPattern("watches.yaml"))
    }
}
