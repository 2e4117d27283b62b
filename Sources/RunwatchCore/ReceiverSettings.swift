/// One receiver as configured.
package struct ReceiverSettings: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case stdout(StdoutFormat)
        case webhook(WebhookSettings)
        case chat(ChatSettings)
        case email(EmailSettings)
        case exec(ExecSettings)

        /// The key that stands for it in the configuration.
        package var name: String {
            switch self {
            case .stdout: "stdout"
            case .webhook: "webhook"
            case .chat(let chat): chat.service.rawValue
            case .email: "email"
            case .exec: "exec"
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
    /// Attempts under way at once; at least 1.
    package var concurrency: Int
    /// Gathers events into one message; `nil` for a message each.
    package var digest: DigestSettings?

    /// The schedule that Standard Webhooks recommends: ten attempts in about three days.
    package static let standardRetry: [Duration] = [
        .zero, .seconds(5), .seconds(300), .seconds(1800), .seconds(7200), .seconds(18_000),
        .seconds(36_000), .seconds(50_400), .seconds(72_000), .seconds(86_400),
    ]

    package init(
        name: String, kind: Kind, on: Set<EventType> = EventType.finalStates,
        retry: [Duration] = ReceiverSettings.standardRetry, timeout: Duration = .seconds(15),
        concurrency: Int? = nil, digest: DigestSettings? = nil
    ) {
        self.name = name
        self.kind = kind
        self.on = on
        self.retry = retry
        self.timeout = timeout
        self.concurrency = concurrency ?? kind.standardConcurrency
        self.digest = digest
    }
}

extension ReceiverSettings.Kind {
    /// Attempts at once when nothing is configured.
    package var standardConcurrency: Int {
        switch self {
        // Not requests but lines in a queue: enough to fill every write.
        case .stdout: 256
        // Sixteen hide 100 ms of way at 160 deliveries a second, and no receiver calls that a flood.
        case .webhook: 16
        // People read in order, and the services limit the rate of a channel.
        case .chat, .email: 1
        // Programs cost more than requests.
        case .exec: 4
        }
    }
}

/// `digest: {window: 5m, max: 100}`: events of this receiver wait for others, and go as one message.
package struct DigestSettings: Hashable, Sendable {
    /// How long the first event of a message waits for others.
    package var window: Duration
    /// Events in one message at most; that many go at once.
    package var max: Int

    package static let standardWindow = Duration.seconds(300)
    package static let standardMax = 100

    package init(
        window: Duration = DigestSettings.standardWindow, max: Int = DigestSettings.standardMax
    ) {
        self.window = window
        self.max = max
    }
}

/// How a receiver's server is connected to.
package struct PeerSettings: Hashable, Sendable {
    package var tls: TLSSettings
    /// A proxy's URL; `nil` for none.
    package var proxy: String?
    /// Refuses to connect to private, loopback and link-local addresses; never with a proxy.
    package var deniesPrivate: Bool

    package init(
        tls: TLSSettings = TLSSettings(), proxy: String? = nil, deniesPrivate: Bool = false
    ) {
        self.tls = tls
        self.proxy = proxy
        self.deniesPrivate = deniesPrivate
    }
}

package struct WebhookSettings: Equatable, Sendable {
    package enum Format: String, Hashable, Sendable, CaseIterable {
        /// The event as it is, after Standard Webhooks.
        case standard
        /// CloudEvents 1.0, structured JSON.
        case cloudEvents = "cloudevents"
    }

    /// http or https; with many receivers its path is the key.
    package var url: Secret
    /// The newest first; each signs.
    ///
    /// Empty for no signature. `whsec_` + base64, or raw text.
    package var secrets: [Secret]
    package var format: Format
    /// A Mustache template for the body; `nil` for the format's own.
    package var body: String?
    /// Sent besides the standard ones; names are in lower case and each stands once.
    package var headers: [HeaderSettings]
    package var peer: PeerSettings

    package init(
        url: Secret, secrets: [Secret] = [], format: Format = .standard, body: String? = nil,
        headers: [HeaderSettings] = [], peer: PeerSettings = PeerSettings()
    ) {
        self.url = url
        self.secrets = secrets
        self.format = format
        self.body = body
        self.headers = headers
        self.peer = peer
    }
}

/// A header of a webhook: a secret, or a Mustache template.
package struct HeaderSettings: Equatable, Sendable {
    package enum Value: Equatable, Sendable {
        case template(String)
        case secret(Secret)
    }

    /// In lower case.
    package var name: String
    package var value: Value

    package init(_ name: String, _ value: Value) {
        self.name = name
        self.value = value
    }
}

/// A channel of a chat or push service.
package struct ChatSettings: Equatable, Sendable {
    package enum Service: String, Hashable, Sendable, CaseIterable {
        case slack
        case discord
        case teams
        case ntfy
    }

    package var service: Service
    /// The incoming webhook's URL, which is its key too; for ntfy the server's.
    package var url: Secret
    /// ntfy alone: what to publish to.
    package var topic: Secret?
    /// ntfy alone: an access token.
    package var token: Secret?
    /// A Mustache template for the message's text; `nil` for the usual words.
    package var text: String?
    package var peer: PeerSettings

    package init(
        service: Service, url: Secret, topic: Secret? = nil, token: Secret? = nil,
        text: String? = nil, peer: PeerSettings = PeerSettings()
    ) {
        self.service = service
        self.url = url
        self.topic = topic
        self.token = token
        self.text = text
        self.peer = peer
    }
}

package struct EmailSettings: Equatable, Sendable {
    package enum StartTLS: String, Hashable, Sendable, CaseIterable {
        /// A server that does not offer TLS is refused.
        case always
        /// TLS if it is offered: whoever sits in between can prevent it.
        case auto
        case never
    }

    /// `smtp://HOST[:PORT]` or `smtps://HOST[:PORT]`.
    package var url: String
    /// An address, with a name before it or not.
    package var from: EmailAddress
    /// At least one.
    package var to: [EmailAddress]
    package var username: Secret?
    package var password: Secret?
    package var startTLS: StartTLS
    /// A Mustache template; `nil` for the usual words.
    package var subject: String?
    /// A Mustache template for the text part; `nil` for the usual words.
    package var text: String?
    package var tls: TLSSettings

    package init(
        url: String, from: EmailAddress, to: [EmailAddress], username: Secret? = nil,
        password: Secret? = nil, startTLS: StartTLS = .always, subject: String? = nil,
        text: String? = nil, tls: TLSSettings = TLSSettings()
    ) {
        self.url = url
        self.from = from
        self.to = to
        self.username = username
        self.password = password
        self.startTLS = startTLS
        self.subject = subject
        self.text = text
        self.tls = tls
    }
}

/// A mailbox (RFC 5322, section 3.4): `Run Watch <runwatch@example.com>`.
package struct EmailAddress: Hashable, Sendable {
    /// Before the address, for people; `nil` for none.
    package var name: String?
    /// `local@domain`, as the server gets it.
    package var address: String

    package init(name: String? = nil, address: String) {
        self.name = name
        self.address = address
    }
}

/// A program that is given each event; never run by a shell.
package struct ExecSettings: Equatable, Sendable {
    /// An absolute path, then the arguments; at least the path.
    package var command: [String]
    /// Set besides the event's own variables; each name stands once.
    package var environment: [(name: String, value: Secret)]

    package init(command: [String], environment: [(name: String, value: Secret)] = []) {
        self.command = command
        self.environment = environment
    }

    package static func == (left: ExecSettings, right: ExecSettings) -> Bool {
        left.command == right.command
            && left.environment.elementsEqual(right.environment) { $0 == $1 }
    }
}
