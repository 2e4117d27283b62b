import RunwatchCore

/// Writes the header of a mail (RFC 5322, section 2.2), field by field, and of each of its parts.
///
/// Whatever a text holds, no field ends early and none begins that was not meant: what is not
/// printable ASCII is written in encoded words, and nothing else gets through.
struct MailHeader {
    /// Of a line, without its line end: RFC 2047's limit, since RFC 5322's is two wider.
    private static let longestLine = 76
    /// Of a word written as it is, which has to fit beside the longest name of a field.
    private static let longestWord = 56

    /// Lines, each with CR LF at its end.
    private(set) var bytes: [UInt8] = []

    /// Adds a field of words with a space between them; a line may break before each but the first.
    mutating func add(_ name: String, words: [String]) {
        var column = name.utf8.count + 1
        bytes += "\(name):".utf8
        for (index, word) in words.enumerated() {
            let word = word.utf8.filter { (0x20...0x7E).contains($0) }
            if index > 0, column + 1 + word.count > MailHeader.longestLine {
                bytes += [13, 10]
                column = 0
            }
            bytes.append(32)
            bytes += word
            column += 1 + word.count
        }
        bytes += [13, 10]
    }

    /// Adds a field of free text: one line, which comes back to the byte.
    mutating func add(_ name: String, text: String) {
        add(name, words: MailHeader.words(of: text, first: MailHeader.room(after: name)))
    }

    /// Adds a field of mailboxes (RFC 5322, section 3.4).
    mutating func add(_ name: String, _ mailboxes: [EmailAddress]) {
        let room = MailHeader.room(after: name)
        var words: [String] = []
        for (index, mailbox) in mailboxes.enumerated() {
            let comma = index < mailboxes.count - 1 ? "," : ""
            // The transport sends nothing to an address with such characters.
            let address = String(mailbox.address.filter { !" <>,;\"".contains($0) })
            let name = PrintableText.escaped(mailbox.name ?? "")
            guard !name.isEmpty else {
                words.append(address + comma)
                continue
            }
            words += MailHeader.phrase(of: name, first: room) + ["<\(address)>\(comma)"]
        }
        add(name, words: words)
    }

    private static func room(after name: String) -> Int {
        longestLine - name.utf8.count - ": ".utf8.count
    }

    private static func words(of text: String, first: Int) -> [String] {
        guard !text.isEmpty else { return [] }
        return plainWords(of: text) ?? EncodedWord.words(text, first: first)
    }

    /// The words of a text that may stand as it is; `nil` when it must be encoded.
    private static func plainWords(of text: String) -> [String]? {
        guard text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }), !text.contains("=?") else {
            return nil
        }
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        // Spaces that are not single would be lost at the end of a line.
        let isFoldable = words.allSatisfy { !$0.isEmpty && $0.utf8.count <= longestWord }
        return isFoldable ? words.map { String($0) } : nil
    }

    /// The name of a mailbox: atoms, a quoted text or encoded words (RFC 5322, section 3.2.5).
    private static func phrase(of name: String, first: Int) -> [String] {
        guard let words = plainWords(of: name) else {
            return EncodedWord.words(name, first: first)
        }
        guard !name.utf8.allSatisfy({ $0 == 32 || isAtomByte($0) }) else { return words }
        let quoted = name.reduce(into: "\"") { quoted, character in
            if character == "\"" || character == "\\" { quoted.append("\\") }
            quoted.append(character)
        }
        guard quoted.utf8.count < first else { return EncodedWord.words(name, first: first) }
        return [quoted + "\""]
    }

    /// RFC 5322, section 3.2.3.
    private static func isAtomByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
        }
    }
}
