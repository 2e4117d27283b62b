import RunwatchCore
import RunwatchTemplate

/// The headers that are configured for a webhook.
struct WebhookHeaders: Sendable {
    private enum Value: Sendable {
        case template(MessageTemplate)
        case secret(Secret)
    }

    /// Bytes of a value at most: many servers refuse more than 8 KiB of headers in all, and an event must
    /// not fail for a long message.
    static let longestValue = 2048

    /// What says who sends what, and how long it is.
    ///
    /// The configuration refuses these names; sent all the same, they would break the signature or the
    /// request.
    private static let reserved: Set<String> = [
        "webhook-id", "webhook-timestamp", "webhook-signature", "content-length",
        "transfer-encoding",
    ]

    private let headers: [(name: String, value: Value)]

    init(_ settings: [HeaderSettings]) {
        headers = settings.compactMap { header in
            let name = header.name.lowercased()
            guard !WebhookHeaders.reserved.contains(name) else { return nil }
            switch header.value {
            case .template(let text):
                return (name, .template(MessageTemplate(text, key: "headers.\(name)")))
            case .secret(let secret): return (name, .secret(secret))
            }
        }
    }

    /// Whether a value depends on the delivery.
    var useTemplates: Bool {
        headers.contains { if case .template = $0.value { true } else { false } }
    }

    /// The headers for one message, in the order of the configuration; names are in lower case.
    ///
    /// What a template writes is made to fit one line, and left out when nothing is left of it. A secret
    /// is sent as it is.
    /// - Parameter value: What a template sees of the delivery.
    func rendered(
        _ value: JSONValue
    ) throws(MessageTemplate.Failure) -> [(name: String, value: String)] {
        var output: [(name: String, value: String)] = []
        for header in headers {
            let text =
                switch header.value {
                case .template(let template):
                    WebhookHeaders.line(try template.render(value, escape: .none))
                case .secret(let secret): secret.reveal()
                }
            if !text.isEmpty { output.append((header.name, text)) }
        }
        return output
    }

    /// Spaces for control characters, none at the ends, and not too long.
    static func line(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
            scalars.append(isControl ? " " : scalar)
        }
        while scalars.last == " " { scalars.removeLast() }
        let line = String(String.UnicodeScalarView(scalars.drop { $0 == " " }))
        return PrintableText.truncated(line, to: longestValue)
    }
}
