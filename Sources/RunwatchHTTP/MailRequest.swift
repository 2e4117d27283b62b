package import RunwatchCore

/// One mail to hand to a server over SMTP (RFC 5321).
package struct MailRequest: Sendable {
    /// Whether a connection that begins without TLS goes over to it (RFC 3207).
    package enum StartTLS: Hashable, Sendable {
        /// It must; else the mail is not sent.
        case always
        /// It does where the server offers it. With a username this is the same as `always`: whoever sits
        /// on the line could strike out the offer, and read the password.
        case auto
        /// It does not, and a password is sent as it is: for a server on the same machine.
        case never
    }

    /// `smtp://host`, at port 25 unless another is given, or `smtps://host`, which is TLS from the
    /// start, at port 465; nothing else in it.
    package var url: String
    /// The envelope's sender, an address alone; empty for none, so that no report comes back.
    package var from: String
    /// The envelope's recipients, addresses alone; at least one, and all must be accepted.
    package var recipients: [String]
    /// The headers and the body (RFC 5322), every line with CR LF at its end; not empty.
    ///
    /// Dots are the transport's business. Bytes above 127 are sent as they are, unannounced, so a body is
    /// better encoded.
    package var message: [UInt8]
    /// With a password, or neither.
    ///
    /// CRAM-MD5, PLAIN or LOGIN, whichever of them the server offers; a server that offers no login at all
    /// is sent the mail without.
    package var username: Secret?
    package var password: Secret?
    package var startTLS: StartTLS
    /// From the start to the reply to the whole message.
    package var timeout: Duration
    /// What we call ourselves in EHLO, a domain or an address in brackets; `nil` for the machine's name
    /// up to its first dot.
    package var helloName: String?

    package init(
        url: String, from: String, recipients: [String], message: [UInt8],
        username: Secret? = nil, password: Secret? = nil, startTLS: StartTLS = .auto,
        timeout: Duration = .seconds(60), helloName: String? = nil
    ) {
        self.url = url
        self.from = from
        self.recipients = recipients
        self.message = message
        self.username = username
        self.password = password
        self.startTLS = startTLS
        self.timeout = timeout
        self.helloName = helloName
    }
}

/// What a server said to a command (RFC 5321, section 4.2).
package struct MailReply: Hashable, Sendable, CustomStringConvertible {
    /// 200 to 599, as far as the server keeps to the rules.
    package var code: Int
    /// The lines with a space between them, at most 1 KiB, without control characters and without the
    /// request's secrets; often with an extended code at the start (RFC 3463).
    package var text: String

    package init(code: Int, text: String) {
        self.code = code
        self.text = text
    }

    /// Whether the same may be accepted later (4yz).
    package var isTemporary: Bool { (400..<500).contains(code) }
    /// `550 5.1.1 no such user`.
    package var description: String { text.isEmpty ? "\(code)" : "\(code) \(text)" }
}

/// Why a mail was not accepted, or is not known to be.
package struct MailFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        /// The name does not resolve.
        case name
        /// No connection, or TLS failed.
        case connect
        /// The connection ended too early; whether the mail was accepted may be unknown.
        case interrupted
        /// Likewise.
        case timeout
        /// What answers does not speak SMTP.
        case malformed
        /// The server serves us not at all: it refused the connection, TLS or the login, or does not
        /// offer what is needed. That concerns every mail alike.
        case sessionRefused
        /// The server refused this mail: its sender, a recipient or the message. Whether for good is told
        /// by `reply`.
        case mailRefused
        /// The mail itself cannot be sent: a bad address, URL or message.
        case badRequest
        /// Cancelled, or the transport was closed.
        case cancelled
    }

    package var code: Code
    /// For people; never holds a secret of the request.
    package var message: String
    /// The reply that refused; there for `mailRefused` always, for `sessionRefused` mostly.
    package var reply: MailReply?

    package init(_ code: Code, _ message: String, reply: MailReply? = nil) {
        self.code = code
        self.message = message
        self.reply = reply
    }

    package var description: String { message }
}
