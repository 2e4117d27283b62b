import RunwatchCore

/// Makes a service's words fit to record and to show: short, printable and without our credentials.
///
/// A service may say anything, our own credentials included; what it says ends in a terminal, in the
/// database and in other people's programs.
struct ServiceWords: Sendable {
    /// For a message: a long line, and far from a page.
    static let messageLimit = 500
    /// For one text of the detail.
    static let textLimit = 2048
    /// For a name or a status word.
    static let wordLimit = 128

    /// How much of a text is looked at, in bytes; more than any limit above leaves after redaction.
    private static let lookedAt = 16_384

    private let secrets: [Secret]
    private let longestSecret: Int

    init(hiding secrets: [Secret]) {
        self.secrets = secrets
        longestSecret = secrets.map { $0.reveal().utf8.count }.max() ?? 0
    }

    /// Removes control characters and credentials and cuts between characters.
    ///
    /// Line breaks and tabs become spaces; what turns the direction of text is removed as well.
    /// - Parameter limit: The longest result, in bytes of UTF-8.
    func clean(_ text: String, limit: Int) -> String {
        if text.isEmpty { return text }
        var cleaned = text
        var isWhole = true
        if text.utf8.count > limit || !ServiceWords.isPlain(text) {
            (cleaned, isWhole) = ServiceWords.printable(text)
        }
        for secret in secrets { cleaned = secret.redacted(from: cleaned) }
        if !isWhole {
            // The end may hold the first part of a secret.
            cleaned = ServiceWords.cut(cleaned, to: cleaned.utf8.count - longestSecret)
        }
        return ServiceWords.cut(cleaned, to: limit)
    }

    private static func isPlain(_ text: String) -> Bool {
        let bytes = text.utf8Span.span
        for index in bytes.indices where bytes[index] < 0x20 || bytes[index] >= 0x7F {
            return false
        }
        return true
    }

    private static func printable(_ text: String) -> (text: String, isWhole: Bool) {
        var kept = ""
        var size = 0
        var wantsSpace = false
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x09, 0x0A, 0x0D, 0x20, 0x85, 0x2028, 0x2029:
                wantsSpace = size > 0
                continue
            case 0..<0x20, 0x7F...0x9F, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069, 0xFEFF:
                continue
            default: break
            }
            if wantsSpace {
                kept.unicodeScalars.append(" ")
                size += 1
                wantsSpace = false
            }
            kept.unicodeScalars.append(scalar)
            size += UTF8.width(scalar)
            if size > lookedAt { return (kept, false) }
        }
        return (kept, true)
    }

    private static func cut(_ text: String, to limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var end = max(0, limit)
        let bytes = Array(text.utf8.prefix(end + 1))
        while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return String(decoding: bytes[..<end], as: UTF8.self)
    }
}
