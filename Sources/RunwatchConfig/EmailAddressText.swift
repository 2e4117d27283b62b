import RunwatchCore

/// Mailboxes as people write them: `ops@example.com`, `Run Watch <runwatch@example.com>`.
///
/// The part of RFC 5322, section 3.4, that is in use: no comments, no routes, no groups, no quoted local parts,
/// no address literals. Names may hold any character of Unicode, quoted or not.
enum EmailAddressText {
    struct Fault: Error {
        let message: String
    }

    static func parse(_ text: String) throws(Fault) -> EmailAddress {
        guard !text.unicodeScalars.contains(where: ASCII.isControl) else {
            throw Fault(message: "it holds a control character")
        }
        let text = trimmed(text[...])
        guard let open = text.lastIndex(of: "<") else {
            return EmailAddress(address: try address(text))
        }
        guard text.last == ">" else {
            throw Fault(message: "after '<' it needs an address and '>' at the end")
        }
        let name = try name(trimmed(text[..<open]))
        let inside = text[text.index(after: open)...].dropLast()
        return EmailAddress(name: name, address: try address(inside))
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return text
    }

    // MARK: Names

    /// A name without its quotes; `nil` for none.
    private static func name(_ text: Substring) throws(Fault) -> String? {
        let name = text.first == "\"" ? try unquoted(text) : String(text)
        guard !name.contains(where: { $0 == "<" || $0 == ">" }) else {
            throw Fault(message: "the name cannot hold '<' or '>'")
        }
        guard name.utf8.count <= 256 else {
            throw Fault(message: "the name is longer than 256 bytes")
        }
        return name.isEmpty ? nil : name
    }

    /// RFC 5322, section 3.2.4: a backslash quotes the character after it.
    private static func unquoted(_ text: Substring) throws(Fault) -> String {
        var name = ""
        var isEscaped = false
        var isClosed = false
        var rest = text.dropFirst()
        while let character = rest.popFirst() {
            if isEscaped || character != "\\" && character != "\"" {
                name.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                isClosed = true
                break
            }
        }
        guard isClosed, rest.isEmpty else {
            throw Fault(message: "a quoted name ends with '\"' right before '<'")
        }
        return trimmed(name[...]).isEmpty ? "" : name
    }

    // MARK: Addresses

    /// Checks `LOCAL@DOMAIN`: RFC 5321, sections 4.1.2 and 4.5.3.1.
    private static func address(_ text: Substring) throws(Fault) -> String {
        guard let at = text.lastIndex(of: "@") else {
            throw Fault(message: "it needs an address, such as ops@example.com")
        }
        if text.contains(where: { $0 == "," || $0 == ";" }) {
            throw Fault(message: "it is one address; write several as a list")
        }
        let local = text[..<at]
        let domain = text[text.index(after: at)...]
        guard local.utf8.count <= 64 else {
            throw Fault(message: "the part before '@' is longer than 64 bytes")
        }
        guard text.utf8.count <= 254 else {
            throw Fault(message: "the address is longer than 254 bytes")
        }
        guard isDotted(local, of: isAtomByte) else {
            throw Fault(
                message: "the part before '@' is letters, digits and !#$%&'*+-/=?^_`{|}~, "
                    + "with single dots between them")
        }
        let isDomain =
            isDotted(domain) { ASCII.isNameByte($0) && $0 != UInt8(ascii: "_") }
            && domain.split(separator: ".").allSatisfy { label in
                label.utf8.count <= 63 && label.first != "-" && label.last != "-"
            }
        guard isDomain else { throw Fault(message: "the part after '@' is no name of a host") }
        return String(text)
    }

    /// One or more parts with dots between them.
    private static func isDotted(_ text: Substring, of isAllowed: (UInt8) -> Bool) -> Bool {
        text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .allSatisfy { !$0.isEmpty && $0.allSatisfy(isAllowed) }
    }

    /// RFC 5322, section 3.2.3.
    private static func isAtomByte(_ byte: UInt8) -> Bool {
        ASCII.isNameByte(byte) || "!#$%&'*+/=?^`{|}~".utf8.contains(byte)
    }
}
