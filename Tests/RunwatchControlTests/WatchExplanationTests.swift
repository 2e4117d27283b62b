import RunwatchControl
import RunwatchCore
import Testing

/// What `show` makes of how a watch is polled.
@Suite struct WatchExplanationTests {
    private static let settings = WatchSettings(
        poll: PollSettings(
            initial: .seconds(2), factor: 1.6, maximum: .seconds(60), jitter: 0.1),
        deadline: .seconds(7200), notify: ["log", "ops"])

    private func watch(
        _ state: RunState = .running, last: LastPollView? = nil, next: NextPollView? = nil
    ) -> WatchView {
        var watch = Samples.watch("w/1", state)
        watch.lastPoll = last
        watch.nextPoll = next
        watch.nextPollAt = next?.at
        watch.nextPollReason = next?.detail
        return watch
    }

    private func lines(_ watch: WatchView) -> [String] {
        WatchDetailText.text(watch, now: Samples.noon, style: .plain)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    private func field(_ name: String, _ watch: WatchView) -> String? {
        lines(watch).first { $0.hasPrefix("  \(name) ") }
            .map { String($0.dropFirst(2 + name.count).drop { $0 == " " }) }
    }

    @Test func `how a watch is polled comes back as it was written`() throws {
        var watch = Samples.watch("w/1")
        watch.lastPoll = LastPollView(
            at: Samples.ago(.seconds(5)), outcome: "failed", reason: "timeout", status: 504,
            duration: .milliseconds(30_000), isCommon: true, message: "HTTP 504")
        watch.nextPoll = NextPollView(
            at: Samples.noon, reason: "backoff", detail: "backoff: 3 polls without a change")
        watch.settings = WatchSettingsView(WatchExplanationTests.settings)
        watch.prospects = [
            ProspectView(what: "timeout", at: Samples.noon, detail: "unless the run has ended")
        ]
        let value = try JSONValue(parsing: watch.json)
        #expect(try WatchView(json: value) == watch)
        #expect(
            value["last_poll"]?.text
                == #"{"at":"2026-11-22T08:29:55.123Z","outcome":"failed","reason":"timeout","#
                + #""status":504,"duration":"30s","common":true,"message":"HTTP 504"}"#)
        #expect(
            value["settings"]?.text
                == #"{"poll":{"initial":"2s","factor":1.6,"max":"1m","jitter":0.1},"#
                + #""deadline":"2h","not_found_grace":"1m","notify":["log","ops"]}"#)
        // The contract's keys are there beside it.
        #expect(value["last_poll_at"] != nil)
        #expect(value["next_poll_at"] != nil)
    }

    @Test func `the page says how the run is, what was asked, and what is to come`() {
        var watch = watch(
            last: LastPollView(
                at: Samples.ago(.seconds(5)), outcome: "answered", status: 200,
                duration: .milliseconds(12), isCommon: true),
            next: NextPollView(
                at: Samples.noon.advanced(by: .seconds(7)), reason: "backoff",
                detail: "backoff: 4 polls without a change, so the wait is 13s of at most 1m"))
        watch.settings = WatchSettingsView(WatchExplanationTests.settings)
        watch.prospects = [
            ProspectView(
                what: "timeout", at: Samples.noon.advanced(by: .seconds(3600)),
                detail: "unless the run has ended by then")
        ]
        #expect(
            WatchDetailText.text(watch, now: Samples.noon, style: .plain) == """
                w/1 has been running for 3m; last asked 5s ago; next in 7s

                  service     w (kinetica)
                  state       running since 2026-11-22T08:27:00.123Z (3m ago), before that pending
                  changed     between 08:26:58.123 and 08:27:00.123 (2s)
                  watched     since 2026-11-22T08:15:00.123Z (15m ago), 41 polls
                  last asked  2026-11-22T08:29:55.123Z (5s ago): HTTP 200 in 12ms, answered, by one request for many runs
                  next poll   2026-11-22T08:30:07.123Z (in 7s): backoff: 4 polls without a change, so the wait is 13s of at most 1m
                  ahead       timeout at 2026-11-22T09:30:00.123Z (in 1h), unless the run has ended by then
                  settings    poll 2s × 1.6 up to 1m, deadline 2h, not_found_grace 1m, notify log ops
                  origin      watches.yaml:12

                """)
    }

