import Foundation
import RunwatchCore
import RunwatchDelivery
import RunwatchStore
import TestSupport
import Testing

/// What the two parts of a mail say, and how it gets through.
@Suite struct EmailTextTests {
    static let names = [
        "Date", "From", "To", "Subject", "Message-ID", "In-Reply-To", "References",
        "Auto-Submitted", "X-Auto-Response-Suppress", "X-Runwatch-Event", "X-Runwatch-Watch",
        "MIME-Version", "Content-Type",
    ]

    /// The HTML part by scalars, as programs read it: its elements, and the text between them.
    private func read(_ html: String) throws -> (elements: [String], text: String) {
        var elements: [String] = []
        var text = String.UnicodeScalarView()
        var rest = html.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "<" else {
                text.append(scalar)
                continue
            }
            guard let end = rest.firstIndex(of: ">") else { throw MailFault("a stray '<'") }
            elements.append(String(rest[..<end]))
            rest = rest[end...].dropFirst()
            text.append(" ")
        }
        var shown = String(text)
        for (entity, mark) in [
            ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&"),
        ] {
            shown = shown.replacingOccurrences(of: entity, with: mark, options: .literal)
        }
        return (elements, shown)
    }

    private func shows(_ mail: ParsedMail, _ text: String) throws -> Bool {
        let shown = try read(mail.html.text).text
        return Array(shown.utf8).firstRange(of: Array(text.utf8)) != nil
    }

    private func expectHarmless(_ html: String) throws {
        let known = [
            "!DOCTYPE html", "html", "/html", "head", "/head", "meta", "title", "/title", "body",
            "/body", "div", "/div", "p", "/p", "table", "/table", "tr", "/tr", "td", "/td", "b",
            "/b", "pre", "/pre",
        ]
        for element in try read(html).elements {
            let name = element.prefix { $0 != " " }
            #expect(known.contains(String(name)) || known.contains(element), "\(element)")
            for word in ["src", "href", "url(", "http:", "https:", "class", "onload"] {
                #expect(!element.contains(word))
            }
        }
    }

    @Test(arguments: MessageSamples.all.indices)
    func `both parts say what is to be said`(_ index: Int) async throws {
        let event = MessageSamples.all[index]
        let mail = try await MailSamples.mail(event)
        #expect(mail.parts.count == 2)
        #expect(
            mail.parts.map { $0.fields.first?.raw ?? "" } == [
                "text/plain; charset=utf-8", "text/html; charset=utf-8",
            ])
        for line in mail.text.lines where !line.isEmpty {
            // A field is two cells in the HTML.
            let cells = line.replacing(": ", with: "  ", maxReplacements: 1)
            let isShown = try shows(mail, line) || shows(mail, cells)
            #expect(isShown, "\(line)")
        }
        #expect(mail.longestLine <= 76)
        try expectHarmless(mail.html.text)
    }

    @Test(arguments: 0..<40)
    func `no text breaks out of its place`(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let (label, message) = (
            MailSamples.hostile(using: &random), MailSamples.hostile(using: &random)
        )
        let name = "warehouse/" + MailSamples.hostile(using: &random)
        let event = MessageSamples.run(.error, name, label: label, message: message)
        let settings = MailSamples.settings(
            to: [EmailAddress(name: label, address: "ops@example.com")],
            subject: seed.isMultiple(of: 2) ? "{{{name}}} {{data.message}}" : nil,
            text: seed.isMultiple(of: 3) ? "{{{data.message}}}\n{{data.label}}" : nil)
        let mail = try await MailSamples.mail(event, settings)
        #expect(mail.fields.map(\.name) == Self.names)
        #expect(mail.parts.count == 2 && mail.parts.allSatisfy { $0.fields.count == 2 })
        #expect(mail.longestLine <= 76)
        let texts = mail.fields.map(\.text) + mail.text.lines + mail.html.lines
        #expect(
            texts.allSatisfy { text in
                text.unicodeScalars.allSatisfy {
                    $0.properties.generalCategory != .control || $0 == "\t"
                }
            })
        #expect(!mail.subject.contains("\u{202E}") && mail.subject.utf8.count <= 250)
        try expectHarmless(mail.html.text)
    }

    @Test func `a text in another script is shorter in base64`() async throws {
        for (count, encodings) in [
            (0, ["quoted-printable", "quoted-printable"]), (1, ["base64", "quoted-printable"]),
            (100, ["base64", "base64"]),
        ] {
            let words = count == 0 ? "plain" : String(repeating: "夜間の実行は失敗。", count: count)
            let mail = try await MailSamples.mail(MessageSamples.run(.error, message: words))
            #expect(mail.parts.map(\.encoding) == encodings)
            #expect(mail.text.lines.last == words)
            #expect(try shows(mail, words))
        }
    }

    @Test(arguments: [
        ("a", "a"), ("", ""), (" a ", "a"), ("a\r\nBcc: b@c", "a Bcc: b@c"), ("a\n\n\tb", "a b"),
        ("a\u{202E}b", "a\\u{202e}b"), ("=?UTF-8?Q?x?=", "=?UTF-8?Q?x?="), ("é", "é"),
        ("x\u{0}y", "x y"), ("a\u{2028}b\u{85}c", "a b c"), ("👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦"),
    ])
    func `a subject from a template is one line`(_ template: String, _ subject: String) async throws
    {
        let mail = try await MailSamples.mail(
            MessageSamples.run(message: template),
            MailSamples.settings(subject: "{{data.message}}"))
        #expect(mail.subject == (subject.isEmpty ? "warehouse/12 complete" : subject))
        #expect(mail.fields.map(\.name) == Self.names)
    }

    @Test(arguments: [60, 300, 5000])
    func `a long subject is cut, and comes back whole from many lines`(_ count: Int) async throws {
        for word in ["w", "word ", "é", "語", "e\u{301}\u{302}", "👩‍👩‍👧‍👦", "=", "a  "] {
            let text = String(repeating: word, count: count)
            let settings = MailSamples.settings(subject: "x{{data.message}}x")
            let mail = try await MailSamples.mail(MessageSamples.run(message: text), settings)
            let words = text.split(separator: " ").joined(separator: " ")
            let whole = text.contains(" ") ? "x\(words) x" : "x\(text)x"
            if whole.utf8.count <= 250 {
                #expect(mail.subject == whole)
            } else {
                #expect(mail.subject.hasSuffix("…"))
                #expect(whole.utf8.starts(with: mail.subject.utf8.dropLast(3)))
                #expect((200...250).contains(mail.subject.utf8.count))
            }
            #expect(mail.longestLine <= 76)
        }
    }

    @Test func `a template's text stays as it was written`() async throws {
        let text = [
            "  indented\tand tabbed ", "trailing space ", "", ".", "..", "--=_msg_01", "=3D",
            "From me",
            String(repeating: "long ", count: 400), "<b>&amp;</b>", "éclair 夜",
        ]
        let settings = MailSamples.settings(text: text.joined(separator: "\n"))
        let mail = try await MailSamples.mail(MessageSamples.run(), settings)
        #expect(mail.text.lines == text)
        let pre = try #require(mail.html.text.firstRange(of: "white-space:pre-wrap\">\n"))
        let end = try #require(mail.html.text.firstRange(of: "\n</pre>"))
        #expect(
            mail.html.text[pre.upperBound..<end.lowerBound].description
                == text.joined(separator: "\n").replacing("&", with: "&amp;")
                .replacing("<", with: "&lt;").replacing(">", with: "&gt;"))
        #expect(!mail.html.text.contains("<table"))
    }

    @Test func `line ends of every kind are line ends`() async throws {
        let settings = MailSamples.settings(text: "a\r\nb\rc\nd\u{0}\u{85}e\n\u{301}f\n")
        let mail = try await MailSamples.mail(MessageSamples.run(), settings)
        #expect(mail.text.lines == ["a", "b", "c", "d\\u{0}\\u{85}e", "\u{301}f"])
    }

    @Test func `an empty text is an empty mail`() async throws {
        let settings = MailSamples.settings(text: "{{data.nothing}}")
        #expect(try await MailSamples.mail(MessageSamples.run(), settings).text.lines == [])
    }

    @Test func `a digest has a line an event, with its time`() async throws {
        let digest = MessageSamples.digest([
            MessageSamples.run(.error, number: 1, message: "<b>no</b>"),
            MessageSamples.service(.serviceDown, number: 2),
        ])
        let mail = try ParsedMail(await MailSamples.bytes(digest))
        #expect(
            mail.text.lines == [
                "2 events: 1 error, 1 service down", "",
                "2026-11-22 08:30:01Z  warehouse/12 error "
                    + "(nightly-udf, group nightly, 4/4, 41 polls): <b>no</b>",
                "2026-11-22 08:30:02Z  service warehouse down "
                    + "(timeout, since 2026-11-22T08:30:00.123Z): no answer in 30s",
            ])
        #expect(
            mail.html.lines.contains(
                ##"<tr valign="top"><td nowrap style="border-left:4px solid #d1242f">"##
                    + #"2026-11-22 08:30:01Z</td><td dir="auto"><b>warehouse/12 error</b> "#
                    + "(nightly-udf, group nightly, 4/4, 41 polls): &lt;b&gt;no&lt;/b&gt;"
                    + "</td></tr>"))
    }

    @Test(arguments: ["", "<", "夜"])
    func `a digest of a thousand is complete and of a size that servers take`(
        _ message: String
    ) async throws {
        let events = MessageSamples.many(1000, message: String(repeating: message, count: 500))
        let bytes = try await MailSamples.bytes(MessageSamples.digest(events))
        let mail = try ParsedMail(bytes)
        #expect(mail.subject == "1000 events: 800 complete, 200 error")
        #expect(mail.text.lines.count == 1002)
        #expect(mail.html.lines.count { $0.hasPrefix("<tr") } == 1000)
        #expect(bytes.count < 3 << 20)
        #expect(mail.longestLine <= 76)
    }

    @Test func `an event of any size makes a mail of a bounded one`() async throws {
        let long = String(repeating: "<&>", count: 500_000)
        let event = MessageSamples.run(.error, "warehouse/\(long)", label: long, message: long)
        let bytes = try await MailSamples.bytes(MessageSamples.delivery(event))
        let mail = try ParsedMail(bytes)
        #expect(bytes.count < 512 << 10)
        #expect(mail.text.text.utf8.count < 64 << 10)
    }

    @Test func `a text that its escapes make too long is cut`() async throws {
        let line = String(repeating: "\u{0}", count: 10_000)
        let settings = MailSamples.settings(text: "{{#events}}{{data.message}}\n{{/events}}")
        let digest = MessageSamples.digest(MessageSamples.many(25, message: line))
        let mail = try ParsedMail(await MailSamples.bytes(digest, settings))
        #expect(mail.text.lines.last == "…" && mail.text.lines.count == 21)
        #expect(mail.text.text.utf8.count < 1 << 20)
    }
}
