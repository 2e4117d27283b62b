import RunwatchControl
import RunwatchCore
import Testing

@Suite struct DeliveryTextTests {
    private func attempt(
        _ outcome: String, _ status: Int? = nil, _ message: String? = nil,
        _ duration: Duration? = .milliseconds(12), ago: Int64 = 10
    ) -> AttemptView {
        AttemptView(
            at: Samples.ago(.seconds(ago)), outcome: outcome, status: status, duration: duration,
            message: message)
    }

    @Test func `the outbox is a row a delivery`() {
        var table = DeliveryTableText(now: Samples.noon)
        #expect(table.isEmpty)
        var failed = Samples.delivery("msg_1")
        failed.earlierAttempts = 4
        table.append(failed)
        var waiting = Samples.delivery("msg_2", to: "log", .pending, attempts: [])
        waiting.name = "krixik/a\nb"
        table.append(waiting)
        var due = Samples.delivery("msg_3", .pending)
        due.nextAttemptAt = Samples.noon.advanced(by: .seconds(300))
        table.append(due)
        #expect(
            table.text(.plain) == """
                RECEIVER  EVENT      NAME          STATE    ATTEMPTS  LAST ATTEMPT                                  NEXT   ID
                ops       run.error  warehouse/12  failed          5  10s ago: failed, HTTP 503 in 12ms: try later  -      msg_1
                log       run.error  krixik/a\\nb   pending         0  -                                             waits  msg_2
                ops       run.error  warehouse/12  pending         1  10s ago: failed, HTTP 503 in 12ms: try later  in 5m  msg_3

                """)
    }

    @Test func `show has the last attempts of each delivery, and what it waits for`() {
        var many = Samples.delivery("msg_1", .pending)
        many.attempts = (1...7).map { number in
            attempt("retry", 500, "HTTP 500: try \(number)", ago: Int64(80 - 10 * number))
        }
        many.nextAttemptAt = Samples.ago(.seconds(1))
        many.nextAttemptReason = "its receiver fails"
        var waiting = Samples.delivery("msg_2", to: "log", .pending, attempts: [])
        waiting.nextAttemptReason = "an earlier event of a\u{1B}b comes first"
        var done = Samples.delivery("msg_3", .delivered, attempts: [attempt("delivered")])
        done.digest = "msg_4"
        #expect(
            DeliveryText.details([many, waiting, done], now: Samples.noon, style: .plain) == """
                  RECEIVER  EVENT      STATE      ATTEMPTS  NEXT  ID
                  ops       run.error  pending           7  due   msg_1
                      … 2 earlier
                      2026-11-22T08:29:10.123Z  retry      HTTP 500 in 12ms: try 3
                      2026-11-22T08:29:20.123Z  retry      HTTP 500 in 12ms: try 4
                      2026-11-22T08:29:30.123Z  retry      HTTP 500 in 12ms: try 5
                      2026-11-22T08:29:40.123Z  retry      HTTP 500 in 12ms: try 6
                      2026-11-22T08:29:50.123Z  retry      HTTP 500 in 12ms: try 7
                      next 2026-11-22T08:29:59.123Z (due): its receiver fails
                  log       run.error  pending           0        msg_2
                      waits: an earlier event of a\\u{1b}b comes first
                  ops       run.error  delivered         1        msg_3
                      2026-11-22T08:29:50.123Z  delivered  in 12ms
                      sent in the digest msg_4

                """)
        #expect(DeliveryText.details([], now: Samples.noon, style: .plain).isEmpty)
    }

    @Test func `a test says in words what came back`() {
        func tested(_ state: DeliveryView.State, _ attempt: AttemptView) -> String {
            DeliveryText.tested(
                Samples.delivery("msg_1", state, attempts: [attempt]), style: .plain)
        }
        #expect(
            tested(.delivered, attempt("delivered", 200, "HTTP 200"))
                == "ops: delivered, HTTP 200 in 12ms\n")
        #expect(tested(.delivered, attempt("delivered")) == "ops: delivered in 12ms\n")
        #expect(
            tested(.failed, attempt("failed", 503, "HTTP 503: not\u{1B}[2J now"))
                == "ops: not delivered: HTTP 503 in 12ms: not\\u{1b}[2J now\n")
        #expect(
            tested(.failed, attempt("failed", 302, "HTTP 302 (redirects are not followed)"))
                == "ops: not delivered: HTTP 302 in 12ms (redirects are not followed)\n")
        #expect(
            tested(.failed, attempt("failed", nil, "no answer", .seconds(15)))
                == "ops: not delivered: no answer (after 15s)\n")
        #expect(
            tested(.failed, attempt("failed", nil, nil, nil)) == "ops: not delivered\n")
    }

    @Test func `a redelivery says what happens now, or what it waits for`() {
        var delivery = Samples.delivery("msg_1", .pending)
        delivery.nextAttemptAt = Samples.noon
        #expect(
            DeliveryText.redelivered(delivery) == "msg_1 to ops: pending again, attempted now\n")
        delivery.digest = "msg_2"
        #expect(
            DeliveryText.redelivered(delivery)
                == "msg_1 to ops, in the digest msg_2: pending again, attempted now\n")
        delivery.digest = nil
        delivery.nextAttemptAt = nil
        delivery.nextAttemptReason = "an earlier event of w/1 comes first"
        #expect(
            DeliveryText.redelivered(delivery)
                == "msg_1 to ops: pending again; an earlier event of w/1 comes first\n")
        delivery.state = .failed
        #expect(
            DeliveryText.redelivered(delivery)
                == "msg_1 to ops: failed again, HTTP 503 in 12ms: try later\n")
        delivery.state = .delivered
        delivery.attempts = []
        #expect(DeliveryText.redelivered(delivery) == "msg_1 to ops: delivered again\n")
        #expect(DeliveryText.redelivered(count: 0) == "there is nothing to redeliver\n")
        #expect(DeliveryText.redelivered(count: 1) == "1 delivery is pending again\n")
        #expect(DeliveryText.redelivered(count: 12) == "12 deliveries are pending again\n")
    }
}
