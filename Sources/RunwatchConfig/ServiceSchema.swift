import RunwatchCore

private enum ServiceKey: String, SchemaKey {
    case kind, url, limits, poll, timeout, tls, proxy
    case maximumAnswer = "max_answer"
    // Krixik
    case apiKey = "api_key"
    case clientVersion = "client_version"
    case pipeline
    // Kinetica
    case username, password, token, coalesce
    case maximumAllAnswer = "max_all_answer"
    // Settings of its watches
    case deadline, notify
    case pendingAfter = "pending_after"
    case stallAfter = "stall_after"
    case notFoundGrace = "not_found_grace"

    /// The kind that the key is for; `nil` for every kind.
    var kind: ServiceKind? {
        switch self {
        case .apiKey, .clientVersion, .pipeline: .krixik
        case .username, .password, .token, .coalesce, .maximumAllAnswer: .kinetica
        default: nil
        }
    }
}

private enum LimitsKey: String, SchemaKey {
    case concurrency, rate
}

/// The kinds of service by their names in the configuration.
enum ServiceKind: String, CaseIterable {
    case krixik, kinetica
}

/// A service as declared; it may be faulty, but its name is known to the watches.
///
/// A class, since each entry of a watch list looks at one.
final class ServiceEntry {
    let name: String
    /// `nil` when the kind is faulty.
    let kind: ServiceKind?
    /// `nil` when anything is faulty.
    let settings: ServiceSettings?
    /// `defaults` overlaid with the service's own.
    let defaults: WatchSettings
    /// `pipeline`, if the service gives one.
    let parameters: [String: String]

    init(
        name: String, kind: ServiceKind?, settings: ServiceSettings?, defaults: WatchSettings,
        parameters: [String: String]
    ) {
        self.name = name
        self.kind = kind
        self.settings = settings
        self.defaults = defaults
        self.parameters = parameters
    }
}

/// Reads the entries of `services:`.
struct ServiceSchema {
    let schema: Schema
    let context: LoadContext
    let defaults: WatchSettings
    let receivers: [String]

    func entry(_ name: String, _ keyNode: YAMLNode, _ node: YAMLNode) -> ServiceEntry {
        let what = "service '\(name)'"
        let fields =
            schema.fields(node, what, ServiceKey.self, at: keyNode)
            ?? Fields<ServiceKey>(node: keyNode)
        let isMapping = node.kind == .mapping || node.isBlank
        let kind = isMapping ? readKind(fields, what) : nil
        if let kind { checkKeys(fields, kind) }
        let partial = schema.settings(fields, over: defaults, receivers: receivers)
        let pipeline = fields[.pipeline].flatMap { schema.line($0, "'pipeline'", limit: 256) }
        let url = isMapping ? readURL(fields, what) : nil
        let details = kind.flatMap { readDetails($0, fields, what) }
        let common = readCommon(fields)
        var settings: ServiceSettings?
        if let url, let details {
            settings = ServiceSettings(
                name: name, kind: details, url: url, limits: common.limits,
                timeout: common.timeout, tls: common.tls, proxy: common.proxy,
                maximumAnswer: common.maximumAnswer)
        }
        return ServiceEntry(
            name: name, kind: kind, settings: settings, defaults: partial.over(defaults),
            parameters: kind == .krixik ? pipeline.map { ["pipeline": $0] } ?? [:] : [:])
    }

    private func readKind(_ fields: Fields<ServiceKey>, _ what: String) -> ServiceKind? {
        guard let node = fields[.kind] else {
            schema.error(fields.node, "\(what) needs 'kind': krixik or kinetica")
            return nil
        }
        return schema.choice(node, "'kind'", ServiceKind.self)
    }

    private func checkKeys(_ fields: Fields<ServiceKey>, _ kind: ServiceKind) {
        for field in fields.all {
            guard let owner = field.key.kind, owner != kind else { continue }
            schema.error(
                field.keyNode,
                "'\(field.key.rawValue)' is for services of kind \(owner.rawValue); "
                    + "this one is of kind \(kind.rawValue)")
        }
    }

    private func readURL(_ fields: Fields<ServiceKey>, _ what: String) -> String? {
        guard let node = fields[.url] else {
            schema.error(fields.node, "\(what) needs 'url', its base URL")
            return nil
        }
        return schema.url(node, "'url'", .service)
    }

    // MARK: All kinds

