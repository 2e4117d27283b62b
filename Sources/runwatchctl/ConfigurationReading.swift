import RunwatchConfig
import RunwatchControl
import RunwatchCore

/// Reads a configuration as the daemon would.
enum ConfigurationReading {
    static func check(_ file: String, environment: [String: String]) -> ConfigurationCheck {
        let result = ConfigurationLoader.load(file: file, environment: environment)
        let configuration = result.configuration
        return ConfigurationCheck(
            diagnostics: result.diagnostics, services: configuration?.services.count ?? 0,
            receivers: configuration?.receivers.count ?? 0,
            watches: configuration?.watches.count ?? 0,
            discoveries: configuration?.discoveries.count ?? 0)
    }
}
