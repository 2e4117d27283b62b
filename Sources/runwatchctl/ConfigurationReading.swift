import RunwatchConfig
import RunwatchControl
import RunwatchCore
import RunwatchServices

/// A configuration read as the daemon would, but for credentials that only the daemon is given.
struct ConfigurationReading {
    private let result: ConfigurationResult

    init(_ file: String, environment: [String: String], notesPlaces: Bool) {
        result = ConfigurationLoader.load(
            file: file, environment: environment,
            options: LoadOptions(notesPlaces: notesPlaces, assumesCredentials: true))
    }

    var check: ConfigurationCheck {
        let configuration = result.configuration
        return ConfigurationCheck(
            diagnostics: result.diagnostics, errorCount: result.errorCount,
            warningCount: result.warningCount, services: configuration?.services.count ?? 0,
            receivers: configuration?.receivers.count ?? 0,
            watches: configuration?.watches.count ?? 0,
            discoveries: configuration?.discoveries.count ?? 0)
    }

    /// `nil` when the configuration has errors, or was read without places.
    func explanation() -> Explanation? {
        guard let configuration = result.configuration, let places = result.places else {
            return nil
        }
        return Explainer.explain(configuration, places)
    }

    /// Asks each service once; `nil` when the configuration has errors.
    ///
    /// - Parameter onAnswer: Gets how many services are being asked, each time that one is done.
    func probes(_ onAnswer: @escaping @Sendable (Int) -> Void) -> [ServiceProbe]? {
        guard let configuration = result.configuration else { return nil }
        let plans = ProbePlan.plans(configuration)
        var credentials: [String: String] = [:]
        for service in configuration.services {
            credentials[service.name] = service.unreadCredential
        }
        let asked = plans.count { $0.scope != nil && credentials[$0.service.name] == nil }
        return ServiceProber.ask(plans, without: credentials) { onAnswer(asked) }
    }
}
