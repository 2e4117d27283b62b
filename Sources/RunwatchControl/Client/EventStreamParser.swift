/// Reads Server-Sent Events (WHATWG HTML, section 9.2) from chunks of any size.
package struct EventStreamParser: Sendable {
    package struct Message: Equatable, Sendable {
        /// The last ID that the stream gave, with this message or before.
        package var id: String?
        package var event: String
        package var data: [UInt8]

        package init(id: String?, event: String, data: [UInt8]) {
            self.id = id
            self.event = event
            self.data = data
        }
    }

    /// Far above any event; a stream beyond it is none of ours.
    package static let maximumMessage = 16 << 20

    /// To be sent as `Last-Event-ID` when the stream breaks: of the last event that came whole.
    package private(set) var lastEventID: String?
    /// A message was larger than `maximumMessage`; nothing more is read.
    package private(set) var isTooLarge = false

    private var line: [UInt8] = []
    /// The ID of the event that is coming.
    private var id: String?
    private var event = ""
    private var data: [UInt8] = []
    private var hasData = false
    private var endedInReturn = false

    package init(lastEventID: String? = nil) {
        self.lastEventID = lastEventID
        id = lastEventID
    }

    /// Takes a chunk; gives the messages that it completes.
    package mutating func take(_ chunk: some Sequence<UInt8>) -> [Message] {
        var messages: [Message] = []
        for byte in chunk where !isTooLarge {
            let isAfterReturn = endedInReturn
            endedInReturn = byte == 0x0D
            switch byte {
            // The second half of a CR LF.
            case 0x0A where isAfterReturn: continue
            case 0x0A, 0x0D:
                if let message = endLine() { messages.append(message) }
            default:
                line.append(byte)
                isTooLarge = line.count + data.count > EventStreamParser.maximumMessage
            }
        }
        return messages
    }

    private mutating func endLine() -> Message? {
        defer { line.removeAll(keepingCapacity: true) }
        guard !line.isEmpty else { return dispatch() }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = line[colon...].dropFirst()
        if value.first == 0x20 { value = value.dropFirst() }
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "data":
            if hasData { data.append(0x0A) }
            data.append(contentsOf: value)
            hasData = true
        case "event": event = String(decoding: value, as: UTF8.self)
        case "id": id = String(decoding: value, as: UTF8.self)
        // A comment, or a field that says nothing to us.
        default: break
        }
        return nil
    }

    private mutating func dispatch() -> Message? {
        defer {
            event = ""
            data = []
            hasData = false
        }
        lastEventID = id
        guard hasData else { return nil }
        return Message(id: lastEventID, event: event.isEmpty ? "message" : event, data: data)
    }
}
