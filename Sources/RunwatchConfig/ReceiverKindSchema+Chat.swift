import RunwatchCore

private enum IncomingWebhookKey: String, PeerKey {
    case url, text, tls, proxy
    case denyPrivate = "deny_private"
}

private enum NtfyKey: String, PeerKey {
    case url, topic, token, text, tls, proxy
    case denyPrivate = "deny_private"
}

extension ReceiverKindSchema {
    private static let publicNtfy = "https://ntfy.sh"

    /// Slack, Discord and Teams: a URL that whoever knows it may write to.
    func incomingWebhook(
        _ node: YAMLNode, _ service: ChatSettings.Service
    ) -> ReceiverSettings.Kind? {
        let kind = service.rawValue
        guard let fields = fields(node, kind, IncomingWebhookKey.self) else { return nil }
        let text = fields[.text].flatMap { template($0, "'text'") }
        let peer = peer(fields)
        guard let urlNode = required(.url, fields, kind, "{credential: \(kind)-url}"),
            let url = url(urlNode, .incomingWebhook, plain: .asSecret)
        else { return nil }
        checkPublic(url, urlNode, peer)
        return .chat(ChatSettings(service: service, url: url, text: text, peer: peer))
    }

    func ntfy(_ node: YAMLNode) -> ReceiverSettings.Kind? {
        guard let fields = fields(node, "ntfy", NtfyKey.self) else { return nil }
        let text = fields[.text].flatMap { template($0, "'text'") }
        let token = fields[.token].flatMap { secrets.secret($0, "'token'") }
        let peer = peer(fields)
        var server: Secret? = Secret(ReceiverKindSchema.publicNtfy)
        if let node = fields[.url] {
            server = url(node, .ntfy, plain: .asIs)
            if let server { checkPublic(server, node, peer) }
        }
        guard let topicNode = required(.topic, fields, "ntfy"), let topic = topic(topicNode),
            let server
        else { return nil }
        return .chat(
            ChatSettings(
                service: .ntfy, url: server, topic: topic, token: token, text: text,
                peer: peer))
    }

    /// The form that ntfy's server takes; with public servers who knows it may read and write.
    private func topic(_ node: YAMLNode) -> Secret? {
        guard let topic = secrets.textOrSecret(node, "'topic'") else { return nil }
        let text = topic.reveal()
        guard topic.unreadCredential == nil else { return topic }
        guard text.utf8.count <= 64, text.utf8.allSatisfy(ASCII.isNameByte) else {
            schema.error(node, "'topic' is 1 to 64 letters, digits, '-' and '_'")
            return nil
        }
        return topic
    }
}
