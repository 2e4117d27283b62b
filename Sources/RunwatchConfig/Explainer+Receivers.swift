import RunwatchCore

extension Explainer {
    /// What a receiver is, what it gets and when.
    func receiver(_ receiver: ReceiverSettings) -> Explanation.Section {
        let way = "receivers.\(receiver.name)"
        func own(_ name: String, _ value: JSONValue) -> ExplainedSetting {
            setting(name, value, under: way)
        }
        var settings = kind(receiver.kind, under: way)
        settings.append(own("on", types(receiver.on)))
        // What is not for standard output has no effect there.
        if receiver.kind.name != "stdout" {
            settings += [
                own("retry", .array(receiver.retry.map { ExplainedValue.duration($0) })),
                own("timeout", ExplainedValue.duration(receiver.timeout)),
                own("concurrency", .integer(Int64(receiver.concurrency))),
            ]
            if let digest = receiver.digest {
                settings += [
                    own("digest.window", ExplainedValue.duration(digest.window)),
                    own("digest.max", .integer(Int64(digest.max))),
                ]
            } else {
                settings.append(own("digest", .null))
            }
        }
        return Explanation.Section(name: receiver.name, source: source(way), settings: settings)
    }

    private func types(_ types: Set<EventType>) -> JSONValue {
        guard types.count < EventType.all.count else { return .array([.string("all")]) }
        let names = EventType.all.filter(types.contains).map { type in
            type.name.hasPrefix("run.") ? String(type.name.dropFirst(4)) : type.name
        }
        return ExplainedValue.list(names)
    }

    // MARK: Kinds

    private func kind(_ kind: ReceiverSettings.Kind, under way: String) -> [ExplainedSetting] {
        let name = kind.name
        func own(_ key: String, _ value: JSONValue) -> ExplainedSetting {
            setting("\(name).\(key)", value, under: way)
        }
        switch kind {
        case .stdout(let format): return [own("format", .string(format.rawValue))]
        case .webhook(let webhook): return self.webhook(webhook, under: way)
        case .chat(let chat): return self.chat(chat, under: way)
        case .email(let email): return self.email(email, under: way)
        case .exec(let exec):
            // Arguments may hold anything, tokens included; the names of variables say enough.
            let names = exec.environment.map(\.name)
            return [own("command", ExplainedValue.text(exec.command.first))]
                + (names.isEmpty ? [] : [own("environment", ExplainedValue.list(names))])
        }
    }

    private func webhook(_ webhook: WebhookSettings, under way: String) -> [ExplainedSetting] {
        var settings = [secret("webhook.url", under: way)]
        settings.append(
            webhook.secrets.isEmpty
                ? setting("webhook.secret", .null, under: way)
                : secret("webhook.secret", under: way))
        settings.append(setting("webhook.format", .string(webhook.format.rawValue), under: way))
        if !webhook.headers.isEmpty {
            let names = ExplainedValue.list(webhook.headers.map(\.name))
            settings.append(setting("webhook.headers", names, under: way))
        }
        if webhook.body != nil { settings.append(template("webhook.body", under: way)) }
        return settings + peer(webhook.peer, "webhook", under: way)
    }

    private func chat(_ chat: ChatSettings, under way: String) -> [ExplainedSetting] {
        let kind = chat.service.rawValue
        let url = "\(kind).url"
        var settings: [ExplainedSetting] = []
        // Of ntfy alone the URL has a default, which is no secret.
        settings.append(
            places.main["\(way).\(url)"] == nil
                ? setting(url, .string(chat.url.reveal()), under: way) : secret(url, under: way))
        if chat.topic != nil { settings.append(secret("\(kind).topic", under: way)) }
        if chat.token != nil { settings.append(secret("\(kind).token", under: way)) }
        if chat.text != nil { settings.append(template("\(kind).text", under: way)) }
        return settings + peer(chat.peer, kind, under: way)
    }

    private func email(_ email: EmailSettings, under way: String) -> [ExplainedSetting] {
        func own(_ key: String, _ value: JSONValue) -> ExplainedSetting {
            setting("email.\(key)", value, under: way)
        }
        var settings = [
            own("url", .string(email.url)), own("from", .string(email.from.address)),
            own("to", ExplainedValue.list(email.to.map(\.address))),
        ]
        for key in ["username", "password"] where places.main["\(way).email.\(key)"] != nil {
            settings.append(secret("email.\(key)", under: way))
        }
        settings.append(own("starttls", .string(email.startTLS.rawValue)))
        if email.subject != nil { settings.append(template("email.subject", under: way)) }
        if email.text != nil { settings.append(template("email.text", under: way)) }
        let files = connection(email.tls, proxy: nil, under: "\(way).email").dropLast()
        return settings
            + files.map { ExplainedSetting("email.\($0.name)", $0.value, $0.source) }
    }

    private func peer(
        _ peer: PeerSettings, _ kind: String, under way: String
    ) -> [ExplainedSetting] {
        connection(peer.tls, proxy: peer.proxy, under: "\(way).\(kind)").map {
            ExplainedSetting("\(kind).\($0.name)", $0.value, $0.source)
        } + [setting("\(kind).deny_private", .bool(peer.deniesPrivate), under: way)]
    }

    /// A template that is given: its file, or that there is one; tokens stand in templates, too.
    private func template(_ name: String, under way: String) -> ExplainedSetting {
        setting(name, reference("\(way).\(name)") ?? .string("a template"), under: way)
    }
}
