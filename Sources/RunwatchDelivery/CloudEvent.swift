import RunwatchCore
import RunwatchHTTP
import RunwatchStore

/// Events as CloudEvents 1.0 in JSON, in structured mode (https://github.com/cloudevents/spec, `spec.md`
/// and `json-format.md`).
enum CloudEvent {
    /// One event: `application/cloudevents+json`.
    static func single(_ part: PendingDelivery.Part) -> [UInt8] {
        var writer = JSONWriter()
        write(part, to: &writer)
        return writer.bytes
    }

    /// Several, in order: `application/cloudevents-batch+json`.
    static func batch(_ parts: [PendingDelivery.Part]) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginArray()
        for part in parts { write(part, to: &writer) }
        writer.endArray()
        return writer.bytes
    }

    private static func write(_ part: PendingDelivery.Part, to writer: inout JSONWriter) {
        let event = part.event
        let data = event.dataText
        let known = data.flatMap { try? JSONValue(parsing: Array($0)) } ?? .object([])
        writer.beginObject()
        writer.member("specversion", "1.0")
        // Each delivery has its own: with the source it names the event to its receiver for good.
        writer.member("id", part.delivery)
        writer.member("source", source(of: event, known))
        writer.member("type", event.type.name)
        // Empty is not allowed; it can be left out.
        writer.member("subject", event.subject.isEmpty ? nil : attribute(event.subject))
        writer.member("time", event.timestamp)
        writer.member("datacontenttype", "application/json")
        writer.member("sequence", sequence(of: event, known))
        if let data {
            writer.key("data")
            writer.raw(data)
        }
        writer.endObject()
    }

    /// `/runwatch/warehouse`, or `/runwatch` for what no service is the source of.
    private static func source(of event: RecordedEvent, _ data: JSONValue) -> String {
        let service: String?
        switch event.type {
        case .run, .runStalled:
            service = data["service"]?.stringValue ?? WatchName(event.subject)?.service
        case .serviceDown, .serviceUp: service = event.subject
        case .groupFinished, .deliveryFailed, .receiverTest: service = nil
        }
        guard let service, !service.isEmpty else { return "/runwatch" }
        return "/runwatch/" + PercentEncoding.encode(service)
    }

    /// The order of events of one subject, as text that sorts (`extensions/sequence.md`).
    ///
    /// Of a run its transitions are counted; a stall has the number of the transition before it. Of all
    /// else it is the number under which the event is recorded.
    private static func sequence(of event: RecordedEvent, _ data: JSONValue) -> String {
        var number = event.number
        switch event.type {
        case .run, .runStalled: number = data["sequence"]?.integerValue ?? number
        case .serviceDown, .serviceUp, .groupFinished, .deliveryFailed, .receiverTest: break
        }
        let digits = String(max(0, number))
        return String(repeating: "0", count: max(0, 20 - digits.utf8.count)) + digits
    }

    /// Text as an attribute may hold it: without control characters and noncharacters (`spec.md`, "Type
    /// System").
    private static func attribute(_ text: String) -> String {
        var output = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isForbidden =
                switch scalar.value {
                case 0..<0x20, 0x7F..<0xA0, 0xFDD0...0xFDEF: true
                default: scalar.value & 0xFFFE == 0xFFFE
                }
            output.append(isForbidden ? "\u{FFFD}" : scalar)
        }
        return String(output)
    }
}

extension RecordedEvent {
    /// The event's data as it is stored, digit by digit; `nil` when it cannot be read.
    fileprivate var dataText: ArraySlice<UInt8>? {
        guard var reader = try? JSONReader(json), (try? reader.beginObject()) != nil else {
            return nil
        }
        var data: ArraySlice<UInt8>?
        do throws(JSONError) {
            while let key = try reader.nextKey() {
                let value = try reader.rawValue()
                if key == "data" { data = value }
            }
            try reader.finish()
        } catch {
            return nil
        }
        return data
    }
}
