import RunwatchCore
import RunwatchStore

extension EventMessage {
    /// What a template sees of a message; its keys are exactly those of `TemplateKeys.event`.
    ///
    /// One event stands at the top, and again as the only element of `events`. A digest has at the top
    /// the type `digest`, the last event's timestamp, an empty name and no data; its `event` is the object
    /// that a webhook without a template sends.
    static func value(of delivery: PendingDelivery) -> JSONValue {
        let told = delivery.parts.map { part in
            let tree = part.event.tree
            return (part: part, tree: tree, message: EventMessage(part.event, tree: tree))
        }
        let events = told.map { object($0.part, $0.tree, $0.message) }
        var members: [JSONValue.Member]
        if delivery.isDigest {
            let digest = DigestMessage(told.map(\.message))
            members = top(of: digest, event: object(digest, told.map(\.tree)))
        } else {
            members = events[0].members ?? []
        }
        members.removeAll { $0.name == "id" }
        members.insert(.init("id", .string(delivery.id)), at: 0)
        members.insert(.init("receiver", .string(delivery.receiver)), at: 1)
        members.append(.init("count", .integer(Int64(events.count))))
        members.append(.init("events", .array(events)))
        return .object(members)
    }

    private static func object(
        _ part: PendingDelivery.Part, _ tree: JSONValue, _ message: EventMessage
    ) -> JSONValue {
        .object([
            .init("id", .string(part.delivery)),
            .init("type", .string(message.type.name)),
            .init("timestamp", .string(message.timestamp.description)),
            .init("name", .string(part.event.subject)),
            .init("title", .string(message.title)),
            .init("text", .string(message.text)),
            .init("severity", .string(message.severity.rawValue)),
            .init("event", tree),
            .init("data", tree["data"] ?? .object([])),
        ])
    }

    private static func top(of digest: DigestMessage, event: JSONValue) -> [JSONValue.Member] {
        [
            .init("type", .string("digest")),
            .init("timestamp", .string(digest.timestamp.description)),
            .init("name", .string("")),
            .init("title", .string(digest.title)),
            .init("text", .string(digest.text)),
            .init("severity", .string(digest.severity.rawValue)),
            .init("event", event),
            .init("data", .object([])),
        ]
    }

    /// As `WebhookBody` writes it.
    private static func object(_ digest: DigestMessage, _ trees: [JSONValue]) -> JSONValue {
        .object([
            .init("type", .string("digest")),
            .init("timestamp", .string(digest.timestamp.description)),
            .init(
                "data",
                .object([
                    .init("count", .integer(Int64(trees.count))), .init("events", .array(trees)),
                ])),
        ])
    }
}
