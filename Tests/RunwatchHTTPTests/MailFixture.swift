import Dispatch
import RunwatchCore
import RunwatchHTTP
import TestSupport

typealias MailOutcome = Result<MailReply, MailFailure>

/// A mail transport on a queue of its own, for tests that wait for what came of their mails.
///
/// Sendable by hand: the transport is touched on its queue alone.
final class MailFixture: @unchecked Sendable {
    let queue = DispatchQueue(label: "mail-transport-test")
    private let transport: CurlMailTransport

    init(
        options: HTTPConnectionOptions = HTTPConnectionOptions(), maximumConnections: Int = 4
    ) {
        transport = CurlMailTransport(
            queue: queue, options: options, maximumConnections: maximumConnections)
    }

    deinit {
        nonisolated(unsafe) let transport = transport
        queue.async { transport.close() }
    }

    func send(_ mail: MailRequest) async -> MailOutcome {
        await withCheckedContinuation { continuation in
            onTransport { transport in
                transport.send(mail) { continuation.resume(returning: $0) }
            }
        }
    }

    /// What came of all the mails, sent in one go, in the order of sending.
    func burst(_ mails: [MailRequest]) async -> [MailOutcome] {
        await withCheckedContinuation { continuation in
            onTransport { transport in
                var outcomes = [MailOutcome?](repeating: nil, count: mails.count)
                var left = mails.count
                for (index, mail) in mails.enumerated() {
                    transport.send(mail) { outcome in
                        outcomes[index] = outcome
                        left -= 1
                        if left == 0 {
                            continuation.resume(returning: outcomes.compactMap { $0 })
                        }
                    }
                }
            }
        }
    }

    func onTransport(_ body: @escaping @Sendable (CurlMailTransport) -> Void) {
        queue.async { body(self.transport) }
    }

    func close() async {
        await withCheckedContinuation { continuation in
            onTransport { transport in
                transport.close()
                continuation.resume()
            }
        }
    }
}

extension MailOutcome {
    var reply: MailReply? { try? get() }
    var failure: MailFailure? {
        guard case .failure(let failure) = self else { return nil }
        return failure
    }
}

/// What a scripted server says at each step of a session, every reply with its line ends.
struct SMTPScript: Sendable {
    enum Step: String, CaseIterable, Sendable {
        case greeting, hello, sender, recipient, data, message, quit
    }

    var greeting = "220 mx.example ESMTP\r\n"
    var hello = "250-mx.example greets you\r\n250 SIZE 10000000\r\n"
    /// For each line of a login.
    var login: [String] = []
    var sender = "250 2.1.0 Ok\r\n"
    var recipients = ["250 2.1.5 Ok\r\n"]
    var data = "354 End data with <CR><LF>.<CR><LF>\r\n"
    var message = "250 2.0.0 Ok: queued as 1A\r\n"
    var quit = "221 2.0.0 Bye\r\n"

    /// The whole session.
    var steps: [ScriptedTCPServer.Step] { steps(upTo: nil) }

    /// The session to where the server should say the step's reply.
    func steps(upTo last: Step?) -> [ScriptedTCPServer.Step] {
        var steps: [ScriptedTCPServer.Step] = []
        for step in Step.allCases {
            let replies = replies(at: step)
            for (index, reply) in replies.enumerated() {
                if step != .greeting {
                    let end = step == .message ? "\r\n.\r\n" : "\r\n"
                    steps.append(.read(through: end))
                }
                if step == last, index == 0 { return steps }
                steps.append(.send(reply))
            }
        }
        return steps
    }

    private func replies(at step: Step) -> [String] {
        switch step {
        case .greeting: [greeting]
        case .hello: [hello] + login
        case .sender: [sender]
        case .recipient: recipients
        case .data: [data]
        case .message: [message]
        case .quit: [quit]
        }
    }
}

extension ScriptedTCPServer {
    /// A server that plays the script on every connection.
    convenience init(_ script: SMTPScript) {
        self.init { _ in script.steps }
    }

    var mailURL: String { "smtp://127.0.0.1:\(port)" }

    func mail(
        to recipients: [String] = ["ops@example.com"], message: String = "Subject: x\r\n\r\nhi\r\n",
        timeout: Duration = .seconds(20)
    ) -> MailRequest {
        MailRequest(
            url: mailURL, from: "runwatch@example.com", recipients: recipients,
            message: Array(message.utf8), startTLS: .never, timeout: timeout,
            helloName: "client.example")
    }
}
