package import RunwatchCore

/// The cursor of a list of watches: the last name of a page, as text that a URL takes as it is.
///
/// Opaque to who uses it.
package enum WatchCursor {
    package static func encode(_ name: WatchName) -> String { CursorText.encode(name.description) }

    package static func decode(_ text: String) -> WatchName? {
        CursorText.decode(text).flatMap { WatchName($0) }
    }
}

/// The cursor of a list of deliveries: the place of the last one of a page.
///
/// A place never changes, and no other delivery gets it, whatever becomes of this one. Opaque to who
/// uses it.
package struct DeliveryCursor: Hashable, Sendable {
    package var eventNumber: Int64
    package var receiver: String

    package init(eventNumber: Int64, receiver: String) {
        self.eventNumber = eventNumber
        self.receiver = receiver
    }

    package var text: String { CursorText.encode("\(eventNumber)/\(receiver)") }

    package init?(_ text: String) {
        let parts = CursorText.decode(text)?
            .split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let parts, parts.count == 2, let number = Int64(parts[0]) else { return nil }
        self.init(eventNumber: number, receiver: String(parts[1]))
    }
}

/// Text in hexadecimal, since a name may hold anything.
private enum CursorText {
    static func encode(_ plain: String) -> String {
        var text = ""
        for byte in plain.utf8 {
            text += byte < 16 ? "0" : ""
            text += String(byte, radix: 16)
        }
        return text
    }

    static func decode(_ text: String) -> String? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[index]), let low = value(digits[index + 1])
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
