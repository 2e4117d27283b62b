import RunwatchCore
import RunwatchDelivery
import RunwatchHTTP
import RunwatchStore
import TestSupport
import Testing

@Suite struct EmailMessageTests {
    @Test func `a mail, line by line`() async throws {
        let event = MessageSamples.run(message: "a = b, schön & gut")
        let bytes = try await MailSamples.bytes(MessageSamples.delivery(event))
        let lines = String(decoding: bytes, as: UTF8.self).split(
            separator: "\r\n", omittingEmptySubsequences: false)
        #expect(
            lines == [
                "Date: Sun, 22 Nov 2026 08:30:01 +0000",
                "From: Run Watch <runwatch@example.com>",
                "To: ops@example.com",
                "Subject: warehouse/12 complete",
                "Message-ID: <msg_01@example.com>",
                "In-Reply-To: <de2d7e0bac47daa8f69e05a1.runwatch@example.com>",
                "References: <de2d7e0bac47daa8f69e05a1.runwatch@example.com>",
                "Auto-Submitted: auto-generated",
                "X-Auto-Response-Suppress: OOF, AutoReply",
                "X-Runwatch-Event: run.complete",
                "X-Runwatch-Watch: warehouse/12",
                "MIME-Version: 1.0",
                #"Content-Type: multipart/alternative; boundary="=_msg_01""#,
                "",
                "--=_msg_01",
                "Content-Type: text/plain; charset=utf-8",
                "Content-Transfer-Encoding: quoted-printable",
                "",
                "warehouse/12 complete",
                "",
                "state: running =E2=86=92 complete",
                "label: nightly-udf",
                "group: nightly",
                "watched for: 20m",
                "progress: 4/4",
                "",
                "a =3D b, sch=C3=B6n & gut",
                "",
                "--=_msg_01",
                "Content-Type: text/html; charset=utf-8",
                "Content-Transfer-Encoding: quoted-printable",
                "",
                "<!DOCTYPE html>",
                #"<html lang=3D"en">"#,
                "<head>",
                #"<meta http-equiv=3D"Content-Type" content=3D"text/html; charset=3Dutf-8">"#,
                #"<meta name=3D"color-scheme" content=3D"light dark">"#,
                "<title>warehouse/12 complete</title>",
                "</head>",
                #"<body style=3D"margin:0;padding:12px;font:14px/1.4 sans-serif">"#,
                #"<div style=3D"border-left:4px solid #2e9e4f;padding:2px 0 2px 12px;overflow="#,
                #"-wrap:anywhere;word-break:break-word">"#,
                #"<p dir=3D"auto" style=3D"margin:0 0 8px;font-size:16px;font-weight:bold">wa="#,
                "rehouse/12 complete</p>",
                #"<table cellspacing=3D"0" cellpadding=3D"3">"#,
                #"<tr valign=3D"top"><td nowrap style=3D"color:#767676">state</td><td dir=3D"="#,
                #"auto">running =E2=86=92 complete</td></tr>"#,
                #"<tr valign=3D"top"><td nowrap style=3D"color:#767676">label</td><td dir=3D"="#,
                #"auto">nightly-udf</td></tr>"#,
                #"<tr valign=3D"top"><td nowrap style=3D"color:#767676">group</td><td dir=3D"="#,
                #"auto">nightly</td></tr>"#,
                #"<tr valign=3D"top"><td nowrap style=3D"color:#767676">watched for</td><td d="#,
                #"ir=3D"auto">20m</td></tr>"#,
                #"<tr valign=3D"top"><td nowrap style=3D"color:#767676">progress</td><td dir="#,
                #"=3D"auto">4/4</td></tr>"#,
                "</table>",
                #"<p dir=3D"auto" style=3D"margin:8px 0 0">a =3D b, sch=C3=B6n &amp; gut</p>"#,
                "</div>",
                "</body>",
                "</html>",
                "",
                "--=_msg_01--",
                "",
            ])
    }

    @Test(arguments: [
        (Int64(0), "Thu, 01 Jan 1970 00:00:00 +0000"),
        (-1, "Wed, 31 Dec 1969 23:59:59 +0000"),
        (951_782_399_999, "Mon, 28 Feb 2000 23:59:59 +0000"),
        (951_782_400_000, "Tue, 29 Feb 2000 00:00:00 +0000"),
        (1_795_336_200_123, "Sun, 22 Nov 2026 08:30:00 +0000"),
        (253_402_300_799_999, "Fri, 31 Dec 9999 23:59:59 +0000"),
        (Int64.max, "Fri, 31 Dec 9999 23:59:59 +0000"),
    ])
    func `the date is the event's`(milliseconds: Int64, text: String) async throws {
        var event = MessageSamples.run()
        event.timestamp = Timestamp(milliseconds: milliseconds)
        #expect(try await MailSamples.mail(event)["Date"] == text)
    }

    @Test func `the date of a digest is its last event's`() async throws {
        let events = MessageSamples.many(3)
        let mail = try ParsedMail(await MailSamples.bytes(MessageSamples.digest(events)))
        #expect(mail["Date"] == "Sun, 22 Nov 2026 08:30:03 +0000")
    }

    @Test(arguments: [
        (EmailAddress(address: "a.b+c@example.com"), "a.b+c@example.com"),
        (EmailAddress(name: "Night Shift", address: "n@e.org"), "Night Shift <n@e.org>"),
        (EmailAddress(name: "Ops, the best.", address: "o@e.org"), #""Ops, the best." <o@e.org>"#),
        (
            EmailAddress(name: #"The "\" <x@y>"#, address: "o@e.org"),
            #""The \"\\\" <x@y>" <o@e.org>"#
        ),
        (
            EmailAddress(name: "two  spaces", address: "o@e.org"),
            "=?UTF-8?Q?two__spaces?= <o@e.org>"
        ),
        (EmailAddress(name: "Jörg", address: "o@e.org"), "=?UTF-8?B?SsO2cmc=?= <o@e.org>"),
        (
            EmailAddress(name: "Jörg vom Dienst", address: "o@e.org"),
            "=?UTF-8?Q?J=C3=B6rg_vom_Dienst?= <o@e.org>"
        ),
        (EmailAddress(name: "=?x?=", address: "o@e.org"), "=?UTF-8?B?PT94Pz0=?= <o@e.org>"),
        (EmailAddress(name: "夜勤", address: "o@e.org"), "=?UTF-8?B?5aSc5Yuk?= <o@e.org>"),
        (EmailAddress(name: "a\r\nb", address: "o@e.org"), #""a\\r\\nb" <o@e.org>"#),
    ])
    func `names are written so that every program reads them`(
        address: EmailAddress, raw: String
    ) async throws {
        let settings = MailSamples.settings(
            from: address, to: [address, EmailAddress(address: "p@e.org"), address])
        let mail = try await MailSamples.mail(MessageSamples.run(), settings)
        #expect(mail.fields.first { $0.name == "From" }?.raw == raw)
        #expect(mail.fields.first { $0.name == "To" }?.raw == "\(raw), p@e.org, \(raw)")
        #expect(mail.longestLine <= 76)
    }

    @Test(arguments: ["n", "é", "語", "\"", "n ", "👩‍👩‍👧‍👦"])
    func `a long name stands on many lines`(_ word: String) async throws {
        let name = "x" + String(repeating: word, count: 100) + "x"
        let settings = MailSamples.settings(from: EmailAddress(name: name, address: "o@e.org"))
        let mail = try await MailSamples.mail(MessageSamples.run(), settings)
        #expect(mail["From"] == "\(name) <o@e.org>")
        #expect(mail.longestLine <= 76)
    }

    @Test func `a hundred recipients stand on many lines`() async throws {
        let to = (0..<100).map {
            EmailAddress(name: "Number \($0)", address: "number-\($0)@example.com")
        }
        let mail = try await MailSamples.mail(
            MessageSamples.run(), MailSamples.settings(to: to))
        let expected = (0..<100).map { "Number \($0) <number-\($0)@example.com>" }
        #expect(mail["To"] == expected.joined(separator: ", "))
        #expect(mail.longestLine <= 76)
    }

    @Test func `an address that is none cannot break the header`() async throws {
        let evil = EmailAddress(address: "a@b\r\nBcc: c@d, <e@f>\u{0}é")
        let mail = try await MailSamples.mail(
            MessageSamples.run(), MailSamples.settings(from: evil, to: [evil]))
        #expect(mail["From"] == "a@bBcc:c@de@f" && mail["To"] == mail["From"])
        #expect(mail["Bcc"] == nil)
        #expect(mail["Message-ID"] == "<msg_01@runwatch.invalid>")
    }

    @Test func `the mails of one run meet in a thread, whatever they tell`() async throws {
        func root(_ event: RecordedEvent) async throws -> String {
            let mail = try await MailSamples.mail(event)
            #expect(mail["References"] == mail["In-Reply-To"])
            #expect(mail["Message-ID"] != mail["References"])
            return try #require(mail["References"])
        }
        let run = try await root(MessageSamples.run())
        #expect(try await root(MessageSamples.run(.error, number: 7)) == run)
        #expect(try await root(MessageSamples.run(.running, stalled: true)) == run)
        #expect(try await root(MessageSamples.run(.complete, "warehouse/13")) != run)
        let down = try await root(MessageSamples.service(.serviceDown))
        #expect(try await root(MessageSamples.service(.serviceUp)) == down)
        var group = MessageSamples.group([.complete: 1], failed: [])
        group.subject = "warehouse"
        #expect(try await root(group) != down)
        let single = MessageSamples.digest([MessageSamples.run()])
        #expect(try ParsedMail(await MailSamples.bytes(single))["References"] == run)
    }

    @Test func `a digest of several is in no thread, and names no watch`() async throws {
        let digest = MessageSamples.digest(MessageSamples.many(3))
        let mail = try ParsedMail(await MailSamples.bytes(digest))
        #expect(mail["References"] == nil && mail["In-Reply-To"] == nil)
        #expect(mail["X-Runwatch-Watch"] == nil && mail["X-Runwatch-Event"] == "digest")
        #expect(mail["Message-ID"] == "<msg_digest@example.com>")
        #expect(mail.subject == "3 events: 3 complete")
    }

    @Test func `only runs are named as a watch`() async throws {
        for event in MessageSamples.all {
            let mail = try await MailSamples.mail(event)
            #expect(mail["X-Runwatch-Event"] == event.type.name)
            let isOfRun = event.type.name.hasPrefix("run.")
            guard isOfRun else {
                #expect(mail["X-Runwatch-Watch"] == nil)
                continue
            }
            let watch = try #require(mail["X-Runwatch-Watch"])
            #expect(event.subject.hasPrefix("warehouse/1") == (watch == event.subject))
            #expect(watch.utf8.count <= 250 && !watch.contains("\n"))
        }
    }

    @Test func `a retry sends the same bytes`() async {
        let settings = MailSamples.settings(subject: "{{title}}", text: "{{id}} {{timestamp}}")
        let samples = MessageSamples.all.map(MessageSamples.delivery)
        for delivery in samples + [MessageSamples.digest(MessageSamples.many(30))] {
            for settings in [MailSamples.settings(), settings] {
                let end = MailEnd()
                var again = delivery
                again.attempts = 7
                _ = await MailSamples.attempt(settings, delivery, end)
                _ = await MailSamples.attempt(
                    settings, again, end, at: Timestamp(milliseconds: 1_800_000_000_000))
                #expect(end.seen.count == 2 && end.seen[0].message == end.seen[1].message)
            }
        }
    }
}
