import RunwatchCore

private enum EmailKey: String, SchemaKey {
    case url, from, to, username, password, starttls, subject, text, tls
}

extension ReceiverKindSchema {
    private static let maximumRecipients = 100

    func email(_ node: YAMLNode) -> ReceiverSettings.Kind? {
        guard let fields = fields(node, "email", EmailKey.self) else { return nil }
        let credentials = credentials(fields)
        let subject = fields[.subject].flatMap { template($0, "'subject'", isLine: true) }
        let text = fields[.text].flatMap { template($0, "'text'") }
        let tls = fields[.tls].map { schema.tls($0, context) } ?? TLSSettings()
        let startTLS = fields[.starttls].flatMap {
            schema.choice($0, "'starttls'", EmailSettings.StartTLS.self)
        }
        let url = required(.url, fields, "email", "smtp://mail.example.com:587").flatMap {
            schema.url($0, "'url'", .smtp)
        }
        if let url, url.hasPrefix("smtps:"), let field = fields.field(.starttls) {
            schema.error(
                field.keyNode, "'starttls' is for smtp://; smtps:// has TLS from the start")
        }
        let from = required(.from, fields, "email", "runwatch@example.com").flatMap {
            address($0, "'from'")
        }
        let to = required(.to, fields, "email", "[ops@example.com]").flatMap(recipients)
        guard let url, let from, let to else { return nil }
        var settings = EmailSettings(
            url: url, from: from, to: to, username: credentials.username,
            password: credentials.password, subject: subject, text: text, tls: tls)
        if let startTLS { settings.startTLS = startTLS }
        return .email(settings)
    }

    private func credentials(_ fields: Fields<EmailKey>) -> (username: Secret?, password: Secret?) {
        let username = fields[.username].flatMap { secrets.textOrSecret($0, "'username'") }
        let password = fields[.password].flatMap { secrets.secret($0, "'password'") }
        if let field = fields.field(.username), fields[.password] == nil {
            schema.error(field.keyNode, "'username' needs 'password' beside it")
        }
        if let field = fields.field(.password), fields[.username] == nil {
            schema.error(field.keyNode, "'password' needs 'username' beside it")
        }
        return (username, password)
    }

    // MARK: Addresses

    /// `to:`, one address or a list of them.
    private func recipients(_ node: YAMLNode) -> [EmailAddress]? {
        guard node.kind == .sequence else { return address(node, "'to'").map { [$0] } }
        var recipients: [EmailAddress] = []
        var lines: [String: Int] = [:]
        var count = 0
        for element in node.children {
            count += 1
            guard count <= ReceiverKindSchema.maximumRecipients else {
                schema.error(
                    element, "'to' has more than \(ReceiverKindSchema.maximumRecipients) addresses")
                return nil
            }
            guard let recipient = address(element, "an address in 'to'") else { continue }
            // No server tells mailboxes apart by case, whatever RFC 5321 allows it.
            let key = recipient.address.lowercased()
            if let line = lines[key] {
                schema.error(
                    element,
                    "'to' has \(Shown.value(recipient.address)) twice; it is at line \(line) already"
                )
                continue
            }
            lines[key] = element.line
            recipients.append(recipient)
        }
        if count == 0 { schema.error(node, "'to' needs at least one address") }
        return recipients.isEmpty ? nil : recipients
    }

    private func address(_ node: YAMLNode, _ what: String) -> EmailAddress? {
        guard let text = schema.line(node, what) else { return nil }
        do throws(EmailAddressText.Fault) {
            return try EmailAddressText.parse(text)
        } catch {
            schema.error(node, "\(what) cannot be \(Shown.value(text)): \(error.message)")
            return nil
        }
    }
}
