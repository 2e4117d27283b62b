import RunwatchControl
import RunwatchCore
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

    @Test(arguments: [("abc", 3), ("漢字", 4), ("e\u{301}", 1), ("", 0), ("ü", 1), ("🙂", 2)])
    func `width counts columns`(text: String, width: Int) {
        #expect(TerminalText.width(text) == width)
    }

    @Test func `what is too long is cut, and shows it`() {
        #expect(TerminalText.shortened("abcdef", to: 6) == "abcdef")
        #expect(TerminalText.shortened("abcdefg", to: 6) == "abcde…")
        #expect(TerminalText.shortened("漢字漢字", to: 5) == "漢字…")
    }
}

@Suite struct TextStyleTests {
    @Test func `colours are for terminals, and for who wants them`() {
        #expect(TextStyle(isTerminal: true, environment: [:]).isColoured)
        #expect(!TextStyle(isTerminal: false, environment: [:]).isColoured)
        #expect(!TextStyle(isTerminal: true, environment: ["NO_COLOR": "1"]).isColoured)
        #expect(TextStyle(isTerminal: true, environment: ["NO_COLOR": ""]).isColoured)
        #expect(!TextStyle(isTerminal: true, environment: ["TERM": "dumb"]).isColoured)
    }

    @Test func `paint is put around the text`() {
        #expect(TextStyle(isColoured: true).paint("x", .red) == "\u{1B}[31mx\u{1B}[0m")
        #expect(TextStyle.plain.paint("x", .red) == "x")
    }
}

@Suite struct TextTableTests {
    @Test func `columns are aligned, and empty ones left out`() {
        var table = TextTable([
            .init("NAME"), .init("NOTHING"), .init("COUNT", isRightAligned: true), .init("NOTE"),
        ])
        table.append(["漢字", "", "7", ""])
        table.append(["a\nb", "", "1234567", "n"])
        #expect(
            table.text(.plain, indent: "> ") == """
                > NAME    COUNT  NOTE
                > 漢字        7
                > a\\nb  1234567  n

                """)
    }

    @Test func `paint does not count as width`() {
        var table = TextTable([.init("A"), .init("B")])
        table.append([.init("x", .red), "y"])
        table.append(["longer", "z"])
        let coloured = table.text(TextStyle(isColoured: true))
        #expect(coloured.contains("\u{1B}[31mx\u{1B}[0m       y\n"))
    }

    @Test func `no rows are no table`() {
        #expect(TextTable([.init("A")]).text(.plain) == "")
    }
}

@Suite struct AgeTextTests {
    @Test(arguments: [
        (Duration.zero, "now"), (.milliseconds(999), "now"), (.seconds(12), "12s ago"),
        (.seconds(200), "3m ago"), (.seconds(4320), "1h12m ago"), (.seconds(7200), "2h ago"),
        (.seconds(3 * 86_400 + 4 * 3600 + 59), "3d4h ago"), (.seconds(-5), "in 5s"),
        (.milliseconds(-999), "now"), (.seconds(-90_000), "in 1d1h"),
    ])
    func `a moment is told by its distance`(ago: Duration, text: String) {
        #expect(AgeText.relative(Samples.ago(ago), now: Samples.noon) == text)
    }

    @Test func `moments at the ends of time are told as well`() {
        let first = Timestamp(milliseconds: .min)
        let last = Timestamp(milliseconds: .max)
        #expect(AgeText.relative(first, now: last).hasSuffix("ago"))
        #expect(AgeText.relative(last, now: first).hasPrefix("in "))
    }
}

