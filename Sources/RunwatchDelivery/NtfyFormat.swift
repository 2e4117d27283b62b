import RunwatchCore

/// Messages for ntfy, published as JSON to the server's root.
///
/// Source: https://docs.ntfy.sh/publish/#publish-as-json
enum NtfyFormat {
    /// A longer message becomes a file attached to an empty one.
    private static let longestMessage = 4096
    private static let longestTitle = 250
    /// The server reads twice the length of a message, for all of the JSON.
    static let longestBody = 8000

    static func body(_ message: ChatMessage, topic: String) -> [UInt8] {
        // The size depends on what JSON has to escape, so it is tried.
        var limits = ChatMessage.Limits(unit: .bytes, text: longestMessage)
        var bytes = body(message, topic: topic, limits)
        while bytes.count > longestBody, limits.text > 100 {
            limits.text /= 2
            limits.line = min(limits.line, limits.text / 2)
            bytes = body(message, topic: topic, limits)
        }
        return bytes
    }

    private static func body(
        _ message: ChatMessage, topic: String, _ limits: ChatMessage.Limits
    ) -> [UInt8] {
        let title = ChatMarkup.none.fitted(message.title, to: longestTitle, in: limits.unit)
        let text = message.lines(.none, limits, hasFields: false).joined(separator: "\n")
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("topic", topic)
        // An empty message would be shown as "triggered".
        writer.member("title", text.isEmpty ? nil : title)
        writer.member("message", text.isEmpty ? title : text)
        writer.member("priority", priority(of: message.severity))
        writer.key("tags")
        writer.beginArray()
        writer.string(emoji(for: message.severity))
        writer.string(message.type)
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    /// From 1 to 5; 3 is the usual.
    private static func priority(of severity: EventMessage.Severity) -> Int {
        switch severity {
        case .info, .good: 3
        case .warning, .bad: 4
        }
    }

    /// A tag that is shown as an emoji (https://docs.ntfy.sh/emojis/).
    private static func emoji(for severity: EventMessage.Severity) -> String {
        switch severity {
        case .info: "information_source"
        case .good: "white_check_mark"
        case .warning: "warning"
        case .bad: "rotating_light"
        }
    }
}
