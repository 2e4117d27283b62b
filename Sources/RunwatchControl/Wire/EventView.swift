package import RunwatchCore

/// A recorded event, as the API shows it: its number, and the event as receivers get it.
package struct EventView: WireView {
    /// Grows with every event; never used twice.
    package var number: Int64
    /// The event as it is sent: a JSON object.
    package var json: [UInt8]

    package init(number: Int64, json: [UInt8]) {
        self.number = number
        self.json = json
    }

    package init(_ object: WireObject) throws(WireError) {
        number = try object.integer("number")
        json = JSONValue.object(object.members.filter { $0.name != "number" }).bytes
    }

    /// Writes the event with its `number` before its other members.
    package func write(to writer: inout JSONWriter) {
        var text = Array("{\"number\":\(number)".utf8)
        let members = json.drop { $0 != UInt8(ascii: "{") }.dropFirst()
        if members.first(where: { !EventView.isSpace($0) }) != UInt8(ascii: "}") {
            text.append(UInt8(ascii: ","))
        }
        text.append(contentsOf: members)
        writer.raw(text)
    }

    /// The event with its number, on one line.
    package var numbered: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }

    /// The event's type: `run.complete`; `nil` when the object has none.
    package var type: String? {
        guard var reader = try? JSONReader(json), (try? reader.beginObject()) != nil
        else { return nil }
        // What cannot be read has no type: it is not this program's to judge.
        while let key = try? reader.nextKey() {
            if key == "type" { return try? reader.string() }
            guard (try? reader.skip()) != nil else { return nil }
        }
        return nil
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }
}
