/// Follows an SMTP session (RFC 5321) by the lines that went out and came in, to tell who said what to what.
///
/// libcurl says that something failed and which number the server said last; which command it was that the
/// server refused, and in which words, is seen here.
struct MailDialogue {
    /// What the server is to answer next.
    enum Step: Hashable {
        /// Nothing was sent yet.
        case greeting
        case hello
        case startTLS
        case login
        case sender
        /// By its place in the request.
        case recipient(Int)
        case data
        /// The whole message, once it has been sent.
        case message
    }

    /// All replies together.
    private static let maximumBytes = 256 << 10
    /// Of one reply.
    private static let maximumText = 4 << 10

    private(set) var step = Step.greeting
    /// The whole reply to the step; `nil` until it has come.
    private(set) var reply: MailReply?
    /// The reply that accepted the message; whatever happens after does not take it back.
    private(set) var acceptance: MailReply?
    /// Whether we have said goodbye; what the server says to that is of no interest.
    private(set) var isOver = false
    /// Whether there was more than any honest server says.
    private(set) var isOverflowing = false
    /// Whether a line came that is no reply.
    private(set) var hasForeignLine = false
    private var byteCount = 0
    private var text: [UInt8] = []
    private var recipientCount = 0

    /// Takes a command, or a piece of a login.
    mutating func sent(_ line: UnsafeRawBufferPointer) {
        guard !isOver else { return }
        if line.starts(with: "QUIT\r".utf8) {
            // Keeps the last step with its reply, since it is what is left to tell.
            isOver = true
            return
        }
        if let next = nextStep(line) { step = next }
        forgetReply()
    }

    /// The first piece of the message is sent.
    mutating func messageBegins() {
        guard step != .message else { return }
        step = .message
        forgetReply()
    }

    /// Takes a line from the server, with its line end.
    ///
    /// - Returns: Whether to go on.
    mutating func received(_ line: UnsafeRawBufferPointer) -> Bool {
        byteCount += line.count
        guard byteCount <= MailDialogue.maximumBytes else {
            isOverflowing = true
            return false
        }
        guard !isOver else { return true }
        guard let code = MailDialogue.code(line) else {
            hasForeignLine = true
            return true
        }
        keep(line.dropFirst(4))
        // "250-" goes on, "250 " and a bare "250" end the reply.
        guard line.count <= 3 || line[3] != UInt8(ascii: "-") else { return true }
        let whole = MailReply(code: code, text: String(decoding: text, as: UTF8.self))
        text = []
        reply = whole
        if step == .message, (200..<300).contains(code) { acceptance = whole }
        return true
    }

    private mutating func forgetReply() {
        reply = nil
        text = []
    }

    private mutating func nextStep(_ line: UnsafeRawBufferPointer) -> Step? {
        if line.starts(with: "EHLO ".utf8) || line.starts(with: "HELO ".utf8) { return .hello }
        if line.starts(with: "STARTTLS\r".utf8) { return .startTLS }
        if line.starts(with: "AUTH ".utf8) { return .login }
        if line.starts(with: "MAIL FROM:".utf8) { return .sender }
        if line.starts(with: "DATA\r".utf8) { return .data }
        if line.starts(with: "RCPT TO:".utf8) {
            recipientCount += 1
            return .recipient(recipientCount - 1)
        }
        return nil
    }

    /// Adds one line's words to the reply's.
    private mutating func keep(_ words: Slice<UnsafeRawBufferPointer>) {
        let room = MailDialogue.maximumText - text.count
        guard room > 1 else { return }
        if !text.isEmpty { text.append(32) }
        for byte in words.prefix(room - 1) {
            text.append(byte < 32 || byte == 127 ? 32 : byte)
        }
        while text.last == 32 { text.removeLast() }
    }

    /// The number at the start of a reply's line (RFC 5321, section 4.2); `nil` when it is none.
    private static func code(_ line: UnsafeRawBufferPointer) -> Int? {
        var code = 0
        guard line.count >= 3 else { return nil }
        for byte in line.prefix(3) {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            code = code * 10 + Int(byte - UInt8(ascii: "0"))
        }
        guard line.count > 3 else { return code }
        return " -\r\n".utf8.contains(line[3]) ? code : nil
    }
}
