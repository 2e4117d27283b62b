package import RunwatchCore
package import RunwatchHTTP

/// What a service's settings mean for the requests to it.
extension ServiceSettings {
    package var coalesce: KineticaSettings.Coalesce {
        if case .kinetica(let kinetica) = kind { kinetica.coalesce } else { .never }
    }

    package var maximumAllAnswer: Int {
        if case .kinetica(let kinetica) = kind { kinetica.maximumAllAnswer } else { maximumAnswer }
    }

    package var connection: HTTPConnectionOptions {
        HTTPConnectionOptions(
            caFile: tls.caFile, certFile: tls.certFile, keyFile: tls.keyFile, proxy: proxy)
    }
}

extension PollFailureReason {
    /// What the lack of an answer says of the service; `nil` when the request was cancelled.
    package init?(_ code: HTTPFailure.Code) {
        switch code {
        case .cancelled: return nil
        case .name, .connect, .interrupted: self = .connection
        case .timeout: self = .timeout
        case .tooLarge: self = .tooLarge
        case .malformed: self = .unreadable
        case .badRequest, .refused: self = .refused
        }
    }
}

extension PollScope {
    /// Whether a failure is that of asking about many runs at once.
    ///
    /// A request for many that is refused or too large is no fault of the service: single ones may do.
    package func isTooCommon(_ reason: PollFailureReason, at service: ServiceSettings) -> Bool {
        guard reason == .tooLarge || reason == .refused else { return false }
        switch self {
        case .run: return false
        case .tag: return true
        // Whoever wants them all and nothing else is told that there is nothing else.
        case .all: return service.coalesce == .auto
        }
    }
}