    @Test(arguments: [
        ("service", "; its service does not answer, asked again in 7s"),
        ("probe", "; its service does not answer, asked again in 7s"),
        ("credentials", "; its service refuses the credentials, asked again in 7s"),
        ("retry_after", "; its service asked to be left alone, asked again in 7s"),
        ("rate", "; it is late by the service's limits"),
        ("concurrency", "; it is late by the service's limits"),
        ("database", "; it is late, for the disk does not keep up"),
        ("in_flight", ", and not answered yet"),
        ("stopping", "; the daemon is stopping"),
        ("unserved", "; its service is not configured, and nobody asks"),
        ("ended", "; it has ended, and that is on its way into the record"),
        ("backoff", "; next in 7s"),
        ("a later word", "; next in 7s"),
    ])
    func `the first line says whether it is late, and why`(reason: String, words: String) {
        let next = NextPollView(
            at: Samples.noon.advanced(by: .seconds(7)), reason: reason, detail: "d")
        #expect(
            lines(watch(next: next))[0]
                == "w/1 has been running for 3m; last asked 5s ago\(words)")
    }

    @Test(arguments: [
        ("nothing", "an answer that says nothing about the run"),
        ("not_found", "the run was not found"),
        ("unknown_word", "a status word that is not known, taken as no change; the log has it"),
        ("refused", "the request was refused for this run"),
        ("failed", "the service failed (timeout)"),
        ("cancelled", "given up before it was answered"),
        ("new\u{1B}", "new\\u{1b}"),
    ])
    func `what came back is said in words`(outcome: String, words: String) {
        var last = LastPollView(
            at: Samples.ago(.seconds(5)), outcome: outcome, status: 200,
            duration: .milliseconds(12))
        if outcome == "failed" { last.reason = "timeout" }
        let moment = "2026-11-22T08:29:55.123Z (5s ago): "
        #expect(field("last asked", watch(last: last)) == "\(moment)HTTP 200 in 12ms, \(words)")
        last.status = nil
        #expect(field("last asked", watch(last: last)) == "\(moment)\(words) after 12ms")
    }

    @Test func `a request under way and a restart are told apart from an answer`() {
        var watch = watch(
            last: LastPollView(
                at: Samples.ago(.seconds(35)), outcome: "answered", status: 200,
                duration: .milliseconds(12)),
            next: NextPollView(at: nil, reason: "in_flight", detail: "asked 5s ago"))
        #expect(
            field("last asked", watch)
                == "2026-11-22T08:29:55.123Z (5s ago), not answered yet; before that 35s ago: "
                + "HTTP 200 in 12ms, answered")
        #expect(field("next poll", watch) == "asked 5s ago")
        watch.lastPoll = nil
        #expect(
            field("last asked", watch)
                == "2026-11-22T08:29:55.123Z (5s ago): what came back is not kept over a restart")
        // Nobody keeps it for a watch that has left its list.
        watch.nextPoll = NextPollView(at: nil, reason: "unlisted", detail: "not watched any more")
        #expect(field("last asked", watch) == "2026-11-22T08:29:55.123Z (5s ago)")
    }

    @Test func `what is owed stands oldest first, with its remedy`() throws {
        var watch = watch(.error)
        var waiting = Samples.delivery("msg_3", .pending, attempts: [])
        waiting.nextAttemptReason = "an earlier event of w/1 comes first"
        watch.deliveries = [
            waiting, Samples.delivery("msg_2", .delivered), Samples.delivery("msg_1", to: "o\u{7}"),
        ]
        let lines = lines(watch)
        let start = try #require(lines.firstIndex(of: "Owed"))
        #expect(
            Array(lines[(start + 1)...(start + 2)]) == [
                "  run.error to o\\u{7}: given up after 1 attempt, the last: HTTP 503 in 12ms: try "
                    + "later; `runwatchctl redeliver msg_1` tries again",
                "  run.error to ops: pending, waits: an earlier event of w/1 comes first",
            ])
        watch.deliveries = (0..<12).map { Samples.delivery("msg_\($0)") }
        #expect(self.lines(watch).contains("  … and 2 more, below"))
        watch.deliveries = [Samples.delivery("msg_2", .delivered)]
        #expect(!self.lines(watch).contains("Owed"))
    }

    @Test func `two days have their dates`() {
        var watch = watch()
        watch.data.observedAt = Timestamp(rfc3339: "2026-11-22T00:00:01.000Z")
        watch.data.notBefore = Timestamp(rfc3339: "2026-11-21T23:59:59.500Z")
        #expect(
            field("changed", watch)
                == "between 2026-11-21T23:59:59.500Z and 00:00:01.000 (1.5s)")
    }
}
