import RunwatchConfig
import TestSupport
import Testing

@Suite struct RunIDTextTests {
    @Test(arguments: ["12", "a b", "a/b", "é", "😀", "#1", String(repeating: "x", count: 1024)])
    func `opaque texts are IDs`(_ id: String) {
        #expect(RunIDText.fault(id) == nil)
    }

    @Test(arguments: [
        ("", "is empty"), (" 1", "begins or ends with white space"),
        ("1\u{3000}", "begins or ends with white space"), ("1\t2", "holds a control character"),
        ("1\u{85}2", "holds a control character"), ("1\u{7F}", "holds a control character"),
        (String(repeating: "é", count: 513), "is longer than 1024 bytes"),
    ])
    func `texts that cannot be IDs are refused`(_ id: String, _ fault: String) {
        #expect(RunIDText.fault(id) == fault)
    }
}
