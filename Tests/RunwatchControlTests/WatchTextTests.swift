import RunwatchControl
import RunwatchCore
import Testing

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

    @Test(arguments: [
        ("unserved", "no service"), ("pipeline", "no pipeline"), ("unlisted", "not listed"),
        ("in_flight", "being asked"), ("ended", "has ended"), ("stopping", "stopping"),
        ("a later word", "-"),
    ])
    func `a list says why a watch is not polled`(reason: String, words: String) throws {
        var watch = Samples.watch("w/1", .unknown)
        watch.nextPollAt = nil
        watch.nextPoll = NextPollView(at: nil, reason: reason, detail: "d")
        var table = WatchTableText(now: Samples.noon)
        table.append(watch)
        let lines = table.lines(.plain, width: 200)
        let title = try #require(lines[0].firstRange(of: "NEXT POLL"))
        let column = lines[0].distance(from: lines[0].startIndex, to: title.lowerBound)
        #expect(lines[1].dropFirst(column) == words)
    }

    @Test func `show explains a watch and its history`() {
        #expect(
            WatchDetailText.text(Samples.wholeWatch, now: Samples.noon, style: .plain) == """
                warehouse/12 is complete; it ended now, after 19m59s of watching

                  service     warehouse (kinetica)
                  label       nightly-udf
                  group       nightly
                  state       complete since 2026-11-22T08:30:00.101Z (now), before that running
                  changed     between 08:29:58.090 and 08:30:00.101 (2s)
                  progress    4 of 4
                  message     done
                  detail      {"segments":4}
                  watched     since 2026-11-22T08:10:00.123Z (20m ago), 41 polls
                  last asked  2026-11-22T08:30:00.083Z (now)
                  last error  HTTP 503
                  next poll   none: the state is final
                  origin      watches.yaml:12

                Owed
                  run.complete to ops: pending, attempted in 5s (its receiver fails); 7 attempts so far, the last: HTTP 500 in 120ms: try later

                History
                  #  STATE     OBSERVED                  LASTED  NOT BEFORE                PROGRESS  MESSAGE
                  1  pending   2026-11-22T08:10:00.123Z  8m
                  2  running   2026-11-22T08:18:00.123Z  11m59s  2026-11-22T08:17:58.123Z       1/4
                  3  complete  2026-11-22T08:30:00.101Z          2026-11-22T08:29:58.090Z       4/4  done

                Deliveries
                  RECEIVER  EVENT         STATE    ATTEMPTS  NEXT   ID
                  ops       run.complete  pending         7  in 5s  msg_1
                      … 6 earlier
                      2026-11-22T08:30:00.113Z  retry      HTTP 500 in 120ms: try later
                      next 2026-11-22T08:30:05.123Z (in 5s): its receiver fails
                      sent in the digest msg_2

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
                w/1 is watched no more; it was unknown when it left the watch list

                  service     w (kinetica)
                  state       unknown: not seen yet
                  watched     since 2026-11-22T08:15:00.123Z (15m ago), 1 poll
                  last asked  not yet
                  next poll   2026-11-22T08:30:07.123Z (in 7s): the service is down
                  origin      none: it has left the watch list, or was removed

                """)
    }

    @Test func `wait tells how a run ended, and which failed`() {
        var watch = Samples.wholeWatch
        #expect(
            WaitText.line(watch, style: .plain) == "warehouse/12  complete  after 19m59s  (done)")
        watch.data.message = "\u{1B}c"
        watch.data.observedAt = nil
        #expect(WaitText.line(watch, style: .plain) == #"warehouse/12  complete  (\u{1b}c)"#)
        #expect(
            WaitText.unsuccessful([Samples.watch("w/\u{1B}", .lost)], of: 1)
                == #"w/\u{1b} did not complete: lost"#)
        let many = (0..<12).map { Samples.watch("w/\($0)", .lost) }
        #expect(
            WaitText.unsuccessful(many, of: 20).hasSuffix("w/9 (lost) and 2 more"))
        #expect(
            WaitText.timedOut(after: .seconds(600), pending: [WatchName(service: "w", run: "1")])
                == "not final after 10m: w/1")
    }
}
