import RunwatchCore

private enum ReceiverKey: String, SchemaKey {
    case stdout, webhook, on, retry, timeout
}

private enum StdoutKey: String, SchemaKey {
    case format
}

private enum WebhookKey: String, SchemaKey {
    case url, secret, tls, proxy
}

/// Reads the entries of `receivers:`.
struct ReceiverSchema {
    private static let maximumAttempts = 100
    private static let maximumSecrets = 8

    let schema: Schema
    let context: LoadContext

    /// - Returns: `nil` when the receiver's kind is faulty, which has been reported.
    func receiver(_ name: String, _ keyNode: YAMLNode, _ node: YAMLNode) -> ReceiverSettings? {
        let what = "receiver '\(name)'"
        guard let fields = schema.fields(node, what, ReceiverKey.self, at: keyNode) else {
            return nil
        }
        let kind = readKind(fields, what)
        let on = fields[.on].flatMap(readTypes)
        let retry = fields[.retry].flatMap(readRetry)
        let timeout = fields[.timeout].flatMap {
            schema.duration($0, "'timeout'", atLeast: .milliseconds(10), atMost: .seconds(3600))
        }
        guard let kind else { return nil }
        var settings = ReceiverSettings(name: name, kind: kind)
        if let on { settings.on = on }
        if let retry { settings.retry = retry }
        if let timeout { settings.timeout = timeout }
        return settings
    }

    private func readKind(_ fields: Fields<ReceiverKey>, _ what: String) -> ReceiverSettings.Kind? {
        switch (fields.field(.stdout), fields.field(.webhook)) {
        case (nil, nil):
            schema.error(fields.node, "\(what) needs a kind: 'stdout' or 'webhook'")
            return nil
        case (let first?, let second?):
            let later = first.keyNode.line < second.keyNode.line ? second : first
            schema.error(
                later.keyNode, "\(what) has two kinds; make 'stdout' and 'webhook' two receivers")
            return nil
        case (let field?, nil): return stdout(field.value)
        case (nil, let field?): return webhook(field.value, what, at: field.keyNode)
        }
    }

    private func stdout(_ node: YAMLNode) -> ReceiverSettings.Kind? {
        guard let fields = schema.fields(node, "'stdout'", StdoutKey.self, explain: misplaced)
        else {
            return nil
        }
        guard let node = fields[.format] else { return .stdout(.json) }
        return schema.choice(node, "'format'", ReceiverSettings.StdoutFormat.self).map {
            .stdout($0)
        }
    }

    private func webhook(
        _ node: YAMLNode, _ what: String, at place: YAMLNode
    ) -> ReceiverSettings.Kind? {
        guard
            let fields = schema.fields(
                node, "'webhook'", WebhookKey.self, at: place, explain: misplaced)
        else { return nil }
        let secrets = fields[.secret].map(readSecrets) ?? []
        let tls = fields[.tls].map { schema.tls($0, context) } ?? TLSSettings()
        let proxy = fields[.proxy].flatMap { schema.url($0, "'proxy'", .proxy) }
        guard let url = fields[.url] else {
            schema.error(fields.node, "\(what) needs 'url' in its 'webhook'")
            return nil
        }
        guard let url = schema.url(url, "'url'", .webhook) else { return nil }
        return .webhook(
            WebhookSettings(
                url: Secret(url), secrets: secrets, peer: PeerSettings(tls: tls, proxy: proxy)))
    }

    /// Keys of the receiver are often written one level too deep.
    private func misplaced(_ name: String) -> String? {
        guard let key = ReceiverKey(rawValue: name) else { return nil }
        switch key {
        case .on, .retry, .timeout:
            return "it stands beside it, as a key of the receiver itself"
        case .stdout, .webhook: return nil
        }
    }

    // MARK: What it gets, and when

    /// `on:`, a list of types of events, or one; `all` stands for every type.
    private func readTypes(_ node: YAMLNode) -> Set<EventType>? {
        if node.kind == .scalar, !node.isBlank { return readType(node) }
        let example = "[complete, error] or all"
        guard let elements = schema.list(node, "'on'", example: example) else { return nil }
        var types: Set<EventType> = []
        var isEmpty = true
        for element in elements {
            isEmpty = false
            types.formUnion(readType(element) ?? [])
        }
        if isEmpty {
            schema.warning(
                node,
                "'on' is empty, so the receiver gets nothing; leave it out for "
                    + "the final states")
        }
        return types
    }

