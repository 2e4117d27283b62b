import RunwatchCore

/// Messages for Microsoft Teams: an Adaptive Card, as the workflow "post to a channel when a webhook request
/// is received" takes it.
///
/// What events say stands in rich text blocks, which know no Markdown; only what a template wrote is a text
/// block. Sources: https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors and
/// https://adaptivecards.io/explorer
enum TeamsFormat {
    /// 28 KB for the whole message, however one counts a KB.
    static let longestBody = 28_000
    private static let longestTitle = 300
    private static let longestField = 500

    static func body(_ message: ChatMessage) -> [UInt8] {
        // The size depends on what JSON has to escape, so it is tried.
        var limits = ChatMessage.Limits(unit: .bytes, text: 20_000)
        var bytes = body(message, limits)
        while bytes.count > longestBody, limits.text > 100 {
            limits.text /= 2
            limits.line = min(limits.line, limits.text / 2)
            bytes = body(message, limits)
        }
        return bytes
    }

    private static func body(_ message: ChatMessage, _ limits: ChatMessage.Limits) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("type", "message")
        writer.key("attachments")
        writer.beginArray()
        writer.beginObject()
        writer.member("contentType", "application/vnd.microsoft.card.adaptive")
        writer.key("contentUrl")
        writer.null()
        writer.key("content")
        writer.beginObject()
        writer.member("$schema", "http://adaptivecards.io/schemas/adaptive-card.json")
        writer.member("type", "AdaptiveCard")
        writer.member("version", "1.4")
        writer.key("body")
        writer.beginArray()
        writeBlocks(message, limits, to: &writer)
        writer.endArray()
        writer.key("msteams")
        writer.beginObject()
        writer.member("width", "Full")
        writer.endObject()
        writer.endObject()
        writer.endObject()
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    private static func writeBlocks(
        _ message: ChatMessage, _ limits: ChatMessage.Limits, to writer: inout JSONWriter
    ) {
        let title = ChatMarkup.none.fitted(message.title, to: longestTitle, in: limits.unit)
        writeRun(title, to: &writer) { writer in
            writer.member("weight", "Bolder")
            writer.member("size", "Medium")
            writer.member("color", color(of: message.severity))
        }
        let lines = message.lines(.none, limits, hasFields: true)
        if case .template = message.body {
            for text in lines { writeTemplate(text, to: &writer) }
        } else {
            for (index, line) in lines.enumerated() {
                writeRun(line, spacing: index == 0 ? "Default" : "None", to: &writer)
            }
        }
        writeFacts(message.fields, limits.unit, to: &writer)
        writeRun("\(message.timestamp)", to: &writer) { writer in
            writer.member("size", "Small")
            writer.member("isSubtle", true)
        }
    }

    private static func writeRun(
        _ text: String, spacing: String = "Default", to writer: inout JSONWriter,
        style: (inout JSONWriter) -> Void = { _ in }
    ) {
        writer.beginObject()
        writer.member("type", "RichTextBlock")
        writer.member("spacing", spacing)
        writer.key("inlines")
        writer.beginArray()
        writer.beginObject()
        writer.member("type", "TextRun")
        writer.member("text", text)
        style(&writer)
        writer.endObject()
        writer.endArray()
        writer.endObject()
    }

    private static func writeTemplate(_ text: String, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("type", "TextBlock")
        writer.member("wrap", true)
        writer.member("text", text)
        writer.endObject()
    }

    private static func writeFacts(
        _ fields: [EventMessage.Field], _ unit: TextUnit, to writer: inout JSONWriter
    ) {
        guard !fields.isEmpty else { return }
        writer.beginObject()
        writer.member("type", "FactSet")
        writer.key("facts")
        writer.beginArray()
        for field in fields {
            writer.beginObject()
            writer.member("title", field.name)
            writer.member(
                "value", ChatMarkup.card.fitted(field.value, to: longestField, in: unit))
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
    }

    private static func color(of severity: EventMessage.Severity) -> String {
        switch severity {
        case .info: "Default"
        case .good: "Good"
        case .warning: "Warning"
        case .bad: "Attention"
        }
    }
}
