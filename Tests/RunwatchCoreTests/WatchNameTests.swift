import RunwatchCore
import Testing

@Suite struct WatchNameTests {
    @Test(arguments: [
        ("warehouse/12", "warehouse", "12"), ("k/a/b", "k", "a/b"), ("k//", "k", "/"),
        ("k/ x ", "k", " x "), ("é/ü", "é", "ü"), ("k/\u{301}x", "k", "\u{301}x"),
    ])
    func `a name is split at its first slash`(_ text: String, _ service: String, _ run: String) {
        let name = WatchName(text)
        #expect(name == WatchName(service: service, run: run))
        #expect(name?.description == text)
    }

    @Test(arguments: ["", "/", "k", "k/", "/12"])
    func `a name without either part is refused`(_ text: String) {
        #expect(WatchName(text) == nil)
    }

    @Test func `IDs that look alike are different runs`() {
        let composed = WatchName(service: "k", run: "\u{E9}")
        let decomposed = WatchName(service: "k", run: "e\u{301}")
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed, composed]).count == 2)
    }

    @Test func `names are sorted by service, then by run`() {
        let names = ["b/1", "a/2", "a/10", "a-b/0"].compactMap { WatchName($0) }
        #expect(names.sorted().map(\.description) == ["a/10", "a/2", "a-b/0", "b/1"])
    }
}