    private struct Common {
        var limits = ServiceLimits()
        var timeout = Duration.seconds(30)
        var tls = TLSSettings()
        var proxy: String?
        var maximumAnswer = 8 << 20
    }

    private func readCommon(_ fields: Fields<ServiceKey>) -> Common {
        var common = Common()
        if let node = fields[.limits], let limits = schema.fields(node, "'limits'", LimitsKey.self)
        {
            if let node = limits[.concurrency],
                let value = schema.integer(node, "'limits.concurrency'", in: 1...1000)
            {
                common.limits.concurrency = value
            }
            if let node = limits[.rate] {
                common.limits.rate = schema.parsed(
                    node, "'limits.rate'",
                    "write a number of requests and /s, /m or /h: 20/s, 600/m",
                    NumberText.rate)
            }
        }
        if let node = fields[.timeout],
            let value = schema.duration(
                node, "'timeout'", atLeast: .milliseconds(10), atMost: .seconds(3600))
        {
            common.timeout = value
        }
        if let node = fields[.tls] { common.tls = schema.tls(node, context) }
        if let node = fields[.proxy] { common.proxy = schema.url(node, "'proxy'", .proxy) }
        if let node = fields[.maximumAnswer],
            let value = schema.size(node, "'max_answer'", in: 1 << 10...1 << 30)
        {
            common.maximumAnswer = value
        }
        return common
    }

    // MARK: Each kind

    private func readDetails(
        _ kind: ServiceKind, _ fields: Fields<ServiceKey>, _ what: String
    ) -> ServiceSettings.Kind? {
        switch kind {
        case .krixik: krixik(fields, what).map { .krixik($0) }
        case .kinetica: kinetica(fields).map { .kinetica($0) }
        }
    }

    private func krixik(_ fields: Fields<ServiceKey>, _ what: String) -> KrixikSettings? {
        var settings: KrixikSettings?
        if let node = fields[.apiKey] {
            let secrets = SecretSchema(schema: schema, context: context)
            settings = secrets.secret(node, "'api_key'").map { KrixikSettings(apiKey: $0) }
        } else {
            schema.error(
                fields.node, "\(what) needs 'api_key', such as {credential: krixik-api-key}")
        }
        if let node = fields[.clientVersion] {
            let version: String? = schema.parsed(
                node, "'client_version'", "it is three numbers with dots, such as 1.1.19"
            ) { text in
                let parts = text.split(separator: ".", omittingEmptySubsequences: false)
                let isVersion =
                    parts.count == 3 && parts.allSatisfy { NumberText.integer($0) != nil }
                return isVersion ? text : nil
            }
            if let version { settings?.clientVersion = version }
        }
        return settings
    }

    private func kinetica(_ fields: Fields<ServiceKey>) -> KineticaSettings? {
        guard let credentials = credentials(fields) else { return nil }
        var settings = KineticaSettings(credentials: credentials)
        if let node = fields[.coalesce],
            let value = schema.choice(node, "'coalesce'", KineticaSettings.Coalesce.self)
        {
            settings.coalesce = value
        }
        if let node = fields[.maximumAllAnswer],
            let value = schema.size(node, "'max_all_answer'", in: 1 << 10...4 << 30)
        {
            settings.maximumAllAnswer = value
        }
        return settings
    }

    private func credentials(_ fields: Fields<ServiceKey>) -> KineticaSettings.Credentials? {
        let secrets = SecretSchema(schema: schema, context: context)
        let username = fields[.username].map { schema.line($0, "'username'") }
        let password = fields[.password].map { secrets.secret($0, "'password'") }
        let token = fields[.token].map { secrets.secret($0, "'token'") }
        if let field = fields.field(.token), username != nil || password != nil {
            schema.error(
                field.keyNode, "'token' cannot stand beside 'username' and 'password'; keep one")
            return nil
        }
        if let field = fields.field(.username), password == nil {
            schema.error(field.keyNode, "'username' needs 'password' beside it")
            return nil
        }
        if let field = fields.field(.password), username == nil {
            schema.error(field.keyNode, "'password' needs 'username' beside it")
            return nil
        }
        if let token { return token.map { .bearer($0) } }
        guard let username, let password else { return KineticaSettings.Credentials.none }
        guard let name = username, let secret = password else { return nil }
        // RFC 7617, section 2: the first colon ends the user's name.
        guard !name.contains(":") else {
            schema.error(fields[.username] ?? fields.node, "'username' cannot hold a colon")
            return nil
        }
        return .basic(username: name, password: secret)
    }
}
