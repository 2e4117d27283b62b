import RunwatchCore

private enum WebhookKey: String, PeerKey {
    case url, secret, format, body, headers, tls, proxy
    case denyPrivate = "deny_private"
}

extension ReceiverKindSchema {
    private static let maximumSecrets = 8
    private static let maximumHeaders = 64

    func webhook(_ node: YAMLNode) -> ReceiverSettings.Kind? {
        guard let fields = fields(node, "webhook", WebhookKey.self) else { return nil }
        let secrets = fields[.secret].map(signingSecrets) ?? []
        let format =
            fields[.format].flatMap {
                schema.choice($0, "'format'", WebhookSettings.Format.self)
            } ?? .standard
        let body = fields[.body].flatMap { template($0, "'body'") }
        if format == .cloudEvents, let field = fields.field(.body) {
            schema.error(
                field.keyNode, "'body' cannot stand beside 'format: cloudevents'; keep one")
        }
        let headers = fields[.headers].map(headers) ?? []
        let peer = peer(fields)
        guard let urlNode = required(.url, fields, "webhook"),
            let url = url(urlNode, .webhook, plain: .asIs)
        else { return nil }
        checkPublic(url, urlNode, peer)
        return .webhook(
            WebhookSettings(
                url: url, secrets: secrets, format: format, body: body, headers: headers,
                peer: peer))
    }

    // MARK: Headers

    private func headers(_ node: YAMLNode) -> [HeaderSettings] {
        var headers: [HeaderSettings] = []
        schema.pairs(node, "'headers'", alike: { $0.lowercased() }) { name, keyNode, value in
            let lower = name.lowercased()
            if let fault = HeaderName.fault(lower) {
                schema.error(keyNode, fault)
                return
            }
            guard headers.count < ReceiverKindSchema.maximumHeaders else {
                schema.error(
                    keyNode, "'headers' has more than \(ReceiverKindSchema.maximumHeaders) headers")
                return
            }
            if let value = headerValue(value, lower) {
                headers.append(HeaderSettings(lower, value))
            }
        }
        return headers
    }

    private func headerValue(_ node: YAMLNode, _ name: String) -> HeaderSettings.Value? {
        let what = "header '\(name)'"
        guard node.kind != .mapping else {
            return secrets.secret(node, what).map { .secret($0) }
        }
        guard let template = template(node, what, isLine: true) else { return nil }
        if name == "authorization" { secrets.warnOfPlain(node, what) }
        return .template(template)
    }

    // MARK: Signing

    /// `secret:`, one secret or a list of them, the newest first.
    private func signingSecrets(_ node: YAMLNode) -> [Secret] {
        guard node.kind == .sequence else { return signingSecret(node).map { [$0] } ?? [] }
        var secrets: [Secret] = []
        var count = 0
        for element in node.children {
            count += 1
            guard count <= ReceiverKindSchema.maximumSecrets else {
                schema.error(
                    element, "'secret' has more than \(ReceiverKindSchema.maximumSecrets) secrets")
                return secrets
            }
            if let secret = signingSecret(element) { secrets.append(secret) }
        }
        if count == 0 {
            schema.error(
                node, "'secret' is an empty list; leave it out to send without a signature")
        }
        return secrets
    }

    private func signingSecret(_ node: YAMLNode) -> Secret? {
        guard let secret = secrets.secret(node, "'secret'") else { return nil }
        guard secret.unreadCredential == nil else { return secret }
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

/// The names of headers that a webhook may be given.
enum HeaderName {
    /// What the request itself decides: RFC 9110, section 7.6.1, and RFC 9112, section 6.
    private static let reserved: Set = [
        "host", "content-length", "transfer-encoding", "connection", "expect", "te", "upgrade",
    ]

    /// What is wrong with a name in lower case; `nil` when nothing is.
    static func fault(_ name: String) -> String? {
        // What is no name is not shown: it may be a secret.
        guard (1...128).contains(name.utf8.count), name.utf8.allSatisfy(isTokenByte) else {
            return "this is no name of a header: use letters, digits and '-'"
        }
        if name.hasPrefix("webhook-") {
            return "header '\(name)' cannot be set: Standard Webhooks decides all of 'webhook-…'"
        }
        if reserved.contains(name) {
            return "header '\(name)' cannot be set: it is the connection's own"
        }
        return nil
    }

    /// RFC 9110, section 5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        ASCII.isNameByte(byte) || "!#$%&'*+.^`|~".utf8.contains(byte)
    }
}
