import RunwatchCore

extension Explainer {
    /// A service's own settings, and then those that it gives to its watches.
    func service(_ service: ServiceSettings) -> Explanation.Section {
        let way = "services.\(service.name)"
        func own(_ name: String, _ value: JSONValue) -> ExplainedSetting {
            setting(name, value, under: way)
        }
        var settings = [
            own("kind", .string(service.kind.name)), own("url", .string(service.url)),
        ]
        switch service.kind {
        case .krixik(let krixik):
            let parameters = configuration.serviceParameters[service.name] ?? [:]
            settings += [
                secret("api_key", under: way),
                own("client_version", .string(krixik.clientVersion)),
                own("pipeline", ExplainedValue.text(parameters["pipeline"])),
            ]
        case .kinetica(let kinetica):
            settings += credentials(kinetica.credentials, under: way)
            settings += [
                own("coalesce", .string(kinetica.coalesce.rawValue)),
                own("max_all_answer", ExplainedValue.size(kinetica.maximumAllAnswer)),
            ]
        }
        settings += [
            own("limits.concurrency", .integer(Int64(service.limits.concurrency))),
            own("limits.rate", ExplainedValue.rate(service.limits.rate)),
            own("timeout", ExplainedValue.duration(service.timeout)),
            own("max_answer", ExplainedValue.size(service.maximumAnswer)),
        ]
        settings += connection(service.tls, proxy: service.proxy, under: way)
        if let defaults = configuration.serviceDefaults[service.name] {
            settings += self.settings(defaults, of: service.name)
        }
        return Explanation.Section(name: service.name, source: source(way), settings: settings)
    }

    private func credentials(
        _ credentials: KineticaSettings.Credentials, under way: String
    ) -> [ExplainedSetting] {
        switch credentials {
        case .none: [setting("username", .null, under: way)]
        case .basic(let username, _):
            [
                setting("username", .string(username), under: way),
                secret("password", under: way),
            ]
        case .bearer: [secret("token", under: way)]
        }
    }

    /// How a server is connected to; files that are not given are left out.
    func connection(
        _ tls: TLSSettings, proxy: String?, under way: String
    ) -> [ExplainedSetting] {
        let files = [
            ("tls.ca_file", tls.caFile), ("tls.cert_file", tls.certFile),
            ("tls.key_file", tls.keyFile),
        ]
        return files.compactMap { (name, path) in
            path.map { setting(name, .string($0), under: way) }
        } + [setting("proxy", ExplainedValue.text(proxy), under: way)]
    }

    /// A secret, as the place that it is read from.
    func secret(_ name: String, under way: String) -> ExplainedSetting {
        setting(name, reference("\(way).\(name)") ?? .string("***"), under: way)
    }

    /// `{env: NAME}` and its like; `nil` when the value stands in the file itself.
    func reference(_ way: String) -> JSONValue? {
        places.main[way]?.reference.map { .string($0) }
    }
}
