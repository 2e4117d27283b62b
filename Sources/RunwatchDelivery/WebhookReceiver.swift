package import Dispatch
package import RunwatchCore
package import RunwatchHTTP
package import RunwatchStore

/// Sends events as Standard Webhooks.
package final class WebhookReceiver: Receiver {
    /// The largest answer that is read; nothing in it matters but its first words.
    static let maximumAnswer = 1 << 20
    /// How much of an answer is kept for people, in bytes.
    static let excerpt = 200

    private let settings: WebhookSettings
    private let timeout: Duration
    private let time: any TimeSource
    private let transport: any HTTPTransport
    private let queue: DispatchQueue
    private let signature: Result<WebhookSignature, WebhookSignature.SecretError>

    package init(
        _ settings: WebhookSettings, timeout: Duration, time: any TimeSource,
        transport: any HTTPTransport, queue: DispatchQueue
    ) {
        self.settings = settings
        self.timeout = timeout
        self.time = time
        self.transport = transport
        self.queue = queue
        signature = Result { () throws(WebhookSignature.SecretError) in
            try WebhookSignature(secrets: settings.secrets)
        }
    }

    package func attempt(
        _ delivery: PendingDelivery, at moment: Timestamp,
        completion: @escaping (AttemptResult) -> Void
    ) {
        let seconds = moment.milliseconds / 1000
        var headers = [
            (name: "content-type", value: "application/json"),
            (name: "webhook-id", value: delivery.id),
            (name: "webhook-timestamp", value: String(seconds)),
        ]
        switch signature {
        case .failure(let error):
            // Never sent unsigned: a receiver with a secret has to be able to trust it.
            let result = AttemptResult(.later(hint: nil), message: error.description)
            return AttemptResult.hand(result, to: completion, on: queue)
        case .success(let signature):
            let value = signature.header(
                id: delivery.id, timestamp: seconds, body: delivery.event.json)
            if let value { headers.append((name: "webhook-signature", value: value)) }
        }
        let request = HTTPRequest(
            method: .post, url: settings.url.reveal(), headers: headers, body: delivery.event.json,
            timeout: timeout, maximumAnswer: WebhookReceiver.maximumAnswer)
        transport.send(request) { result in
            switch result {
            case .success(let response): completion(self.judge(response))
            case .failure(let failure): completion(self.judge(failure))
            }
        }
    }

    private func judge(_ response: HTTPResponse) -> AttemptResult {
        let status = response.status
        let message = describe(response)
        switch status {
        case 200..<300:
            return AttemptResult(.delivered, status: status, message: message)
        case 410:
            return AttemptResult(.refusedForGood, status: status, message: message)
        default:
            let hint = response.retryAfter?.wait(
                from: time.wallClock(), limit: DeliveryMachine.longestHint)
            return AttemptResult(.later(hint: hint), status: status, message: message)
        }
    }

    private func judge(_ failure: HTTPFailure) -> AttemptResult {
        guard failure.code != .cancelled else { return AttemptResult(.abandoned) }
        let message = PrintableText.truncated(
            PrintableText.escaped(redacted(failure.message)), to: 2 * WebhookReceiver.excerpt)
        return AttemptResult(.later(hint: nil), message: message)
    }

    /// `HTTP 503: the first words of the answer`.
    private func describe(_ response: HTTPResponse) -> String {
        var message = "HTTP \(response.status)"
        if (300..<400).contains(response.status) {
            message += " (redirects are not followed; configure the final URL)"
        }
        // More than is kept, so that a secret that straddles the cut is still recognised.
        let start = response.body.prefix(16 * WebhookReceiver.excerpt)
        let text = PrintableText.escaped(redacted(String(decoding: start, as: UTF8.self)))
        let words = text.split(separator: " ").joined(separator: " ")
        if !words.isEmpty {
            message += ": " + PrintableText.truncated(words, to: WebhookReceiver.excerpt)
        }
        return message
    }

    /// The URL is treated as a secret too: with many receivers its path is the key.
    private func redacted(_ text: String) -> String {
        var text = settings.url.redacted(from: text)
        for secret in settings.secrets {
            text = secret.redacted(from: text)
            if secret.reveal().hasPrefix("whsec_") {
                text = Secret(String(secret.reveal().dropFirst(6))).redacted(from: text)
            }
        }
        return text
    }
}
