import RunwatchCore

private enum ReceiverKey: String, SchemaKey {
    case stdout, webhook, slack, discord, teams, ntfy, email, exec
    case on, retry, timeout, concurrency, digest

    /// What the receiver is, not what it gets and when.
    var isKind: Bool {
        switch self {
        case .stdout, .webhook, .slack, .discord, .teams, .ntfy, .email, .exec: true
        case .on, .retry, .timeout, .concurrency, .digest: false
        }
    }
}

private enum DigestKey: String, SchemaKey {
    case window, max
}

/// Reads the entries of `receivers:`.
struct ReceiverSchema {
    private static let maximumAttempts = 100

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
        let concurrency = fields[.concurrency].flatMap {
            schema.integer($0, "'concurrency'", in: 1...256)
        }
        let digest = fields[.digest].flatMap(readDigest)
        checkStdout(fields)
        guard let kind else { return nil }
        var settings = ReceiverSettings(
            name: name, kind: kind, concurrency: concurrency, digest: digest)
        if let on { settings.on = on }
        if let retry { settings.retry = retry }
        if let timeout { settings.timeout = timeout }
        return settings
    }

    // MARK: Its kind

    private func readKind(_ fields: Fields<ReceiverKey>, _ what: String) -> ReceiverSettings.Kind? {
        let kinds = fields.all.filter(\.key.isKind)
        guard let field = kinds.first else {
            let known = ReceiverKey.allCases.filter(\.isKind).map(\.rawValue)
            schema.error(
                fields.node, "\(what) needs a kind: one of \(known.joined(separator: ", "))")
            return nil
        }
        guard kinds.count == 1 else {
            let names = kinds.map { "'\($0.key.rawValue)'" }
            let list = names.dropLast().joined(separator: ", ") + " and " + names[names.count - 1]
            let count = kinds.count == 2 ? "two" : "\(kinds.count)"
            schema.error(
                kinds[1].keyNode,
                "\(what) has \(count) kinds; make \(list) \(count) receivers")
            return nil
        }
        let reader = ReceiverKindSchema(
            schema: schema, context: context, receiver: what, place: field.keyNode,
            explain: misplaced)
        return switch field.key {
        case .stdout: reader.stdout(field.value)
        case .webhook: reader.webhook(field.value)
        case .slack: reader.incomingWebhook(field.value, .slack)
        case .discord: reader.incomingWebhook(field.value, .discord)
        case .teams: reader.incomingWebhook(field.value, .teams)
        case .ntfy: reader.ntfy(field.value)
        case .email: reader.email(field.value)
        case .exec: reader.exec(field.value)
        case .on, .retry, .timeout, .concurrency, .digest: nil
        }
    }

    /// Keys of the receiver are often written one level too deep.
    private func misplaced(_ name: String) -> String? {
        guard let key = ReceiverKey(rawValue: name), !key.isKind else { return nil }
        return "it stands beside it, as a key of the receiver itself"
    }

    /// Standard output takes lines one after the other, each by itself.
    private func checkStdout(_ fields: Fields<ReceiverKey>) {
        guard fields[.stdout] != nil else { return }
        for field in fields.all where field.key == .concurrency || field.key == .digest {
            schema.error(
                field.keyNode,
                "'\(field.key.rawValue)' is not for stdout, which gets each event at once")
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

    /// `digest:`, `{window: 5m, max: 100}` or `none`.
    private func readDigest(_ node: YAMLNode) -> DigestSettings? {
        if node.kind == .scalar, !node.isBlank {
            guard node.text != "none" else { return nil }
            schema.error(
                node,
                "'digest' cannot be \(Shown.value(node.text)); "
                    + "write {window: 5m, max: 100}, or none for a message each")
            return nil
        }
        guard let fields = schema.fields(node, "'digest'", DigestKey.self) else { return nil }
        var digest = DigestSettings()
        if let node = fields[.window],
            let window = schema.duration(
                node, "'digest.window'", atLeast: .seconds(1), atMost: .seconds(86_400))
        {
            digest.window = window
        }
        if let node = fields[.max], let max = schema.integer(node, "'digest.max'", in: 2...1000) {
            digest.max = max
        }
        return digest
    }
}
