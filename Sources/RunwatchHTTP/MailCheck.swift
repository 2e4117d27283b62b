import RunwatchCore

/// What must hold of a mail before libcurl sees it.
///
/// libcurl takes C strings and builds command lines of them: a line break would start a new command, a
/// closing bracket would end the address, a NUL would cut the text.
enum MailCheck {
    static func check(
        _ mail: MailRequest, _ options: HTTPConnectionOptions
    ) throws(MailFailure) {
        do throws(HTTPFailure) {
            try RequestCheck.check(options)
        } catch {
            throw MailFailure(error)
        }
        guard !options.refusesPrivate else {
            throw MailFailure(.badRequest, "deny_private is not for mail")
        }
        try check(url: mail.url)
        try checkAddresses(mail)
        try checkLogin(mail)
        if let name = mail.helloName { try check(helloName: name) }
        try check(message: mail.message)
    }

    private static func check(url: String) throws(MailFailure) {
        guard let host = host(of: url) else {
            throw MailFailure(.badRequest, "the URL must start with smtp:// or smtps://")
        }
        let isPlain = host.utf8.allSatisfy { $0 > 32 && $0 != 127 && !"/?#@\\%".utf8.contains($0) }
        guard isPlain, !host.isEmpty else {
            throw MailFailure(
                .badRequest, "the URL must hold a host, perhaps a port, and nothing else")
        }
    }

    /// What stands between the scheme and one slash at the end; `nil` when the scheme is not SMTP's.
    static func host(of url: String) -> Substring? {
        for scheme in ["smtp://", "smtps://"]
        where url.prefix(scheme.count).lowercased() == scheme {
            let rest = url.dropFirst(scheme.count)
            return rest.hasSuffix("/") ? rest.dropLast() : rest
        }
        return nil
    }

    private static func checkAddresses(_ mail: MailRequest) throws(MailFailure) {
        guard !mail.recipients.isEmpty, !mail.recipients.contains("") else {
            throw MailFailure(.badRequest, "the mail has no recipient, or an empty one")
        }
        for address in [mail.from] + mail.recipients {
            let isPlain = address.utf8.allSatisfy {
                $0 > 32 && $0 != 127 && !"<>".utf8.contains($0)
            }
            // Not shown: it is what broke the rules of text.
            guard isPlain else {
                throw MailFailure(
                    .badRequest,
                    "an address holds a space, a control character or an angle bracket; "
                        + "it must be like ops@example.com, without a name")
            }
        }
    }

    private static func checkLogin(_ mail: MailRequest) throws(MailFailure) {
        guard (mail.username == nil) == (mail.password == nil) else {
            throw MailFailure(.badRequest, "a username needs a password, and the other way round")
        }
        let texts = [mail.username, mail.password].compactMap { $0?.reveal() }
        guard !texts.contains(where: { $0.isEmpty || $0.utf8.contains(0) }) else {
            throw MailFailure(.badRequest, "the username or the password is empty or holds a NUL")
        }
    }

    /// RFC 5321, section 4.1.2: a domain, or an address in brackets.
    private static func check(helloName: String) throws(MailFailure) {
        let isPlain = helloName.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-._:[]".utf8.contains(byte)
            }
        }
        guard isPlain, !helloName.isEmpty else {
            throw MailFailure(.badRequest, "the name for EHLO must be a domain")
        }
    }

    /// A CR or LF alone is not to be sent (RFC 5321, section 2.3.8).
    ///
    /// Some servers take it for the end of a line, and what follows could be the end of the message to them.
    private static func check(message: [UInt8]) throws(MailFailure) {
        guard !message.isEmpty else { throw MailFailure(.badRequest, "the message is empty") }
        var last: UInt8 = 0
        for byte in message {
            guard (last == 13) == (byte == 10) else {
                throw MailFailure(.badRequest, "a line of the message does not end in CR LF")
            }
            last = byte
        }
        guard last != 13 else {
            throw MailFailure(.badRequest, "a line of the message does not end in CR LF")
        }
    }
}
