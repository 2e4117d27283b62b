/// One receiver as configured.
package struct ReceiverSettings: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case stdout(StdoutFormat)
        case webhook(WebhookSettings)

        package var name: String {
            switch self {
            case .stdout: "stdout"
            case .webhook: "webhook"
            }
        }
    }

    package enum StdoutFormat: String, Hashable, Sendable, CaseIterable {
        /// One JSON object a line.
        case json
        case text
    }

    package var name: String
    package var kind: Kind
    /// The types of events that it gets; the final states by default.
    package var on: Set<EventType>
    /// The wait before each attempt, the first included; after the last one the delivery has failed.
    package var retry: [Duration]
    /// How long one attempt may take.
    package var timeout: Duration

    /// The schedule that Standard Webhooks recommends: ten attempts in about three days.
    package static let standardRetry: [Duration] = [
        .zero, .seconds(5), .seconds(300), .seconds(1800), .seconds(7200), .seconds(18_000),
        .seconds(36_000), .seconds(50_400), .seconds(72_000), .seconds(86_400),
    ]

    package init(
        name: String, kind: Kind, on: Set<EventType> = EventType.finalStates,
        retry: [Duration] = ReceiverSettings.standardRetry, timeout: Duration = .seconds(15)
    ) {
        self.name = name
        self.kind = kind
        self.on = on
        self.retry = retry
        self.timeout = timeout
    }
}

package struct WebhookSettings: Equatable, Sendable {
    /// http or https.
    package var url: String
    /// The newest first; each signs.
    ///
    /// Empty for no signature. `whsec_` + base64, or raw text.
    package var secrets: [Secret]
    package var tls: TLSSettings
    package var proxy: String?

    package init(
        url: String, secrets: [Secret] = [], tls: TLSSettings = TLSSettings(), proxy: String? = nil
    ) {
        self.url = url
        self.secrets = secrets
        self.tls = tls
        self.proxy = proxy
    }
}
