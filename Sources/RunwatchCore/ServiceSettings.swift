/// One service as configured.
package struct ServiceSettings: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case krixik(KrixikSettings)
        case kinetica(KineticaSettings)

        package var name: String {
            switch self {
            case .krixik: "krixik"
            case .kinetica: "kinetica"
            }
        }
    }

    package var name: String
    package var kind: Kind
    /// The base URL, http or https, without a trailing slash; it may have a path.
    package var url: String
    package var limits: ServiceLimits
    /// The limit of one request from its start to the last byte of the answer.
    package var timeout: Duration
    package var tls: TLSSettings
    /// A proxy's URL; `nil` for none.
    ///
    /// The environment's proxies are not looked at.
    package var proxy: String?
    /// The largest answer about one run that is read, in bytes.
    package var maximumAnswer: Int

    package init(
        name: String, kind: Kind, url: String, limits: ServiceLimits = ServiceLimits(),
        timeout: Duration = .seconds(30), tls: TLSSettings = TLSSettings(), proxy: String? = nil,
        maximumAnswer: Int = 8 << 20
    ) {
        self.name = name
        self.kind = kind
        self.url = url
        self.limits = limits
        self.timeout = timeout
        self.tls = tls
        self.proxy = proxy
        self.maximumAnswer = maximumAnswer
    }
}

/// `limits: {concurrency: 8, rate: 20/s}`.
package struct ServiceLimits: Hashable, Sendable {
    /// Requests in flight at once; at least 1.
    package var concurrency: Int
    /// Requests a second; `nil` for no limit.
    package var rate: Double?

    package init(concurrency: Int = 8, rate: Double? = nil) {
        self.concurrency = concurrency
        self.rate = rate
    }
}

/// `tls: {ca_file, cert_file, key_file}`; paths of PEM files.
package struct TLSSettings: Hashable, Sendable {
    package var caFile: String?
    package var certFile: String?
    package var keyFile: String?

    package init(caFile: String? = nil, certFile: String? = nil, keyFile: String? = nil) {
        self.caFile = caFile
        self.certFile = certFile
        self.keyFile = keyFile
    }
}

package struct KrixikSettings: Equatable, Sendable {
    package var apiKey: Secret
    /// Three dotted numbers, sent in every request's body.
    package var clientVersion: String

    package init(apiKey: Secret, clientVersion: String = "1.1.19") {
        self.apiKey = apiKey
        self.clientVersion = clientVersion
    }
}

package struct KineticaSettings: Equatable, Sendable {
    package enum Credentials: Equatable, Sendable {
        case none
        case basic(username: String, password: Secret)
        case bearer(Secret)
    }

    package enum Coalesce: String, Hashable, Sendable, CaseIterable {
        case auto, always, never
    }

    package var credentials: Credentials
    package var coalesce: Coalesce
    /// The largest answer about all runs that is read, in bytes.
    package var maximumAllAnswer: Int

    package init(
        credentials: Credentials = .none, coalesce: Coalesce = .auto,
        maximumAllAnswer: Int = 256 << 20
    ) {
        self.credentials = credentials
        self.coalesce = coalesce
        self.maximumAllAnswer = maximumAllAnswer
    }
}
