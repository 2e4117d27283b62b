import RunwatchControl
import RunwatchCore
import Testing

@Suite struct StatusTextTests {
    @Test func `a daemon that is well says so in its first line`() {
        #expect(
            StatusText.text(Samples.status, now: Samples.noon, style: .plain) == """
                runwatchd 0.1.0: everything is well
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

    @Test func `where figures are served is shown when they are`() {
        var status = Samples.status
        #expect(!StatusText.text(status, now: Samples.noon, style: .plain).contains("metrics"))
        status.httpListen = "[::1]:9788"
        #expect(
            StatusText.text(status, now: Samples.noon, style: .plain)
                .contains("\n  metrics        http://[::1]:9788/metrics\n"))
    }

    @Test func `a database that cannot be written comes before everything else`() throws {
        var status = Samples.status
        status.databaseError = "/var/lib/runwatch/runwatch.db: disk full"
        status.backlog.changes = 2
        let text = StatusText.text(status, now: Samples.noon, style: .plain)
        let lines = text.split(separator: "\n")
        #expect(lines[0] == "runwatchd 0.1.0: 1 problem")
        #expect(
            lines[1] == "  ! the database cannot be written, 2 changes wait: "
                + "/var/lib/runwatch/runwatch.db: disk full")
        #expect(try StatusView(json: JSONValue(parsing: status.json)) == status)
    }

    @Test func `a receiver that gathers a digest is behind only when its window is over`() {
        var status = Samples.status
        status.receivers = [
            ReceiverView(
                name: "mail", kind: "email", pending: 2,
                oldestPending: Samples.ago(.seconds(300)), digestWindow: .seconds(300))
        ]
        #expect(!StatusText.text(status, now: Samples.noon, style: .plain).contains("is behind"))
        status.receivers[0].digestWindow = .seconds(200)
        #expect(StatusText.text(status, now: Samples.noon, style: .plain).contains("is behind"))
    }

    @Test func `what is not well comes first, each by its name`() {
        var status = Samples.status
        status.watches = [:]
        status.services = [
            ServiceView(
                name: "warehouse", kind: "kinetica", health: .down,
                since: Samples.ago(.seconds(300)), lastError: "connection refused",
                nextProbe: Samples.noon.advanced(by: .seconds(12)), failures: 3,
                reason: "connection"),
            ServiceView(
                name: "slow", kind: "kinetica", health: .up, waiting: 12, late: .seconds(3),
                limit: "rate 20/s"),
        ]
        status.receivers = [
            ReceiverView(
                name: "ops", kind: "webhook", pending: 12, failed: 1,
                oldestPending: Samples.ago(.seconds(300)), isDisabled: true),
            ReceiverView(
                name: "chat", kind: "slack", pending: 1, isFailing: true,
                lastError: "HTTP 503: try\u{7}later"),
            ReceiverView(name: "old", kind: nil, isConfigured: false, pending: 3, failed: 2),
        ]
        status.configuration.isOK = false
        status.configuration.errors = ["a.yaml:1:1: bad\u{1B}", "a.yaml:2:1: worse"]
        status.backlog = BacklogView(polls: 1, changes: 0, deliveries: 12)
        #expect(
            StatusText.text(status, now: Samples.noon, style: .plain) == """
                runwatchd 0.1.0: 8 problems
                  ! a.yaml:1:1: bad\\u{1b}; the one loaded 1h ago stays in force
                  ! a.yaml:2:1: worse; the one loaded 1h ago stays in force
                  ! service 'warehouse' has been down for 5m (3 failures in a row): connection refused; next probe in 12s; see that it runs, and that its url is right
                  ! service 'slow': 12 polls held up by its limit (rate 20/s), the first by 3s; raise its limits, or poll less often
                  ! receiver 'ops' said that it is gone (HTTP 410); 12 pending, the oldest from 5m ago; mend or remove it, a reload tries it again
                  ! receiver 'ops': 1 delivery failed for good; `runwatchctl redeliver --failed --receiver ops` tries again
                  ! receiver 'chat' does not take deliveries: HTTP 503: try\\u{7}later; 1 pending; `runwatchctl test-receiver chat` tries it now
                  ! receiver 'old' is not configured any more, and 3 pending and 2 failed deliveries wait for it; configure it again to have them delivered

                  up             3d4h, since 2026-11-19T04:30:00.123Z
                  configuration  /etc/runwatch/runwatch.yaml, loaded 1h ago
                  watches        none
                  backlog        1 poll, 0 changes not on disk, 12 deliveries

                Services
                  NAME       KIND      HEALTH  SINCE   NEXT PROBE  LAST ERROR
                  warehouse  kinetica  down    5m ago  in 12s      connection refused
                  slow       kinetica  up

                Receivers
                  NAME  KIND     PENDING  FAILED  OLDEST PENDING  NOTE
                  ops   webhook       12       1  5m ago          disabled
                  chat  slack          1       0                  failing
                  old                  3       2                  not configured

                """)
    }
}
