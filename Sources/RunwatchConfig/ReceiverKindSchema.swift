import RunwatchCore

private enum StdoutKey: String, SchemaKey {
    case format
}

/// The keys of every kind that connects to a server by HTTP.
protocol PeerKey: SchemaKey {
    static var tls: Self { get }
    static var proxy: Self { get }
    static var denyPrivate: Self { get }
}

/// Reads what stands under the key of a receiver's kind.
struct ReceiverKindSchema {
    let schema: Schema
    let context: LoadContext
    /// The receiver in messages: `receiver 'ops'`.
    let receiver: String
    /// Where the kind's key stands.
    let place: YAMLNode
    /// Says more about an unknown key, if it can.
    let explain: (String) -> String?

    var secrets: SecretSchema { SecretSchema(schema: schema, context: context) }

    func fields<Key: SchemaKey>(
        _ node: YAMLNode, _ kind: String, _ keys: Key.Type
    ) -> Fields<Key>? {
        schema.fields(node, "'\(kind)'", keys, at: place, explain: explain)
    }

    /// Reads a key that must be there.
    ///
    /// - Parameter hint: How it is written, if its name does not say it.
    func required<Key: SchemaKey>(
        _ key: Key, _ fields: Fields<Key>, _ kind: String, _ hint: String = ""
    ) -> YAMLNode? {
        if let node = fields[key] { return node }
        let more = hint.isEmpty ? "" : ", such as \(hint)"
        schema.error(fields.node, "\(receiver) needs '\(key.rawValue)' in its '\(kind)'\(more)")
        return nil
    }

    func stdout(_ node: YAMLNode) -> ReceiverSettings.Kind? {
        guard let fields = schema.fields(node, "'stdout'", StdoutKey.self, explain: explain) else {
            return nil
        }
        guard let node = fields[.format] else { return .stdout(.json) }
        return schema.choice(node, "'format'", ReceiverSettings.StdoutFormat.self).map {
            .stdout($0)
        }
    }

    // MARK: Its server

    /// How a URL is taken that is written as plain text.
    enum PlainURL {
        /// Its path is a key: with a warning.
        case asSecret
        case asIs
    }

    /// Reads a URL that may be given as a secret; no message quotes it.
    func url(
        _ node: YAMLNode, _ purpose: URLText.Purpose, plain: PlainURL
    ) -> Secret? {
        let text: String
        if plain == .asIs, node.kind != .mapping {
            guard let plain = schema.text(node, "'url'") else { return nil }
            text = plain
        } else {
            guard let secret = secrets.secret(node, "'url'") else { return nil }
            guard secret.unreadCredential == nil else { return secret }
            text = secret.reveal()
        }
        do throws(URLText.Fault) {
            return Secret(try URLText.check(text, purpose))
        } catch {
            schema.error(node, "'url' \(error.message)")
            return nil
        }
    }

    func peer<Key: PeerKey>(_ fields: Fields<Key>) -> PeerSettings {
        var peer = PeerSettings()
        if let node = fields[.tls] { peer.tls = schema.tls(node, context) }
        peer.proxy = fields[.proxy].flatMap { schema.url($0, "'proxy'", .proxy) }
        peer.deniesPrivate =
            fields[.denyPrivate].flatMap { schema.flag($0, "'deny_private'") } ?? false
        if peer.deniesPrivate, fields[.proxy] != nil, let field = fields.field(.denyPrivate) {
            schema.error(
                field.keyNode,
                "'deny_private' cannot stand beside 'proxy': it is the proxy that connects")
        }
        return peer
    }

    /// What `deny_private` would refuse at every attempt is refused here.
    func checkPublic(_ url: Secret, _ node: YAMLNode, _ peer: PeerSettings) {
        guard peer.deniesPrivate, url.unreadCredential == nil else { return }
        let host = URLText.host(of: url.reveal())
        guard PrivateHost.contains(host) else { return }
        // A URL that is a secret is never quoted.
        let shown = node.kind == .scalar ? Shown.value(String(host)) : "the host"
        schema.error(
            node, "'url': \(shown) is a private address, which 'deny_private' does not connect to")
    }
}
