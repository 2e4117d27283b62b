import RunwatchCore

/// The wrapper that every Kinetica answer comes in, good or not.
struct KineticaWrapper {
    /// `OK` or `ERROR`; `nil` when there is none.
    var status: String?
    /// The text of an error.
    var message = ""
    /// What is inside: JSON once more, in a string; `nil` when there is none, or it was not asked for.
    var content: [UInt8]?

    /// - Parameter readsContent: Whether `data_str` is kept; it can be most of a very large answer.
    init(_ body: [UInt8], readsContent: Bool) throws(JSONError) {
        var reader = try JSONReader(body)
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "status": status = try reader.stringOrSkip()
            case "message": message = try reader.stringOrSkip() ?? ""
            case "data_str" where readsContent:
                if try reader.peek() == .string {
                    content = try reader.stringBytes()
                } else {
                    try reader.skip()
                    content = nil
                }
            default: try reader.skip()
            }
        }
        try reader.finish()
    }

    /// Whether an error's text means that the whole cluster is going away, whatever the HTTP status.
    var isGoingAway: Bool {
        [
            "Kinetica is exiting", "Kinetica is offline", "System is offline",
            "System shutting down", "system-limited-fatal", "Connection refused",
            "Connection reset", "Unexpected end of file from server",
            "Unavailable: Draining HA queue", "Query planner is not running",
        ].contains { message.contains($0) }
    }

    var isUnauthorized: Bool { message.lowercased().contains("insufficient credentials") }
}
