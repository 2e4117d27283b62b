import RunwatchCore

/// What a request asks, written as the entry of a watch list would be, a value a line.
///
/// So that one schema reads both, and the line of a fault tells its place in the request.
struct WatchRequestText {
    private(set) var bytes: [UInt8] = []
    /// By line, from the first.
    private var places: [String] = [""]

    init(_ asked: AskedWatches) {
        bytes = Array("{".utf8)
        write("label", asked.label)
        write("group", asked.group)
        write("pipeline", asked.pipeline)
        if let poll = asked.poll {
            open("poll", "{")
            write("initial", poll.initial, in: "poll.")
            write("factor", poll.factor, in: "poll.")
            write("max", poll.maximum, in: "poll.")
            write("jitter", poll.jitter, in: "poll.")
            bytes += Array("},".utf8)
        }
        write("deadline", asked.deadline)
        write("pending_after", asked.pendingAfter)
        write("stall_after", asked.stallAfter)
        write("not_found_grace", asked.notFoundGrace)
        if let notify = asked.notify {
            open("notify", "[")
            for (index, name) in notify.enumerated() {
                begin("notify[\(index)]")
                bytes += WatchRequestText.quoted(name) + Array(",".utf8)
            }
            bytes += Array("],".utf8)
        }
        bytes += Array("}".utf8)
    }

    /// The place of what stands on a line, from 1; a fault of the whole is that of what is missing.
    func place(ofLine line: Int) -> String {
        let place = places.indices.contains(line - 1) ? places[line - 1] : ""
        return place.isEmpty ? "pipeline" : place
    }

    private mutating func begin(_ place: String) {
        bytes += Array("\n".utf8)
        places.append(place)
    }

    private mutating func open(_ name: String, _ bracket: String) {
        begin(name)
        bytes += Array("\(name): \(bracket)".utf8)
    }

    private mutating func write(_ name: String, _ value: String?, in outer: String = "") {
        guard let value else { return }
        begin(outer + name)
        bytes += Array("\(name): ".utf8) + WatchRequestText.quoted(value) + Array(",".utf8)
    }

    /// A text between double quotes, of printable ASCII alone: YAML folds and refuses some of the rest.
    private static func quoted(_ text: String) -> [UInt8] {
        var output = [UInt8(ascii: "\"")]
        for scalar in text.unicodeScalars {
            if (0x20..<0x7F).contains(scalar.value), scalar != "\"", scalar != "\\" {
                output.append(UInt8(truncatingIfNeeded: scalar.value))
                continue
            }
            let digits = String(scalar.value, radix: 16)
            output += Array("\\U\(String(repeating: "0", count: 8 - digits.count))\(digits)".utf8)
        }
        output.append(UInt8(ascii: "\""))
        return output
    }
}