@Suite struct WatchTextTests {
    @Test func `a list is a row a watch`() {
        var table = WatchTableText(now: Samples.noon)
        var whole = Samples.wholeWatch
        whole.lastError = "HTTP 503\u{1B}[2J"
        table.append(whole)
        table.append(Samples.watch("krixik/a\nb", .unknown))
        #expect(
            table.text(.plain) == """
                NAME          STATE     PROGRESS  SINCE   POLLED  NEXT POLL  LABEL        GROUP    LAST ERROR
                warehouse/12  complete       4/4  now     now     -          nightly-udf  nightly  HTTP 503\\u{1b}[2J
                krixik/a\\nb   unknown             3m ago  5s ago  in 7s

                """)
    }

    @Test func `show explains a watch and its history`() {
        #expect(
            WatchDetailText.text(Samples.wholeWatch, now: Samples.noon, style: .plain) == """
                warehouse/12  complete
                  service     warehouse (kinetica)
                  label       nightly-udf
                  group       nightly
                  state       complete since 2026-11-22T08:30:00.101Z (now), before that running
                  changed     between 2026-11-22T08:29:58.090Z and 2026-11-22T08:30:00.101Z (within 2s)
                  progress    4 of 4
                  message     done
                  detail      {"segments":4}
                  watched     since 2026-11-22T08:10:00.123Z (20m ago), 41 polls
                  last poll   2026-11-22T08:30:00.083Z (now)
                  last error  HTTP 503
                  next poll   none: the state is final
                  origin      watches.yaml:12

                History
                  #  STATE     OBSERVED                  LASTED  NOT BEFORE                PROGRESS  MESSAGE
                  1  pending   2026-11-22T08:10:00.123Z  8m
                  2  running   2026-11-22T08:18:00.123Z  11m59s  2026-11-22T08:17:58.123Z       1/4
                  3  complete  2026-11-22T08:30:00.101Z          2026-11-22T08:29:58.090Z       4/4  done

                Deliveries
                  RECEIVER  EVENT         STATE    ATTEMPTS  LAST ATTEMPT                              NEXT   ID
                  ops       run.complete  pending         1  now: retry, HTTP 500 in 120ms, try later  in 5s  msg_1

                """)
    }

    @Test func `show says what is not known yet`() {
        var watch = Samples.watch("w/1", .unknown)
        watch.data.observedAt = nil
        watch.data.notBefore = nil
        watch.data.previousState = nil
        watch.data.polls = 1
        watch.lastPollAt = nil
        watch.nextPollReason = "the service is down"
        watch.origin = nil
        #expect(
            WatchDetailText.text(watch, now: Samples.noon, style: .plain) == """
                w/1  unknown
                  service    w (kinetica)
                  state      unknown: not seen yet
                  watched    since 2026-11-22T08:15:00.123Z (15m ago), 1 poll
                  last poll  not yet
                  next poll  2026-11-22T08:30:07.123Z (in 7s): the service is down
                  origin     none: it has left the watch list

                """)
    }

    @Test func `wait tells how a run ended, and which failed`() {
        var watch = Samples.wholeWatch
        #expect(
            WaitText.line(watch, style: .plain) == "warehouse/12  complete  after 19m59s  (done)")
        watch.data.message = "\u{1B}c"
        watch.data.observedAt = nil
        #expect(WaitText.line(watch, style: .plain) == #"warehouse/12  complete  (\u{1b}c)"#)
        let many = (0..<12).map { Samples.watch("w/\($0)", .lost) }
        #expect(
            WaitText.unsuccessful(many, of: 20).hasSuffix("w/9 (lost) and 2 more"))
        #expect(
            WaitText.timedOut(after: .seconds(600), pending: [WatchName(service: "w", run: "1")])
                == "not final after 10m: w/1")
    }
}

@Suite struct StatusTextTests {
    @Test func `a daemon that is well says so in its first line`() {
        #expect(
            StatusText.text(Samples.status, now: Samples.noon, style: .plain) == """
                runwatchd 0.1.0: all is well
                  up             3d4h, since 2026-11-19T04:30:00.123Z
                  configuration  /etc/runwatch/runwatch.yaml, loaded 1h ago
                  watches        12: 1 pending, 3 running, 8 complete
                  backlog        nothing waits

                Services
                  NAME    KIND    HEALTH  SINCE
                  krixik  krixik  up      1h ago

                Receivers
                  NAME  KIND    PENDING  FAILED
                  log   stdout        0       0

                """)
    }

    @Test func `what is not well comes first, each by its name`() {
        var status = Samples.status
        status.watches = [:]
        status.services = [
            ServiceView(
                name: "warehouse", kind: "kinetica", health: .down,
                since: Samples.ago(.seconds(300)), lastError: "connection refused",
                nextProbe: Samples.noon.advanced(by: .seconds(12)), lateness: .seconds(3))
        ]
        status.receivers = [
            ReceiverView(
                name: "ops", kind: "webhook", pending: 12, failed: 1,
                oldestPending: Samples.ago(.seconds(300)), isDisabled: true)
        ]
        status.configuration.isOK = false
        status.configuration.errors = ["a.yaml:1:1: bad\u{1B}", "a.yaml:2:1: worse"]
        status.backlog = BacklogView(polls: 1, changes: 0, deliveries: 12)
        #expect(
            StatusText.text(status, now: Samples.noon, style: .plain) == """
                runwatchd 0.1.0: 6 things need attention
                  ! the configuration has 2 errors; the one loaded 1h ago is in force:
                      a.yaml:1:1: bad\\u{1b}
                      a.yaml:2:1: worse
                  ! service 'warehouse' is down since 5m ago: connection refused; asked again in 12s
                  ! service 'warehouse': polls are 3s late; raise its limits, or poll less often
                  ! receiver 'ops' said that it is gone (HTTP 410); a reload tries it again
                  ! receiver 'ops': 1 delivery failed for good
                  ! receiver 'ops' is behind: 12 pending, the oldest from 5m ago

                  up             3d4h, since 2026-11-19T04:30:00.123Z
                  configuration  /etc/runwatch/runwatch.yaml, loaded 1h ago
                  watches        none
                  backlog        1 poll, 0 changes not on disk, 12 deliveries

                Services
                  NAME       KIND      HEALTH  SINCE   NEXT PROBE  LAST ERROR
                  warehouse  kinetica  down    5m ago  in 12s      connection refused

                Receivers
                  NAME  KIND     PENDING  FAILED  OLDEST PENDING  NOTE
                  ops   webhook       12       1  5m ago          disabled

                """)
    }
}

