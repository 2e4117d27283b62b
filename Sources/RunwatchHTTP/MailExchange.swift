import CCurl
import Dispatch
import RunwatchCore
import Synchronization

/// The sending of one mail over a connection of its own, which holds the thread until its end.
///
/// Not by the multi interface, though that is said never to block: libcurl waits within the call for the
/// reply to the message and for the one to QUIT (`smtp_done` and `smtp_disconnect` of lib/smtp.c, 7.88 and
/// later), that is for as long as the server likes to think. Nor is a connection used again: one whose
/// mail timed out is kept with the reply still to come, which would be taken for the next mail's.
final class MailExchange: CurlEasyHandle {
    /// Ends a mail from another thread, within about a second.
    final class Stop: Sendable {
        private let flag = Atomic(false)
        var isSet: Bool { flag.load(ordering: .relaxed) }
        func set() { flag.store(true, ordering: .relaxed) }
    }

    /// The ways to log in, of those that libcurl knows; it takes the first that the server offers too.
    ///
    /// Not NTLM and Kerberos, which it would prefer: they fail where a password alone would do.
    private static let logins = "AUTH=CRAM-MD5;AUTH=PLAIN;AUTH=LOGIN"
    /// What libcurl gets to end a mail whose time is over, before we do it.
    private static let grace: UInt64 = 500_000_000
    /// The wait for the answer to QUIT, in nanoseconds: politeness, and no more.
    private static let farewell: UInt64 = 1_000_000_000

    let easy: UnsafeMutableRawPointer
    private var dialogue = MailDialogue()
    private let mail: MailRequest
    private let stop: Stop
    private let errorText: UnsafeMutablePointer<CChar>
    private var recipients: UnsafeMutablePointer<curl_slist>?
    /// Bytes of the message that libcurl has taken.
    private var offset = 0
    /// When the mail must be over, in nanoseconds of `DispatchTime`.
    private var limit: UInt64
    private var isLeaving = false

    /// Sends the mail; returns within its timeout and about two seconds.
    static func send(
        _ mail: MailRequest, options: HTTPConnectionOptions, stop: Stop
    ) -> Result<MailReply, MailFailure> {
        do throws(MailFailure) {
            guard !stop.isSet else { throw MailFailure.cancelled }
            try MailCheck.check(mail, options)
            let exchange = try MailExchange(mail, options, stop)
            return exchange.result(curl_easy_perform(exchange.easy))
        } catch {
            return .failure(error)
        }
    }

    private init(
        _ mail: MailRequest, _ options: HTTPConnectionOptions, _ stop: Stop
    ) throws(MailFailure) {
        guard CurlLibrary.isReady, let easy = curl_easy_init() else {
            throw MailFailure(.connect, "libcurl cannot be set up: out of memory")
        }
        self.easy = easy
        self.mail = mail
        self.stop = stop
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        let total = CurlExchange.milliseconds(mail.timeout)
        limit =
            DispatchTime.now().uptimeNanoseconds + UInt64(total) * 1_000_000 + MailExchange.grace
        do throws(HTTPFailure) {
            try setCommonConstants()
            try setConnection(options)
            try setCallbacks()
            try setEnvelope()
            try setLogin()
            try set(CURLOPT_TIMEOUT_MS, total)
            // Many servers greet late, on purpose: senders of spam do not wait.
            try set(CURLOPT_CONNECTTIMEOUT_MS, total)
            // In seconds. Without it libcurl waits two minutes for a reply, whatever is left of the total.
            try set(CURLOPT_SERVER_RESPONSE_TIMEOUT, total / 1000 + 1)
        } catch {
            throw MailFailure(error)
        }
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(recipients)
        errorText.deallocate()
    }

    // MARK: - Setup

