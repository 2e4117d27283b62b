import Dispatch
import RunwatchCore
import RunwatchDelivery
import RunwatchHTTP
import RunwatchStore
import Synchronization

/// A mail server whose answers a closure decides; it remembers every mail.
final class MailEnd: Sendable {
    typealias Outcome = Result<MailReply, MailFailure>

    private struct State {
        var seen: [MailRequest] = []
        var options: [HTTPConnectionOptions] = []
        var limits: [Int] = []
        var closed = 0
    }

    private let state = Mutex(State())
    /// `nil` for no answer until the transport is closed.
    private let script: @Sendable (MailRequest) -> Outcome?

    init(
        _ script: @escaping @Sendable (MailRequest) -> Outcome? = { _ in
            .success(MailReply(code: 250, text: "2.0.0 Ok: queued as 1A"))
        }
    ) {
        self.script = script
    }

    var seen: [MailRequest] { state.withLock { $0.seen } }
    var options: [HTTPConnectionOptions] { state.withLock { $0.options } }
    var limits: [Int] { state.withLock { $0.limits } }
    var closed: Int { state.withLock { $0.closed } }

    /// The transport's maker, as the deliverer wants it.
    var make: @Sendable (DispatchQueue, HTTPConnectionOptions, Int) -> any MailTransport {
        { queue, options, limit in
            self.state.withLock { state in
                state.options.append(options)
                state.limits.append(limit)
            }
            return ScriptedMailTransport(self, queue)
        }
    }

    fileprivate func answer(_ mail: MailRequest) -> Outcome? {
        state.withLock { $0.seen.append(mail) }
        return script(mail)
    }

    fileprivate func noteClosed() { state.withLock { $0.closed += 1 } }
}

private final class ScriptedMailTransport: MailTransport {
    private let end: MailEnd
    private let queue: DispatchQueue
    private var pending: [(MailEnd.Outcome) -> Void] = []

    init(_ end: MailEnd, _ queue: DispatchQueue) {
        self.end = end
        self.queue = queue
    }

    func send(_ mail: MailRequest, completion: @escaping (MailEnd.Outcome) -> Void) {
        guard let outcome = end.answer(mail) else { return pending.append(completion) }
        nonisolated(unsafe) let completion = completion
        queue.async { completion(outcome) }
    }

    func close() {
        end.noteClosed()
        let waiting = pending
        pending = []
        for completion in waiting {
            nonisolated(unsafe) let completion = completion
            queue.async { completion(.failure(MailFailure(.cancelled, "closed"))) }
        }
    }
}

enum MailSamples {
    static func settings(
        from: EmailAddress = EmailAddress(name: "Run Watch", address: "runwatch@example.com"),
        to: [EmailAddress] = [EmailAddress(address: "ops@example.com")], subject: String? = nil,
        text: String? = nil
    ) -> EmailSettings {
        EmailSettings(
            url: "smtp://mail.example.com:587", from: from, to: to, subject: subject, text: text)
    }

    /// Sends a delivery as a mail, and waits for the outcome.
    static func attempt(
        _ settings: EmailSettings, _ delivery: PendingDelivery, _ end: MailEnd,
        at moment: Timestamp = Timestamp(milliseconds: 1_700_000_000_999)
    ) async -> AttemptResult {
        let queue = DispatchQueue(label: "test")
        return await withCheckedContinuation { continuation in
            queue.async {
                EmailReceiver(
                    settings, timeout: .seconds(15), transport: end.make(queue, .init(), 1),
                    queue: queue
                ).attempt(delivery, at: moment) { continuation.resume(returning: $0) }
            }
        }
    }

    /// The bytes of the mail that a delivery becomes.
    static func bytes(
        _ delivery: PendingDelivery, _ settings: EmailSettings = settings()
    ) async throws -> [UInt8] {
        let end = MailEnd()
        let result = await attempt(settings, delivery, end)
        guard let mail = end.seen.first else { throw MailFault("not sent: \(result.message)") }
        return mail.message
    }

    static func mail(
        _ event: RecordedEvent, _ settings: EmailSettings = settings()
    ) async throws -> ParsedMail {
        try ParsedMail(await bytes(MessageSamples.delivery(event), settings))
    }

    /// A text of pieces that have broken mail programs before, and of random characters.
    static func hostile(using random: inout SeededGenerator) -> String {
        let pieces = [
            "\r\nBcc: evil@example.com\r\n\r\n", "\n", "\r", "\r\n.\r\n", "=?UTF-8?Q?x?=", "=?",
            "?=",
            "=", " ", "  ", "\t", "--=_msg_01", "--=_msg_01--", "=_msg_01", "From me", ".",
            "<script>alert(1)</script>", "&amp;", "</pre>", "\"", "\\", "'", "<b>", "\u{0}",
            "\u{1B}[2J", "\u{7F}", "\u{85}", "\u{2028}", "\u{202E}", "\u{FEFF}", "\u{FFFE}", "é",
            "شركة", "日本語", "👩‍👩‍👧‍👦", "e\u{301}", "z" + String(repeating: "\u{301}", count: 300),
            String(repeating: "w", count: 200), String(repeating: "x ", count: 100), "{{title}}",
        ]
        let count = Int.random(in: 0...12, using: &random)
        return (0..<count).map { _ in
            if Bool.random(using: &random) {
                return pieces.randomElement(using: &random) ?? ""
            }
            let scalars = (0..<Int.random(in: 1...20, using: &random)).compactMap { _ in
                Unicode.Scalar(UInt32.random(in: 0...0x1_1000, using: &random))
            }
            return String(String.UnicodeScalarView(scalars))
        }.joined()
    }
}
