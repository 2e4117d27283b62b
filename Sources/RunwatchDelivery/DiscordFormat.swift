import RunwatchCore
import RunwatchHTTP

/// Messages for Discord's webhooks: one embed each.
///
/// Sources: https://docs.discord.com/developers/resources/webhook#execute-webhook and
/// https://docs.discord.com/developers/resources/message#embed-object-embed-limits
enum DiscordFormat {
    private static let unit = TextUnit.codeUnits
    private static let longestTitle = 256
    private static let longestDescription = 4096
    /// Far below the 1024 characters of a field, for all texts of a message together have 6000.
    private static let longestField = 300
    private static let mostFields = 25
    private static let longestWhole = 6000

    static func body(_ message: ChatMessage) -> [UInt8] {
        let title = ChatMarkup.discord.fitted(message.title, to: longestTitle, in: unit)
        let fields = message.fields.prefix(mostFields).map { field in
            EventMessage.Field(
                name: field.name,
                value: ChatMarkup.discord.fitted(field.value, to: longestField, in: unit))
        }
        let used = fields.reduce(unit.size(of: title)) {
            $0 + unit.size(of: $1.name) + unit.size(of: $1.value)
        }
        let limits = ChatMessage.Limits(
            unit: unit, text: max(100, min(longestDescription, longestWhole - used)))
        let lines = message.lines(.discord, limits, hasFields: true)

        var writer = JSONWriter()
        writer.beginObject()
        writer.key("embeds")
        writer.beginArray()
        writer.beginObject()
        writer.member("title", title)
        if !lines.isEmpty { writer.member("description", lines.joined(separator: "\n")) }
        writer.member("color", color(of: message.severity))
        writer.member("timestamp", message.timestamp)
        write(fields, to: &writer)
        writer.endObject()
        writer.endArray()
        // No text, whoever wrote it, calls people.
        writer.key("allowed_mentions")
        writer.beginObject()
        writer.key("parse")
        writer.beginArray()
        writer.endArray()
        writer.endObject()
        writer.endObject()
        return writer.bytes
    }

    private static func write(_ fields: [EventMessage.Field], to writer: inout JSONWriter) {
        guard !fields.isEmpty else { return }
        writer.key("fields")
        writer.beginArray()
        for field in fields {
            writer.beginObject()
            writer.member("name", field.name)
            writer.member("value", field.value)
            writer.member("inline", true)
            writer.endObject()
        }
        writer.endArray()
    }

    private static func color(of severity: EventMessage.Severity) -> Int {
        switch severity {
        case .info: 0x6B7280
        case .good: 0x15803D
        case .warning: 0xD97706
        case .bad: 0xDC2626
        }
    }

    /// The wait that an answer asks for in its body: `retry_after`, in seconds with decimals.
    /// https://docs.discord.com/developers/topics/rate-limits
    static func wait(_ response: HTTPResponse) -> Duration? {
        guard response.status == 429,
            let value = (try? JSONValue(parsing: response.body))?["retry_after"]
        else { return nil }
        let seconds: Double
        switch value {
        case .integer(let whole): seconds = Double(whole)
        case .number(let number): seconds = number
        case .null, .bool, .string, .array, .object: return nil
        }
        guard seconds > 0 else { return nil }
        // A day is more than anybody is made to wait.
        return .milliseconds(Int64((min(seconds, 86_400) * 1000).rounded(.up)))
    }
}
