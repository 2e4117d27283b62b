import RunwatchCore

/// Messages for Slack's incoming webhooks.
///
/// The title is the text, which notifications show too; the rest stands in an attachment, the only thing
/// that has a colour. Sources: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
/// and https://docs.slack.dev/reference/block-kit/blocks/section-block
enum SlackFormat {
    /// The sum of all blocks is limited too, at about 12,000, which is not documented.
    private static let limits = ChatMessage.Limits(unit: .codeUnits, text: 8800)
    /// A section's text has at most 3000 characters.
    private static let longestSection = 3000
    private static let longestTitle = 300
    /// Far below the 2000 characters of a section's field.
    private static let longestField = 500
    /// A section has at most ten fields.
    private static let mostFields = 10

    static func body(_ message: ChatMessage) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member(
            "text",
            ChatMarkup.mrkdwn.fitted(message.title, to: longestTitle, in: limits.unit))
        // What a service says may hold links; Slack is not to fetch them.
        writer.member("unfurl_links", false)
        writer.member("unfurl_media", false)
        writer.key("attachments")
        writer.beginArray()
        writer.beginObject()
        writer.member("color", color(of: message.severity))
        writer.key("blocks")
        writer.beginArray()
        for section in sections(message) { writeSection(section, to: &writer) }
        writeFields(message.fields, to: &writer)
        writeFooter(message, to: &writer)
        writer.endArray()
        writer.endObject()
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    /// The lines in as many texts as it takes.
    private static func sections(_ message: ChatMessage) -> [String] {
        var limits = limits
        // One text alone is not split: the place might be within markup.
        if !message.isDigest { limits.text = longestSection }
        var sections: [String] = []
        for line in message.lines(.mrkdwn, limits, hasFields: true) {
            if let last = sections.last,
                limits.unit.size(of: last) + limits.unit.size(of: line) < longestSection
            {
                sections[sections.count - 1] = "\(last)\n\(line)"
            } else {
                sections.append(line)
            }
        }
        return sections
    }

    private static func writeSection(_ text: String, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("type", "section")
        writer.key("text")
        writeText(text, to: &writer)
        writer.endObject()
    }

    private static func writeFields(
        _ fields: [EventMessage.Field], to writer: inout JSONWriter
    ) {
        guard !fields.isEmpty else { return }
        writer.beginObject()
        writer.member("type", "section")
        writer.key("fields")
        writer.beginArray()
        for field in fields.prefix(mostFields) {
            let value = ChatMarkup.mrkdwn.fitted(field.value, to: longestField, in: limits.unit)
            writeText("*\(field.name)*\n\(value)", to: &writer)
        }
        writer.endArray()
        writer.endObject()
    }

    private static func writeFooter(_ message: ChatMessage, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("type", "context")
        writer.key("elements")
        writer.beginArray()
        writeText("\(message.timestamp)  \(message.type)", to: &writer)
        writer.endArray()
        writer.endObject()
    }

    private static func writeText(_ text: String, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("type", "mrkdwn")
        writer.member("text", text)
        // Names of channels and people in plain text stay what they are.
        writer.member("verbatim", true)
        writer.endObject()
    }

    private static func color(of severity: EventMessage.Severity) -> String {
        switch severity {
        case .info: "#6b7280"
        case .good: "#15803d"
        case .warning: "#d97706"
        case .bad: "#dc2626"
        }
    }
}
