import Testing

@testable import RunwatchDelivery

@Suite struct ChatMarkupTests {
    @Test(arguments: [
        ("a & b <c> &lt;", "a &amp; b &lt;c&gt; &amp;lt;"), ("<!channel>", "&lt;!channel&gt;"),
        ("<\u{338}", "&lt;\u{338}"), ("plain *b* 日本", "plain *b* 日本"), ("", ""),
    ])
    func `mrkdwn`(text: String, escaped: String) {
        #expect(
            ChatMarkup.mrkdwn.escaped(text).unicodeScalars.elementsEqual(escaped.unicodeScalars))
    }

    @Test(arguments: [
        ("nightly_udf_2", "nightly_udf_2"), ("_a_ __b__", #"\_a\_ \_\_b\_\_"#),
        ("a__b", #"a\_\_b"#), (#"C:\temp"#, #"C:\\temp"#), ("*b* ~~s~~", #"\*b\* \~\~s\~\~"#),
        ("`c` ||x||", #"\`c\` \|\|x\|\|"#), ("[t](http://e)", #"\[t\](http://e)"#),
        ("<@1> <t:0>", #"\<@1> \<t:0>"#), ("# h\n  - l", "\\# h\n  \\- l"),
        ("a - b # c", "a - b # c"),
        ("> q\r\n>>> q", "\\> q\r\n\\>>> q"), ("1. a", #"1\. a"#), ("12) a 1.5", #"12\) a 1.5"#),
        ("2026-11-22", "2026-11-22"), ("4/4", "4/4"), ("*\u{301}", "\\*\u{301}"),
    ])
    func `Discord's Markdown`(text: String, escaped: String) {
        #expect(ChatMarkup.discord.escaped(text) == escaped)
    }

    @Test(arguments: [ChatMarkup.none, .mrkdwn, .discord, .card], [TextUnit.bytes, .codeUnits])
    func `a text is cut between characters and escapes, never above the limit`(
        markup: ChatMarkup, unit: TextUnit
    ) {
        let text = MessageSamples.hostile + MessageSamples.hostile + MessageSamples.endless
        let whole = Array(markup.escaped(text).utf8)
        // Where a character ends; Markdown's escapes depend on what follows.
        var ends: Set<Int>?
        if markup == .none || markup == .mrkdwn {
            var end = 0
            ends = [0]
            for character in text {
                end += markup.escaped(String(character)).utf8.count
                ends?.insert(end)
            }
        }
        var last = 0
        for limit in 3...400 {
            let cut = markup.fitted(text, to: limit, in: unit)
            #expect(unit.size(of: cut) <= limit)
            #expect(cut.hasSuffix("…"))
            let kept = Array(cut.utf8.dropLast("…".utf8.count))
            #expect(whole.starts(with: kept))
            #expect(ends?.contains(kept.count) != false)
            #expect(kept.count >= last)
            last = kept.count
            // No backslash without what it escapes.
            let backslashes = kept.reversed().prefix { $0 == UInt8(ascii: "\\") }.count
            #expect(ends != nil || backslashes.isMultiple(of: 2))
        }
        #expect(last > 300)
    }

    @Test func `what fits is not touched`() {
        let text = "👩‍👩‍👧‍👦 <ok>"
        for markup in [ChatMarkup.none, .mrkdwn, .discord, .card] {
            let whole = markup.escaped(text)
            let size = TextUnit.bytes.size(of: whole)
            #expect(markup.fitted(text, to: size, in: .bytes) == whole)
            #expect(markup.fitted(text, to: size - 1, in: .bytes).hasSuffix("…"))
        }
    }

    @Test func `lines that do not fit are counted`() {
        let lines = (1...100).map { "line \($0) <" }
        let all = ChatMarkup.mrkdwn.fitted(
            lines, to: 10_000, line: 100, in: .bytes, things: "events")
        #expect(all == lines.map { ChatMarkup.mrkdwn.escaped($0) })
        for limit in [40, 41, 50, 200, 500, 1200] {
            let some = ChatMarkup.mrkdwn.fitted(
                lines, to: limit, line: 30, in: .bytes, things: "events")
            #expect(some.joined(separator: "\n").utf8.count <= limit)
            let kept = some.count - 1
            #expect(some.last == "… and \(100 - kept) more events")
            #expect(some.dropLast().elementsEqual(all.prefix(kept)))
        }
        // The last line of all fits just so.
        let size = all.reduce(0) { $0 + $1.utf8.count + 1 }
        #expect(
            ChatMarkup.mrkdwn.fitted(lines, to: size, line: 30, in: .bytes, things: "events")
                == all)
        #expect(
            ChatMarkup.mrkdwn.fitted(lines, to: size - 1, line: 30, in: .bytes, things: "events")
                .last == "… and 2 more events")
    }

    @Test func `a long line among others is cut by itself`() {
        let lines = [String(repeating: "é", count: 500), "b"]
        let fitted = ChatMarkup.none.fitted(lines, to: 300, line: 50, in: .bytes, things: "events")
        #expect(fitted.count == 2 && fitted[0].utf8.count <= 50 && fitted[1] == "b")
    }
}