    private func readType(_ node: YAMLNode) -> Set<EventType>? {
        guard let text = schema.text(node, "an event type in 'on'") else { return nil }
        if text == "all" { return Set(EventType.all) }
        if let type = EventType(name: text) { return [type] }
        let names = EventType.all.map(\.name)
        let short = names.filter { $0.hasPrefix("run.") }.map { String($0.dropFirst(4)) }
        let known = short + names.filter { !$0.hasPrefix("run.") } + ["all"]
        if let near = NearestName.find(text, among: known + names) {
            schema.error(node, "unknown event type \(Shown.value(text)); did you mean '\(near)'?")
        } else {
            schema.error(
                node,
                "unknown event type \(Shown.value(text)); known are \(known.joined(separator: ", "))"
            )
        }
        return nil
    }

    private func readRetry(_ node: YAMLNode) -> [Duration]? {
        guard let elements = schema.list(node, "'retry'", example: "[0s, 5s, 1m]") else {
            return nil
        }
        var waits: [Duration] = []
        var count = 0
        for element in elements {
            count += 1
            guard count <= ReceiverSchema.maximumAttempts else {
                schema.error(
                    element, "'retry' has more than \(ReceiverSchema.maximumAttempts) attempts")
                return nil
            }
            let wait = schema.duration(
                element, "a wait in 'retry'", atLeast: .zero, atMost: .seconds(30 * 86_400))
            if let wait { waits.append(wait) }
        }
        if count == 0 {
            schema.error(node, "'retry' needs at least one wait; [0s] is one attempt at once")
            return nil
        }
        return waits
    }

    // MARK: Secrets

    /// `secret:`, one secret or a list of them, the newest first.
    private func readSecrets(_ node: YAMLNode) -> [Secret] {
        guard node.kind == .sequence else { return secret(node).map { [$0] } ?? [] }
        var secrets: [Secret] = []
        var count = 0
        for element in node.children {
            count += 1
            guard count <= ReceiverSchema.maximumSecrets else {
                schema.error(
                    element, "'secret' has more than \(ReceiverSchema.maximumSecrets) secrets")
                return secrets
            }
            if let secret = secret(element) { secrets.append(secret) }
        }
        if count == 0 {
            schema.error(
                node, "'secret' is an empty list; leave it out to send without a signature")
        }
        return secrets
    }

    private func secret(_ node: YAMLNode) -> Secret? {
        let reader = SecretSchema(schema: schema, context: context)
        guard let secret = reader.secret(node, "'secret'") else { return nil }
        if let fault = WebhookSecret.fault(secret.reveal()) {
            schema.error(node, "'secret' \(fault)")
            return nil
        }
        if let weakness = WebhookSecret.weakness(secret.reveal()) {
            schema.warning(node, "'secret' \(weakness)")
        }
        return secret
    }
}

/// What Standard Webhooks says of signing secrets.
enum WebhookSecret {
    /// What is wrong with a secret, which is never quoted; `nil` when nothing is.
    static func fault(_ text: String) -> String? {
        let prefix = "whsec_"
        guard text.hasPrefix(prefix) else {
            return text.utf8.count >= 8
                ? nil
                : "is shorter than 8 bytes; take 'whsec_' and the base64 of 24 to 64 random bytes"
        }
        guard let key = Base64.decode(text.dropFirst(prefix.count)) else {
            return "has no base64 after 'whsec_' (the alphabet with '+' and '/', padded by '=')"
        }
        return key.isEmpty ? "holds nothing after 'whsec_'" : nil
    }

    /// Why a secret that can be used should be longer or shorter; `nil` when it is as it should be.
    static func weakness(_ text: String) -> String? {
        let prefix = "whsec_"
        guard text.hasPrefix(prefix), let key = Base64.decode(text.dropFirst(prefix.count)),
            !(24...64).contains(key.count)
        else { return nil }
        return "holds \(key.count) bytes after 'whsec_'; Standard Webhooks asks for 24 to 64"
    }
}
