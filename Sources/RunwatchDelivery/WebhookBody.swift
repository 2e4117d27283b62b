import RunwatchCore
import RunwatchStore
import RunwatchTemplate

/// What a webhook sends, and how it is called.
struct WebhookContent: Equatable, Sendable {
    /// The value of `content-type`.
    var type: String
    var bytes: [UInt8]
}

/// Writes the bodies of one webhook; the same bytes for every attempt at a delivery.
struct WebhookBody: Sendable {
    private let format: WebhookSettings.Format
    private let template: MessageTemplate?

    init(_ settings: WebhookSettings) {
        format = settings.format
        template = settings.body.map { MessageTemplate($0, key: "body") }
    }

    /// Whether the bodies depend on the value of a delivery.
    var usesTemplate: Bool { template != nil }

    /// - Parameters:
    ///   - contentType: What `content-type` is to be, when that is configured.
    ///   - value: What a template sees of the delivery.
    func content(
        of delivery: PendingDelivery, contentType: String?, value: JSONValue
    ) throws(MessageTemplate.Failure) -> WebhookContent {
        if let template {
            let type = contentType ?? "application/json"
            let text = try template.render(value, escape: WebhookBody.escape(for: type))
            return WebhookContent(type: type, bytes: Array(text.utf8))
        }
        var content = content(of: delivery)
        if let contentType { content.type = contentType }
        return content
    }

    private func content(of delivery: PendingDelivery) -> WebhookContent {
        switch (format, delivery.isDigest) {
        case (.standard, false):
            WebhookContent(type: "application/json", bytes: delivery.event.json)
        case (.standard, true):
            WebhookContent(type: "application/json", bytes: WebhookBody.digest(delivery.parts))
        case (.cloudEvents, false):
            WebhookContent(
                type: "application/cloudevents+json", bytes: CloudEvent.single(delivery.parts[0]))
        case (.cloudEvents, true):
            WebhookContent(
                type: "application/cloudevents-batch+json", bytes: CloudEvent.batch(delivery.parts))
        }
    }

    /// `{"type":"digest","timestamp":…,"data":{"count":2,"events":[…]}}`: the events as they are stored,
    /// in order, and the last one's timestamp.
    private static func digest(_ parts: [PendingDelivery.Part]) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("type", "digest")
        writer.member("timestamp", parts[parts.count - 1].event.timestamp)
        writer.key("data")
        writer.beginObject()
        writer.member("count", parts.count)
        writer.key("events")
        writer.beginArray()
        for part in parts { writer.raw(part.event.json) }
        writer.endArray()
        writer.endObject()
        writer.endObject()
        return writer.bytes
    }

    /// How values are escaped in a body of that type.
    static func escape(for contentType: String) -> Template.Escape {
        let type = contentType.prefix { $0 != ";" }.filter { !$0.isWhitespace }.lowercased()
        switch type {
        case "text/html": return .html
        case "application/x-www-form-urlencoded": return .uri
        default: return type.hasSuffix("/json") || type.hasSuffix("+json") ? .json : .none
        }
    }
}
