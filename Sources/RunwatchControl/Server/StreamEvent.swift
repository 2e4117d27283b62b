package import RunwatchCore

/// A committed event on its way to those who follow: written once, whoever gets it.
package struct StreamEvent: Sendable {
    package let number: Int64
    /// `nil` for a type that this program does not know.
    package let type: EventType?
    /// What it is about: `SERVICE/ID`, or a service, a group, a receiver.
    package let subject: String
    /// As Server-Sent Events have it, the empty line after it included.
    package let text: [UInt8]
    /// The event's group, or the one that its run belongs to; `nil` for none.
    ///
    /// Read once: a thousand streams that ask for groups would otherwise read each event a thousand times.
    package let group: String?

    package init(number: Int64, type: EventType?, subject: String, json: [UInt8]) {
        self.number = number
        self.type = type
        self.subject = subject
        group = StreamEvent.group(in: json)
        text = StreamEvent.text(number: number, type: type?.name, json: json)
    }

    private static func group(in json: [UInt8]) -> String? {
        guard var reader = try? JSONReader(json), (try? reader.beginObject()) != nil
        else { return nil }
        // What cannot be read belongs to no group.
        while let key = try? reader.nextKey() {
            if key == "data" { return StreamEvent.group(&reader) }
            guard (try? reader.skip()) != nil else { return nil }
        }
        return nil
    }

    private static func group(_ reader: inout JSONReader) -> String? {
        guard (try? reader.beginObject()) != nil else { return nil }
        while let key = try? reader.nextKey() {
            if key == "group" { return try? reader.string() }
            guard (try? reader.skip()) != nil else { return nil }
        }
        return nil
    }

    /// Whether it is about the service, or about a run there.
    package func concerns(service: String) -> Bool {
        switch type {
        case .serviceDown, .serviceUp: return ExactText.areSame(subject, service)
        case .run, .runStalled:
            // A service's name holds no slash, so the first one ends it.
            return subject.utf8.starts(with: service.utf8)
                && subject.utf8.dropFirst(service.utf8.count).first == UInt8(ascii: "/")
        default: return false
        }
    }

    /// An event as Server-Sent Events have it (WHATWG HTML, section 9.2.6).
    package static func text(number: Int64, type: String?, json: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(json.count + 64)
        text.append(contentsOf: "id: \(number)\n".utf8)
        if let type { text.append(contentsOf: "event: \(type)\n".utf8) }
        // An event is one line; should a detail ever hold a line break, it stays one event.
        for line in json.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            text.append(contentsOf: "data: ".utf8)
            text.append(contentsOf: line)
            text.append(0x0A)
        }
        text.append(0x0A)
        return text
    }
}
