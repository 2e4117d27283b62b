package import Dispatch
package import RunwatchCore
package import RunwatchHTTP
package import RunwatchStore

/// Posts messages for people to a channel of a chat or push service.
package final class ChatReceiver: Receiver {
    private let settings: ChatSettings
    private let text: ChatText
    private let headers: [(name: String, value: String)]
    private let sender: AttemptSender

    package init(
        _ settings: ChatSettings, timeout: Duration, time: any TimeSource,
        transport: any HTTPTransport, queue: DispatchQueue
    ) {
        self.settings = settings
        text = ChatText(settings)
        var headers = [(name: "content-type", value: "application/json")]
        if let token = settings.token {
            headers.append((name: "authorization", value: "Bearer \(token.reveal())"))
        }
        self.headers = headers
        sender = AttemptSender(
            to: settings.url, hiding: [settings.topic, settings.token].compactMap(\.self),
            timeout: timeout, time: time, transport: transport, queue: queue)
    }

    package func attempt(
        _ delivery: PendingDelivery, at moment: Timestamp,
        completion: @escaping (AttemptResult) -> Void
    ) {
        let message: ChatMessage
        do throws(MessageTemplate.Failure) {
            message = try text.message(for: delivery)
        } catch {
            return sender.fail(error.description, completion: completion)
        }
        switch settings.service {
        case .slack:
            sender.send(SlackFormat.body(message), headers: headers, completion: completion)
        case .discord:
            sender.send(
                DiscordFormat.body(message), headers: headers, wait: DiscordFormat.wait,
                completion: completion)
        case .teams:
            sender.send(TeamsFormat.body(message), headers: headers, completion: completion)
        case .ntfy:
            let topic = settings.topic?.reveal() ?? ""
            sender.send(
                NtfyFormat.body(message, topic: topic), headers: headers, completion: completion)
        }
    }
}
