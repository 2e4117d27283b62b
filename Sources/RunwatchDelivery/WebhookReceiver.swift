package import Dispatch
package import RunwatchCore
package import RunwatchHTTP
package import RunwatchStore

/// Sends events as Standard Webhooks, in the format and with the headers that are configured.
package final class WebhookReceiver: Receiver {
    private let body: WebhookBody
    private let headers: WebhookHeaders
    private let signature: Result<WebhookSignature, WebhookSignature.SecretError>
    private let sender: AttemptSender

    package init(
        _ settings: WebhookSettings, timeout: Duration, time: any TimeSource,
        transport: any HTTPTransport, queue: DispatchQueue
    ) {
        body = WebhookBody(settings)
        headers = WebhookHeaders(settings.headers)
        signature = Result { () throws(WebhookSignature.SecretError) in
            try WebhookSignature(secrets: settings.secrets)
        }
        let secretHeaders = settings.headers.compactMap { header in
            if case .secret(let secret) = header.value { secret } else { nil }
        }
        sender = AttemptSender(
            to: settings.url, hiding: settings.secrets + secretHeaders, timeout: timeout,
            time: time, transport: transport, queue: queue)
    }

    package func attempt(
        _ delivery: PendingDelivery, at moment: Timestamp,
        completion: @escaping (AttemptResult) -> Void
    ) {
        let signature: WebhookSignature
        switch self.signature {
        case .success(let made): signature = made
        // Never sent unsigned: a receiver with a secret has to be able to trust it.
        case .failure(let error): return sender.fail(error.description, completion: completion)
        }
        do throws(MessageTemplate.Failure) {
            let (content, custom) = try message(for: delivery)
            let seconds = moment.milliseconds / 1000
            var headers = [
                (name: "content-type", value: content.type),
                (name: "webhook-id", value: delivery.id),
                (name: "webhook-timestamp", value: String(seconds)),
            ]
            let signed = signature.header(id: delivery.id, timestamp: seconds, body: content.bytes)
            if let signed { headers.append((name: "webhook-signature", value: signed)) }
            sender.send(content.bytes, headers: headers + custom, completion: completion)
        } catch {
            sender.fail(error.description, completion: completion)
        }
    }

    /// The body, and the configured headers but for `content-type`.
    private func message(
        for delivery: PendingDelivery
    ) throws(MessageTemplate.Failure) -> (WebhookContent, [(name: String, value: String)]) {
        // For the usual webhook nothing is parsed: the event goes as it is.
        let value = usesTemplates ? EventMessage.value(of: delivery) : .object([])
        let custom = try headers.rendered(value)
        let content = try body.content(
            of: delivery, contentType: custom.first { $0.name == "content-type" }?.value,
            value: value)
        return (content, custom.filter { $0.name != "content-type" })
    }

    private var usesTemplates: Bool { body.usesTemplate || headers.useTemplates }
}
