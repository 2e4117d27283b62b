package import Dispatch
package import RunwatchCore
package import RunwatchHTTP
package import RunwatchStore

/// Sends events as mail.
package final class EmailReceiver: Receiver {
    private let settings: EmailSettings
    private let message: EmailMessage
    private let timeout: Duration
    private let transport: any MailTransport
    private let queue: DispatchQueue
    /// The longer one first: the other may be a part of it.
    private let hidden: [Secret]

    package init(
        _ settings: EmailSettings, timeout: Duration, transport: any MailTransport,
        queue: DispatchQueue
    ) {
        self.settings = settings
        message = EmailMessage(settings)
        self.timeout = timeout
        self.transport = transport
        self.queue = queue
        hidden = [settings.username, settings.password].compactMap(\.self).sorted {
            $0.reveal().utf8.count > $1.reveal().utf8.count
        }
    }

    package func attempt(
        _ delivery: PendingDelivery, at moment: Timestamp,
        completion: @escaping (AttemptResult) -> Void
    ) {
        do throws(MessageTemplate.Failure) {
            let mail = MailRequest(
                url: settings.url, from: settings.from.address,
                recipients: settings.to.map(\.address), message: try message.bytes(of: delivery),
                username: settings.username, password: settings.password,
                startTLS: .init(settings.startTLS), timeout: timeout)
            transport.send(mail) { [self] result in
                switch result {
                case .success(let reply): completion(judge(reply))
                case .failure(let failure): completion(judge(failure))
                }
            }
        } catch {
            let result = AttemptResult(.later(hint: nil), message: error.description)
            AttemptResult.hand(result, to: completion, on: queue)
        }
    }

    private func judge(_ reply: MailReply) -> AttemptResult {
        AttemptResult(.delivered, status: reply.code, message: words(of: reply))
    }

    private func judge(_ failure: MailFailure) -> AttemptResult {
        guard failure.code != .cancelled else { return AttemptResult(.abandoned) }
        let message = printable(failure.message)
        guard let reply = failure.reply else {
            let words = PrintableText.truncated(message, to: 2 * AnswerText.excerpt)
            return AttemptResult(.later(hint: nil), message: words)
        }
        // The server's words are a part of the message, and longer than is of use.
        let words = words(of: reply)
        let whole = printable(reply.description)
        let start = message.hasSuffix(whole) ? String(message.dropLast(whole.count)) : "refused: "
        // Tried again all the same: a mailbox that is full or misspelt gets mended.
        let end = reply.isTemporary ? "" : " (for good, says the server)"
        return AttemptResult(
            .later(hint: nil), status: reply.code,
            message: PrintableText.truncated(start, to: AnswerText.excerpt) + words + end)
    }

    /// `250 2.0.0 Ok: queued as 1A`.
    private func words(of reply: MailReply) -> String {
        PrintableText.truncated(printable(reply.description), to: AnswerText.excerpt)
    }

    private func printable(_ text: String) -> String {
        PrintableText.escaped(hidden.reduce(text) { $1.redacted(from: $0) })
    }
}

extension MailRequest.StartTLS {
    fileprivate init(_ settings: EmailSettings.StartTLS) {
        switch settings {
        case .always: self = .always
        case .auto: self = .auto
        case .never: self = .never
        }
    }
}
