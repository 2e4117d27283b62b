package import RunwatchCore

// Where a page of a list ended, as text that a URL takes as it is; opaque to who uses it.
//
// Each begins with a letter of its list, so that the cursor of another list is refused and not misread.
// A cursor is a place in the list's order, not a row: it holds when rows come, change or go, the one that
// it was made from included.

/// The cursor of a list of watches: the last name of a page.
package enum WatchCursor {
    package static func encode(_ name: WatchName) -> String {
        "w\(HexText.encode(name.service)).\(HexText.encode(name.run))"
    }

    package static func decode(_ text: String) -> WatchName? {
        guard let parts = CursorText.parts(text, of: "w"), parts.count == 2,
            let service = HexText.decode(parts[0]), let run = HexText.decode(parts[1])
        else { return nil }
        return WatchName(service: service, run: run)
    }
}

/// The cursor of a list of deliveries: the place of the last one of a page.
///
/// A place never changes, and no other delivery gets it, whatever becomes of this one.
package struct DeliveryCursor: Hashable, Sendable {
    package var eventNumber: Int64
    package var receiver: String

    package init(eventNumber: Int64, receiver: String) {
        self.eventNumber = eventNumber
        self.receiver = receiver
    }

    package var text: String { "d\(eventNumber).\(HexText.encode(receiver))" }

    package init?(_ text: String) {
        guard let parts = CursorText.parts(text, of: "d"), parts.count == 2,
            let number = CursorText.number(parts[0]), let receiver = HexText.decode(parts[1])
        else { return nil }
        self.init(eventNumber: number, receiver: receiver)
    }
}

/// The cursor of a list of events: the number of the last one of a page.
package enum EventCursor {
    package static func encode(_ number: Int64) -> String { "e\(number)" }

    package static func decode(_ text: String) -> Int64? { CursorText.number(text, of: "e") }
}

/// The cursor of a watch's transitions: the sequence of the last one of a page.
package enum TransitionCursor {
    package static func encode(_ sequence: Int) -> String { "t\(sequence)" }

    package static func decode(_ text: String) -> Int64? { CursorText.number(text, of: "t") }
}

private enum CursorText {
    /// What stands behind a list's letter, split at its dots; `nil` for the cursor of another list.
    static func parts(_ text: String, of list: Character) -> [Substring]? {
        guard text.first == list else { return nil }
        return text.dropFirst().split(separator: ".", omittingEmptySubsequences: false)
    }

    /// A cursor that is one number.
    static func number(_ text: String, of list: Character) -> Int64? {
        guard let parts = parts(text, of: list), parts.count == 1 else { return nil }
        return number(parts[0])
    }

    /// One form for each number: no sign, no leading zero, and far fewer digits than overflow.
    static func number(_ text: Substring) -> Int64? {
        guard text.utf8.count <= 18, text == "0" || text.first != "0",
            text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { return nil }
        return Int64(text)
    }
}

/// Text in hexadecimal, since a run's ID may hold anything.
private enum HexText {
    static func encode(_ plain: String) -> String {
        var text = ""
        for byte in plain.utf8 {
            text += byte < 16 ? "0" : ""
            text += String(byte, radix: 16)
        }
        return text
    }

    /// Bytes that are no UTF-8 are repaired: they name a place between texts all the same.
    static func decode(_ text: Substring) -> String? {
        let digits = Array(text.utf8)
        guard !digits.isEmpty, digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[index]), let low = value(digits[index + 1])
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