@Suite struct EventTextTests {
    private func line(_ type: EventType, _ data: Event.Data) throws -> String {
        let event = Event(type: type, timestamp: Samples.noon, data: data)
        return EventText.line(try JSONValue(parsing: event.json), style: .plain)
    }

    @Test func `each type has its line`() throws {
        #expect(
            try line(.run(.complete), .run(Samples.wholeWatch.data))
                == "2026-11-22T08:30:00.123Z  run.complete     warehouse/12  "
                + "running → complete after 19m59s (done)")
        #expect(
            try line(
                .serviceDown,
                .service(
                    ServiceEventData(
                        service: "warehouse", kind: "kinetica", health: .down,
                        since: Samples.noon, reason: .connection, message: "refused")))
                == "2026-11-22T08:30:00.123Z  service.down     warehouse  connection (refused)")
        #expect(
            try line(
                .groupFinished,
                .group(
                    GroupEventData(
                        group: "nightly", counts: [.complete: 3, .error: 1], failed: ["w/1"])))
                == "2026-11-22T08:30:00.123Z  group.finished   group nightly  3 complete 1 error")
        #expect(
            try line(
                .deliveryFailed,
                .delivery(
                    DeliveryEventData(
                        delivery: "msg_1", receiver: "ops", type: "run.lost", name: "w/1",
                        attempts: 10, message: "HTTP 500")))
                == "2026-11-22T08:30:00.123Z  delivery.failed  w/1  to ops (HTTP 500)")
        #expect(
            try line(.receiverTest, .test(receiver: "ops"))
                == "2026-11-22T08:30:00.123Z  receiver.test    receiver ops  "
                + "(A test of receiver 'ops')")
    }

    @Test func `an event of another making is a line as well`() throws {
        #expect(
            EventText.line(
                try JSONValue(parsing: #"{"type":"new\u001b","data":[]}"#), style: .plain)
                == "  new\\u{1b}             ")
    }
}

@Suite struct ReportTextTests {
    @Test func `a check tells every fault, then how it is`() {
        let good = ConfigurationCheck(
            diagnostics: [
                Diagnostic(severity: .warning, file: "a", line: 1, column: 2, message: "hm")
            ], services: 1, receivers: 2, watches: 3)
        #expect(
            ReportText.check(good)
                == "a:1:2: warning: hm\n1 service, 2 receivers, 3 watches: ok\n")
        #expect(
            String(decoding: good.json, as: UTF8.self)
                == #"{"ok":true,"errors":[],"warnings":["a:1:2: warning: hm"],"#
                + #""services":1,"receivers":2,"watches":3}"#)
        let bad = ConfigurationCheck(
            diagnostics: [Diagnostic(file: "a", line: 1, column: 2, message: "no\u{1B}")],
            services: 0, receivers: 0, watches: 0)
        #expect(ReportText.check(bad) == "a:1:2: no\\u{1b}\n1 error\n")
        #expect(
            String(decoding: bad.json, as: UTF8.self)
                == #"{"ok":false,"errors":["a:1:2: no\u001b"],"warnings":[]}"#)
    }

    @Test func `a reload tells what changed`() {
        #expect(
            ReportText.reload(ReloadView(isOK: true, changed: 3, warnings: ["w"]))
                == "w\nreloaded: watches 3 changed\n")
        #expect(ReportText.reload(ReloadView(isOK: true)) == "reloaded: no watch changed\n")
    }
}
