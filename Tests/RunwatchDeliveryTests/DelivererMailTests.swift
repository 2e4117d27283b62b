import RunwatchCore
import RunwatchDelivery
import RunwatchHTTP
import RunwatchLinux
import RunwatchStore
import TestSupport
import Testing

/// Mail from the outbox to a server, and what a reload and the end do to it.
@Suite(.timeLimit(.minutes(2))) struct DelivererMailTests {
    private func email(
        _ name: String, url: String = "smtp://mail.test", caFile: String? = nil,
        concurrency: Int? = nil
    ) -> ReceiverSettings {
        var settings = MailSamples.settings()
        settings.url = url
        settings.startTLS = .never
        settings.tls.caFile = caFile
        return ReceiverSettings(
            name: name, kind: .email(settings),
            retry: [.zero] + Array(repeating: .milliseconds(20), count: 100),
            concurrency: concurrency)
    }

    private func deliverer(
        _ receivers: [ReceiverSettings], _ store: Store, _ end: MailEnd? = nil
    ) async -> Deliverer {
        let log = LogBook().logger
        let http = ScriptedEnd()
        let deliverer =
            if let end {
                Deliverer(
                    store: store, time: SystemTime(), logger: log, seed: 1, standardOutput: -1,
                    makeTransport: http.make, makeMailTransport: end.make)
            } else {
                Deliverer(
                    store: store, time: SystemTime(), logger: log, seed: 1, standardOutput: -1,
                    makeTransport: http.make)
            }
        await store.onCommit { [weak deliverer] in deliverer?.wake($0.receivers) }
        await deliverer.apply(receivers)
        return deliverer
    }

    private func submit(_ subject: String, to receivers: [String] = ["mail"], in store: Store) {
        store.submit(.event(DelivererBench.event(subject, receivers), stalled: nil))
    }

    private func owed(_ store: Store) async throws -> Int {
        let later = SystemTime().wallClock().advanced(by: .seconds(86_400))
        return try await store.dueDeliveries(
            for: "mail", now: later, limit: 100_000, excluding: []
        ).deliveries.count
    }

    /// A session in which the server says `answer` to the message.
    private func session(_ answer: String) -> [ScriptedTCPServer.Step] {
        let line = ScriptedTCPServer.Step.read(through: "\r\n")
        return [
            .send("220 mx.test ESMTP\r\n"), line, .send("250 mx.test\r\n"), line,
            .send("250 2.1.0 Ok\r\n"), line, .send("250 2.1.5 Ok\r\n"), line,
            .send("354 go on\r\n"), .read(through: "\r\n.\r\n"), .send(answer), line,
            .send("221 2.0.0 Bye\r\n"),
        ]
    }

    @Test func `a mail on the wire, refused and cut off and taken in the end`() async throws {
        let server = ScriptedTCPServer { [self] connection in
            switch connection {
            case 0: session("451 4.7.1 greylisted\r\n")
            case 1: session("550 5.1.1 no such user\r\n")
            case 2: [.send("220 mx.test ESMTP\r\n"), .read(through: "\r\n"), .reset]
            default: session("250 2.0.0 Ok: queued as 1A\r\n")
            }
        }
        defer { server.stop() }
        let store = try Store(at: .memory)
        let receiver = email("mail", url: "smtp://127.0.0.1:\(server.port)")
        let deliverer = await deliverer([receiver], store)
        submit("warehouse/12", in: store)
        try await eventually("nothing is owed") {
            server.connectionCount >= 4 ? try await owed(store) == 0 : false
        }
        let envelopes = server.requests.filter { $0.hasPrefix("MAIL") || $0.hasPrefix("RCPT") }
        #expect(
            envelopes.allSatisfy {
                $0.hasPrefix("MAIL FROM:<runwatch@example.com>")
                    || $0 == "RCPT TO:<ops@example.com>\r\n"
            })
        let messages = server.requests.filter { $0.hasPrefix("Date: ") }
        #expect(messages.count == 3 && Set(messages).count == 1)
        let message = try #require(messages.first)
        let mail = try ParsedMail(Array(message.utf8.dropLast(3)))
        #expect(mail.subject == "warehouse/12 complete")
        #expect(mail["Message-ID"]?.hasPrefix("<msg_") ?? false)
        await deliverer.drain(until: SystemTime().now().advanced(by: .seconds(10)))
        await store.close()
    }

    @Test func `each receiver has connections of its own, one more than it has attempts`()
        async throws
    {
        let end = MailEnd()
        let store = try Store(at: .memory)
        let receivers = [
            email("mail", caFile: "/etc/ca.pem"), email("other", concurrency: 5),
        ]
        let deliverer = await deliverer(receivers, store, end)
        #expect(end.options == [HTTPConnectionOptions(caFile: "/etc/ca.pem"), .init()])
        #expect(end.limits == [2, 6])
        await deliverer.apply(receivers)
        #expect(end.options.count == 2 && end.closed == 0)
        await deliverer.drain(until: SystemTime().now().advanced(by: .seconds(10)))
        #expect(end.closed == 2)
        await store.close()
    }

    @Test func `a transport is closed when its receiver goes, but not under a mail`() async throws {
        let end = MailEnd {
            $0.url == "smtp://old.test" ? nil : .success(.init(code: 250, text: ""))
        }
        let store = try Store(at: .memory)
        let old = email("mail", url: "smtp://old.test", concurrency: 2)
        let new = email("mail", url: "smtp://new.test", caFile: "/etc/ca.pem", concurrency: 2)
        let deliverer = await deliverer([old, email("idle")], store, end)
        await deliverer.apply([old])
        try await eventually("the idle one's is closed") { end.closed == 1 }
        submit("a/1", in: store)
        try await eventually("under way") { end.seen.count == 1 }
        await deliverer.apply([new])
        submit("a/2", in: store)
        try await eventually("the new server gets the next") {
            end.seen.contains { $0.url == "smtp://new.test" }
        }
        #expect(end.closed == 1)
        await deliverer.drain(until: .init(nanoseconds: 0))
        #expect(end.closed == 3)
        #expect(try await owed(store) == 1)
        await store.close()
    }

    @Test func `a test tells what the server said`() async throws {
        let end = MailEnd()
        let store = try Store(at: .memory)
        let deliverer = await deliverer([email("mail")], store, end)
        let test = try #require(await deliverer.test("mail"))
        #expect(test.result.outcome == .delivered && test.result.status == 250)
        let mail = try ParsedMail(try #require(end.seen.first).message)
        #expect(mail.subject == "test of receiver mail")
        #expect(mail["X-Runwatch-Event"] == "receiver.test")
        await deliverer.drain(until: SystemTime().now().advanced(by: .seconds(10)))
        await store.close()
    }
}
