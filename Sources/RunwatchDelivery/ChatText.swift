import RunwatchCore
import RunwatchStore
import RunwatchTemplate

/// Writes the messages of one chat receiver, with the configured template or the usual words.
///
/// The template is in the service's own markup (mrkdwn, Markdown; ntfy shows text as it is) and is sent as
/// it stands. What it takes from the event is plain text and is escaped for that markup, in `{{{name}}}` as
/// in `{{name}}`: no service that is watched can write a link or a mention into a channel. The template
/// replaces the text and the fields; the title stays.
struct ChatText: Sendable {
    private let template: MessageTemplate?
    private let markup: ChatMarkup

    init(_ settings: ChatSettings) {
        template = settings.text.map { MessageTemplate($0, key: "text") }
        markup = settings.service.markup
    }

    func message(
        for delivery: PendingDelivery
    ) throws(MessageTemplate.Failure) -> ChatMessage {
        var message = ChatMessage(delivery)
        guard let template else { return message }
        let value = ChatText.escaped(EventMessage.value(of: delivery), markup)
        message.body = .template(try template.render(value, escape: .none))
        return message
    }

    /// The value with every text in it escaped.
    private static func escaped(_ value: JSONValue, _ markup: ChatMarkup) -> JSONValue {
        switch value {
        case .null, .bool, .integer, .number: value
        case .string(let text): .string(markup.escaped(text))
        case .array(let elements): .array(elements.map { escaped($0, markup) })
        case .object(let members):
            .object(members.map { .init($0.name, escaped($0.value, markup)) })
        }
    }
}

extension ChatSettings.Service {
    /// What a template for this service is written in.
    var markup: ChatMarkup {
        switch self {
        case .slack: .mrkdwn
        case .discord: .discord
        case .teams: .card
        case .ntfy: .none
        }
    }
}
