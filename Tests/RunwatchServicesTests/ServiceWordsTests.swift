import RunwatchCore
import Testing

@testable import RunwatchServices

@Suite struct ServiceWordsTests {
    let words = ServiceWords(hiding: [Secret("sesame-12345")])

    @Test(arguments: [
        ("", ""), ("plain text", "plain text"), ("é", "é"),
        ("two\nlines\r\n\tand more \n", "two lines and more"), ("\u{1B}[2Jx\u{7F}\u{9B}", "[2Jx"),
        ("\u{0}\u{1}", ""), ("a\u{202E}b\u{2066}c\u{FEFF}", "abc"), ("  \n", ""),
        ("it is sesame-12345!", "it is ***!"), ("sesame-12345", "***"),
        ("sesame-\u{0}12345", "***"), ("sesame-1234", "sesame-1234"),
    ])
    func `a text is cleaned`(_ text: String, _ expected: String) {
        #expect(words.clean(text, limit: 100) == expected)
    }

    @Test func `a text is cut between characters`() {
        #expect(words.clean("abcdef", limit: 6) == "abcdef")
        #expect(words.clean("abcdef", limit: 5) == "abcde")
        #expect(words.clean("aéé", limit: 4) == "aé")
        #expect(words.clean("\u{1F600}", limit: 3) == "")
        #expect(words.clean("x", limit: 0) == "")
    }

    @Test func `no part of a secret is left at a cut`() {
        for padding in [0, 90, 95, 100, 16_370, 16_380, 16_384, 16_390, 40_000] {
            let text = String(repeating: "x", count: padding) + "sesame-12345"
            #expect(!words.clean(text, limit: 100).contains("ses"))
            #expect(!words.clean(text, limit: 16_500).contains("ses"))
        }
        // Much redaction moves the end of what is looked at forward.
        let much = String(repeating: "sesame-12345", count: 4000)
        #expect(words.clean(much, limit: 5000).replacing("*", with: "") == "")
    }
}
