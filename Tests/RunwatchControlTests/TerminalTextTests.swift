import RunwatchControl
import Testing

@Suite struct TerminalTextTests {
    @Test(arguments: [
        ("plain ü 漢 🙂", "plain ü 漢 🙂"), ("a\nb\r\tc", #"a\nb\r\tc"#),
        ("\u{1B}[31mred\u{7}", #"\u{1b}[31mred\u{7}"#), ("\u{9B}2J", #"\u{9b}2J"#),
        ("abc\u{202E}def", #"abc\u{202e}def"#), ("a\u{2028}b", #"a\u{2028}b"#),
        ("\u{7F}", #"\u{7f}"#), ("", ""),
    ])
    func `nothing reaches the terminal that moves it`(text: String, escaped: String) {
        #expect(TerminalText.escape(text) == escaped)
    }

    @Test(arguments: [
        ("abc", 3), ("漢字", 4), ("e\u{301}", 1), ("", 0), ("ü", 1), ("🙂", 2), ("🚀", 2), ("⏰", 2),
        ("✅ ok", 5), ("→", 1), ("한글", 4), ("한\u{1175}", 2), ("❤️", 2), ("🙂️", 2), ("ﾊﾟ", 2), ("Ａ", 2),
        ("🌡", 1),
        ("𠀀", 2),
    ])
    func `width counts columns`(text: String, width: Int) {
        #expect(TerminalText.width(text) == width)
    }

    @Test func `what is too long is cut, and shows it`() {
        #expect(TerminalText.shortened("abcdef", to: 6) == "abcdef")
        #expect(TerminalText.shortened("abcdefg", to: 6) == "abcde…")
        #expect(TerminalText.shortened("漢字漢字", to: 5) == "漢字…")
        #expect(TerminalText.shortened("a❤️b", to: 3) == "a❤…")
    }
}
