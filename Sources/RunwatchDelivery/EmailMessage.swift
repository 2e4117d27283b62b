import CCrypto
import RunwatchCore
import RunwatchStore
import RunwatchTemplate

/// Writes the mails of one receiver (RFC 5322, MIME), by its templates or in the usual words.
///
/// The same bytes for every attempt at a delivery, to the date and the boundary. CR LF ends every
/// line, and no byte is above 126.
struct EmailMessage: Sendable {
    private let from: EmailAddress
    private let to: [EmailAddress]
    private let subject: MessageTemplate?
    private let text: MessageTemplate?

    init(_ settings: EmailSettings) {
        from = settings.from
        to = settings.to
        subject = settings.subject.map { MessageTemplate($0, key: "subject") }
        text = settings.text.map { MessageTemplate($0, key: "text") }
    }

    func bytes(of delivery: PendingDelivery) throws(MessageTemplate.Failure) -> [UInt8] {
        let content = try content(of: delivery)
        // At most 70 characters (RFC 2046, section 5.1.1).
        let boundary = "=_" + EmailMessage.plain(delivery.id).prefix(60)
        var bytes = header(of: delivery, content, boundary)
        bytes += "\r\n".utf8
        for (type, lines) in [("plain", content.lines), ("html", EmailHTML.lines(of: content))] {
            let body = MailBody(lines)
            var header = MailHeader()
            header.add("Content-Type", words: ["text/\(type);", "charset=utf-8"])
            header.add("Content-Transfer-Encoding", words: [body.encoding])
            bytes += "--\(boundary)\r\n".utf8
            bytes += header.bytes
            bytes += "\r\n".utf8
            bytes += body.bytes
            // Of the boundary, not of the body.
            bytes += "\r\n".utf8
        }
        bytes += "--\(boundary)--\r\n".utf8
        return bytes
    }

    private func content(
        of delivery: PendingDelivery
    ) throws(MessageTemplate.Failure) -> EmailContent {
        var content = EmailContent(delivery)
        guard subject != nil || text != nil else { return content }
        let value = EventMessage.value(of: delivery)
        if let subject { content.setSubject(try subject.render(value, escape: .none)) }
        if let text { content.setText(try text.render(value, escape: .none)) }
        return content
    }

    private func header(
        of delivery: PendingDelivery, _ content: EmailContent, _ boundary: String
    ) -> [UInt8] {
        var header = MailHeader()
        let only = delivery.parts.count == 1 ? delivery.event : nil
        header.add("Date", words: [EmailMessage.date(content.timestamp)])
        header.add("From", [from])
        header.add("To", to)
        header.add("Subject", text: content.subject)
        header.add("Message-ID", words: ["<\(EmailMessage.plain(delivery.id))@\(domain)>"])
        if let only {
            // No such mail was sent: its name is where those of one run meet.
            let root = "<\(EmailMessage.thread(of: only)).runwatch@\(domain)>"
            header.add("In-Reply-To", words: [root])
            header.add("References", words: [root])
        }
        // RFC 3834, section 5; Exchange has a word of its own for "no answer, please".
        header.add("Auto-Submitted", words: ["auto-generated"])
        header.add("X-Auto-Response-Suppress", words: ["OOF,", "AutoReply"])
        let type = delivery.isDigest ? "digest" : delivery.event.type.name
        header.add("X-Runwatch-Event", words: [type])
        if let only, only.type.isOfRun {
            header.add("X-Runwatch-Watch", text: EmailContent.line(only.subject))
        }
        header.add("MIME-Version", words: ["1.0"])
        header.add("Content-Type", words: ["multipart/alternative;", "boundary=\"\(boundary)\""])
        return header.bytes
    }

    /// Where the names of our mails are unique: the sender's domain.
    private var domain: String {
        let domain = from.address.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        let isPlain = !domain.isEmpty && domain == EmailMessage.plain(String(domain))
        // Reserved for what shall never be found (RFC 2606, section 2).
        return isPlain && from.address.contains("@") ? String(domain) : "runwatch.invalid"
    }

    /// The letters, digits, dots, hyphens and underscores of a text.
    private static func plain(_ text: String) -> String {
        text.filter { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
    }

    /// A name for all mails about the same thing; nothing can be read in it.
    private static func thread(of event: RecordedEvent) -> String {
        // A group may have the name of a service.
        let name = "\(event.type.subjectWord) \(event.subject)"
        let bytes = Array(name.utf8)
        var hash = [UInt8](repeating: 0, count: 32)
        guard EVP_Digest(bytes, bytes.count, &hash, nil, EVP_sha256(), nil) == 1 else {
            preconditionFailure("SHA-256 has no cause to fail but lack of memory")
        }
        return hash.prefix(12).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    /// `Sun, 22 Nov 2026 08:30:00 +0000` (RFC 5322, section 3.3).
    static func date(_ moment: Timestamp) -> String {
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        // From a Thursday on.
        let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let text = Array(moment.description)
        // The text is of the year 9999 at the latest, whatever the moment.
        let shown = Timestamp(rfc3339: moment.description) ?? moment
        let day = Int((shown.milliseconds % 604_800_000 + 604_800_000) / 86_400_000) % 7
        let month = (Int(String(text[5..<7])) ?? 1) - 1
        return "\(weekdays[day]), \(String(text[8..<10])) \(months[month]) \(String(text[..<4])) "
            + "\(String(text[11..<19])) +0000"
    }
}

extension EventType {
    /// Whether it is about one watch.
    fileprivate var isOfRun: Bool {
        switch self {
        case .run, .runStalled: true
        default: false
        }
    }

    /// What its subject is a name of.
    fileprivate var subjectWord: String {
        switch self {
        case .run, .runStalled: "run"
        case .serviceDown, .serviceUp: "service"
        case .groupFinished: "group"
        case .deliveryFailed, .receiverTest: "receiver"
        }
    }
}