    private func setCallbacks() throws(HTTPFailure) {
        let me = Unmanaged.passUnretained(self).toOpaque()
        try check(runwatch_easy_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText))
        try check(runwatch_easy_set_receiver(easy, CURLOPT_WRITEFUNCTION, dropBody))
        try check(runwatch_easy_set_receiver(easy, CURLOPT_HEADERFUNCTION, receiveLine))
        try check(runwatch_easy_set_pointer(easy, CURLOPT_HEADERDATA, me))
        try check(runwatch_easy_set_sender(easy, sendMessage))
        try check(runwatch_easy_set_pointer(easy, CURLOPT_READDATA, me))
        try check(runwatch_easy_set_open_socket(easy, openOwnSocket))
        try check(runwatch_easy_set_progress(easy, watchTime))
        try check(runwatch_easy_set_pointer(easy, CURLOPT_XFERINFODATA, me))
        try set(CURLOPT_NOPROGRESS, 0)
        try check(runwatch_easy_set_trace(easy, seeCommand))
        try check(runwatch_easy_set_pointer(easy, CURLOPT_DEBUGDATA, me))
        // Only with it the trace is called; nothing is printed.
        try set(CURLOPT_VERBOSE, 1)
    }

    private func setEnvelope() throws(HTTPFailure) {
        try set(CURLOPT_PROTOCOLS_STR, "smtp,smtps")
        var url = mail.url
        // The path is what EHLO says.
        if let name = mail.helloName {
            url += (url.hasSuffix("/") ? "" : "/") + PercentEncoding.encode(name)
        }
        try set(CURLOPT_URL, url)
        try set(CURLOPT_UPLOAD, 1)
        try set(CURLOPT_FORBID_REUSE, 1)
        let size = curl_off_t(mail.message.count)
        try check(runwatch_easy_set_size(easy, CURLOPT_INFILESIZE_LARGE, size))
        try set(CURLOPT_MAIL_FROM, mail.from)
        for address in mail.recipients {
            guard let longer = curl_slist_append(recipients, address) else {
                throw HTTPFailure(.badRequest, "out of memory for the recipients")
            }
            recipients = longer
        }
        try check(runwatch_easy_set_pointer(easy, CURLOPT_MAIL_RCPT, recipients))
    }

    private func setLogin() throws(HTTPFailure) {
        let use =
            switch mail.startTLS {
            case .always: CURLUSESSL_ALL
            case .auto: mail.username == nil ? CURLUSESSL_TRY : CURLUSESSL_ALL
            case .never: CURLUSESSL_NONE
            }
        try set(CURLOPT_USE_SSL, Int(use.rawValue))
        guard let username = mail.username, let password = mail.password else { return }
        try set(CURLOPT_USERNAME, username.reveal())
        try set(CURLOPT_PASSWORD, password.reveal())
        try set(CURLOPT_LOGIN_OPTIONS, MailExchange.logins)
    }

    // MARK: - What libcurl asks

    fileprivate func received(_ line: UnsafeRawBufferPointer) -> Bool { dialogue.received(line) }

    fileprivate func sent(_ line: UnsafeRawBufferPointer) { dialogue.sent(line) }

    /// The next piece of the message; 0 at its end.
    fileprivate func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        dialogue.messageBegins()
        let piece = mail.message[offset...].prefix(buffer.count)
        buffer.copyBytes(from: piece)
        offset += piece.count
        return piece.count
    }

    /// Whether to go on; asked once a second and more often.
    fileprivate var goesOn: Bool {
        let now = DispatchTime.now().uptimeNanoseconds
        if dialogue.isOver, !isLeaving {
            isLeaving = true
            limit = min(limit, now + MailExchange.farewell)
        }
        return !stop.isSet && now < limit
    }

    // MARK: - The end

    private func result(_ code: CURLcode) -> Result<MailReply, MailFailure> {
        if let reply = dialogue.acceptance { return .success(redacted(reply)) }
        guard !stop.isSet else { return .failure(.cancelled) }
        var failure = MailFailure(
            code, text: String(cString: errorText), dialogue: dialogue, mail: mail)
        failure.message = redacted(failure.message)
        failure.reply = failure.reply.map(redacted)
        return .failure(failure)
    }

    private func redacted(_ reply: MailReply) -> MailReply {
        MailReply(code: reply.code, text: redacted(reply.text))
    }

    /// The text without our secrets, and what is sent of them (RFC 4616, section 2): a server may repeat
    /// what it did not like.
    private func redacted(_ text: String) -> String {
        var text = text
        if let username = mail.username?.reveal(), let password = mail.password?.reveal() {
            let plain = "\0\(username)\0\(password)"
            for secret in [plain, password, username] {
                text = Secret(Base64.encode(secret.utf8)).redacted(from: text)
                text = Secret(secret).redacted(from: text)
            }
        }
        return String(decoding: text.utf8.prefix(1 << 10), as: UTF8.self)
    }
}

private func exchange(_ context: UnsafeMutableRawPointer) -> MailExchange {
    Unmanaged<MailExchange>.fromOpaque(context).takeUnretainedValue()
}

private let openOwnSocket: curl_opensocket_callback = { _, _, address in
    address.map { CurlSocketSet.newSocket(to: $0.pointee) } ?? CURL_SOCKET_BAD
}

private let dropBody: curl_write_callback = { _, size, count, _ in size * count }

private let receiveLine: curl_write_callback = { bytes, size, count, context in
    guard let context, let bytes else { return 0 }
    let length = size * count
    let line = UnsafeRawBufferPointer(start: bytes, count: length)
    return exchange(context).received(line) ? length : 0
}

private let sendMessage: curl_read_callback = { bytes, size, count, context in
    guard let context, let bytes else { return 0 }
    return exchange(context).read(
        into: UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
}

private let watchTime: curl_xferinfo_callback = { context, _, _, _, _ in
    guard let context else { return 1 }
    return exchange(context).goesOn ? 0 : 1
}

private let seeCommand: curl_debug_callback = { _, kind, bytes, count, context in
    guard kind == CURLINFO_HEADER_OUT, let context, let bytes else { return 0 }
    exchange(context).sent(UnsafeRawBufferPointer(start: bytes, count: count))
    return 0
}
