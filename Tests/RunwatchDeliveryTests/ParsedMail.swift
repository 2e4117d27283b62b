import Foundation
import RunwatchCore
import Testing

/// What is wrong with a mail.
struct MailFault: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// A mail read back by the letter of its standards; whatever they forbid is an error.
struct ParsedMail {
    struct Field: Equatable {
        var name: String
        /// Unfolded.
        var raw: String
        /// With its encoded words decoded.
        var text: String
    }

    struct Part {
        var fields: [Field]
        var encoding: String
        /// The body's lines, decoded.
        var lines: [String]
        var text: String { lines.joined(separator: "\n") }
    }

    var fields: [Field]
    var parts: [Part]
    /// Of any line, without its line end.
    var longestLine: Int

    init(_ bytes: [UInt8]) throws {
        var lines = try ParsedMail.lines(bytes)
        longestLine = lines.map(\.utf8.count).max() ?? 0
        fields = try ParsedMail.takeFields(&lines)
        for index in fields.indices {
            fields[index].text = try ParsedMail.decoded(fields[index].raw)
        }
        let type = fields.first { $0.name == "Content-Type" }?.raw ?? ""
        let start = "multipart/alternative; boundary=\""
        guard type.hasPrefix(start), type.hasSuffix("\"") else { throw MailFault("no multipart") }
        let boundary = type.dropFirst(start.count).dropLast()
        guard boundary.count <= 70, lines.last == "--\(boundary)--" else {
            throw MailFault("it does not end with the boundary")
        }
        let sections = lines.dropLast().split(
            omittingEmptySubsequences: false, whereSeparator: { $0 == "--\(boundary)" })
        guard sections.first == [] else { throw MailFault("something before the first part") }
        parts = try sections.dropFirst().map { try ParsedMail.part(Array($0)) }
    }

    subscript(name: String) -> String? { fields.first { $0.name == name }?.text }

    var subject: String { self["Subject"] ?? "" }
    var text: Part { parts[0] }
    var html: Part { parts[1] }

    // MARK: Lines and fields

    private static func lines(_ bytes: [UInt8]) throws -> [String] {
        var lines: [String] = []
        var line: [UInt8] = []
        var last: UInt8 = 0
        for byte in bytes {
            switch byte {
            case 10:
                guard last == 13 else { throw MailFault("a bare LF") }
                lines.append(String(decoding: line, as: UTF8.self))
                line = []
            case 13: break
            case 9, 32...126:
                guard last != 13 else { throw MailFault("a bare CR") }
                line.append(byte)
            default: throw MailFault("byte \(byte)")
            }
            last = byte
        }
        guard line.isEmpty, last == 10 else { throw MailFault("no line end at the end") }
        return lines
    }

    private static func takeFields(_ lines: inout [String]) throws -> [Field] {
        var fields: [Field] = []
        while !lines.isEmpty {
            let line = lines.removeFirst()
            if line.isEmpty { return fields }
            if line.first == " " || line.first == "\t" {
                guard !fields.isEmpty, line.contains(where: { $0 != " " }) else {
                    throw MailFault("a folded line of nothing")
                }
                fields[fields.count - 1].raw += line
                continue
            }
            guard let colon = line.firstIndex(of: ":"), line[colon...].hasPrefix(": ") else {
                throw MailFault("no field: '\(line)'")
            }
            let name = line[..<colon]
            guard !name.isEmpty, name.allSatisfy({ $0.isLetter || $0 == "-" }) else {
                throw MailFault("no name of a field: '\(name)'")
            }
            fields.append(
                Field(name: String(name), raw: String(line[colon...].dropFirst(2)), text: ""))
        }
        throw MailFault("a header without an end")
    }

    private static func part(_ lines: [String]) throws -> Part {
        var lines = lines
        let fields = try takeFields(&lines)
        let encoding = fields.first { $0.name == "Content-Transfer-Encoding" }?.raw ?? ""
        let bytes: [UInt8]
        switch encoding {
        case "quoted-printable": bytes = try quotedPrintable(lines)
        case "base64":
            guard let decoded = Base64.decode(lines.joined()) else {
                throw MailFault("no base64")
            }
            bytes = decoded
        default: throw MailFault("the encoding '\(encoding)'")
        }
        return Part(fields: fields, encoding: encoding, lines: try textLines(bytes))
    }

    /// The lines of a decoded text: UTF-8, and CR LF after each.
    private static func textLines(_ bytes: [UInt8]) throws -> [String] {
        var lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
        guard lines.removeLast().isEmpty else { throw MailFault("no line end after the text") }
        return try lines.map { line in
            guard line.last == 13, !line.dropLast().contains(13),
                let text = String(validating: line.dropLast(), as: UTF8.self)
            else { throw MailFault("a line without CR LF, or not of UTF-8") }
            return text
        }
    }

    // MARK: Encodings

    private static func quotedPrintable(_ lines: [String]) throws -> [UInt8] {
        var bytes: [UInt8] = []
        for line in lines {
            guard line.last != " ", line.last != "\t" else { throw MailFault("lost white space") }
            var rest = Array(line.utf8)[...]
            var isSoft = false
            while let byte = rest.popFirst() {
                guard byte == UInt8(ascii: "=") else {
                    bytes.append(byte)
                    continue
                }
                guard !rest.isEmpty else {
                    isSoft = true
                    break
                }
                bytes.append(try escaped(&rest))
            }
            if !isSoft { bytes += [13, 10] }
        }
        return Array(bytes.dropLast(2))
    }

    /// The byte of two hexadecimal digits in upper case.
    private static func escaped(_ rest: inout ArraySlice<UInt8>) throws -> UInt8 {
        let digits = String(decoding: rest.prefix(2), as: UTF8.self)
        rest = rest.dropFirst(2)
        guard digits.utf8.count == 2, digits == digits.uppercased(),
            let byte = UInt8(digits, radix: 16)
        else { throw MailFault("an escape of '\(digits)'") }
        return byte
    }

    /// The text of a field with its encoded words decoded (RFC 2047).
    private static func decoded(_ raw: String) throws -> String {
        var output = ""
        var wasEncoded = false
        for (index, word) in raw.components(separatedBy: " ").enumerated() {
            guard word.contains("=?") else {
                output += (index > 0 ? " " : "") + word
                wasEncoded = false
                continue
            }
            // White space between two encoded words is not of the text.
            if index > 0, !wasEncoded { output += " " }
            output += try decodedWord(word)
            wasEncoded = true
        }
        return output
    }

    private static func decodedWord(_ word: String) throws -> String {
        let pieces = word.components(separatedBy: "?")
        guard pieces.count == 5, pieces[0] == "=", pieces[1] == "UTF-8", pieces[4] == "=",
            word.utf8.count <= 75, !pieces[3].isEmpty
        else { throw MailFault("no encoded word: '\(word)'") }
        let bytes: [UInt8]?
        switch pieces[2] {
        case "B": bytes = Base64.decode(pieces[3])
        case "Q":
            let line = pieces[3].replacingOccurrences(of: "_", with: " ") + "="
            bytes = try quotedPrintable([line, ""])
        default: bytes = nil
        }
        guard let bytes, let text = String(validating: bytes, as: UTF8.self) else {
            throw MailFault("an encoded word that cannot be read: '\(word)'")
        }
        return text
    }
}
