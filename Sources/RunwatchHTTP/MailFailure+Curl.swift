import CCurl

extension MailFailure {
    static let cancelled = MailFailure(.cancelled, "the mail was cancelled")

    /// A failure that has nothing to do with mail.
    init(_ failure: HTTPFailure) {
        let code: Code =
            switch failure.code {
            case .name: .name
            case .connect, .refused: .connect
            case .interrupted: .interrupted
            case .timeout: .timeout
            case .tooLarge, .malformed: .malformed
            case .badRequest: .badRequest
            case .cancelled: .cancelled
            }
        self.init(code, failure.message)
    }

    /// What a failed session means for the one who sent the mail.
    ///
    /// - Parameter text: libcurl's own words; empty when it has none.
    init(_ code: CURLcode, text: String, dialogue: MailDialogue, mail: MailRequest) {
        let step = MailFailure.words(for: dialogue.step, of: mail)
        if let reply = dialogue.reply, reply.code >= 400 {
            // libcurl's code differs from one version to the next; the server's word is what counts.
            self.init(
                dialogue.step.isOfMail ? .mailRefused : .sessionRefused,
                "the server refused \(step): \(reply)", reply: reply)
        } else if dialogue.isOverflowing {
            self.init(.malformed, "the server's replies are too long")
        } else if dialogue.hasForeignLine, dialogue.step == .greeting {
            self.init(.malformed, "what answers does not speak SMTP")
        } else if code == CURLE_USE_SSL_FAILED {
            self.init(.sessionRefused, "the server does not offer STARTTLS")
        } else if code == CURLE_LOGIN_DENIED {
            self.init(
                .sessionRefused,
                "the server offers no way to log in that is known here: CRAM-MD5, PLAIN or LOGIN")
        } else {
            self.init(MailFailure.brokenOff(code, text: text, dialogue: dialogue, step: step))
        }
    }

    /// The failure of a session that nobody refused.
    private static func brokenOff(
        _ code: CURLcode, text: String, dialogue: MailDialogue, step: String
    ) -> HTTPFailure {
        // An abort is by our own watch on the time: whether it is another's was seen before.
        let failure = HTTPFailure(
            code == CURLE_ABORTED_BY_CALLBACK ? CURLE_OPERATION_TIMEDOUT : code, text: text)
        let awaited = dialogue.step == .greeting ? "the greeting" : "the answer to \(step)"
        let hasBegun = dialogue.step != .greeting || dialogue.reply != nil
        switch failure.code {
        case .timeout where hasBegun:
            return HTTPFailure(.timeout, "no answer in time to \(step)")
        case .interrupted:
            guard let reply = dialogue.reply else {
                return HTTPFailure(.interrupted, "the connection ended before \(awaited)")
            }
            guard dialogue.step.expects(reply.code) else {
                return HTTPFailure(.malformed, "the server answered \(step) with \(reply)")
            }
            return HTTPFailure(.interrupted, "the connection ended after \(awaited)")
        default:
            return failure
        }
    }

    /// What was to be answered, as it stands in a sentence.
    private static func words(for step: MailDialogue.Step, of mail: MailRequest) -> String {
        switch step {
        case .greeting: return "the connection"
        case .hello: return "EHLO"
        case .startTLS: return "STARTTLS"
        case .login: return "the login"
        case .sender:
            return mail.from.isEmpty ? "the empty sender" : "the sender \(mail.from)"
        case .recipient(let index):
            guard mail.recipients.indices.contains(index) else { return "a recipient" }
            return "the recipient \(mail.recipients[index])"
        case .data: return "DATA"
        case .message: return "the message"
        }
    }
}

extension MailDialogue.Step {
    /// Whether a refusal concerns the mail, not everything that one could send.
    fileprivate var isOfMail: Bool {
        switch self {
        case .greeting, .hello, .startTLS, .login: false
        case .sender, .recipient, .data, .message: true
        }
    }

    /// Whether a reply lets the session go on (RFC 5321, section 4.3.2; RFC 4954, section 4).
    fileprivate func expects(_ code: Int) -> Bool {
        switch self {
        case .data: code == 354
        case .login: code == 235 || code == 334
        default: (200..<300).contains(code)
        }
    }
}
