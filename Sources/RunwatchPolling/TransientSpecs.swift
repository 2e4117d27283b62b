import RunwatchCore
import RunwatchStore

/// Makes watches of what was asked for and of what the configuration gives by default.
///
/// Equal settings share one instance, as those of a list do.
struct TransientSpecs {
    private struct Key: Hashable {
        var service: String
        var overrides: WatchOverrides
    }

    /// Requests that all differ, as with a deadline worked out for each, would fill the memory in time.
    static let longest = 256

    private var defaults = WatchSettings()
    private var serviceDefaults: [String: WatchSettings] = [:]
    private var serviceParameters: [String: [String: String]] = [:]
    private var settings: [Key: WatchSettings] = [:]
    private var last: WatchSpec?

    var settingsKept: Int { settings.count }

    init() {}

    init(_ configuration: Configuration) {
        defaults = configuration.defaults
        serviceDefaults = configuration.serviceDefaults
        serviceParameters = configuration.serviceParameters
    }

    mutating func spec(_ run: String, of request: WatchRequest) -> WatchSpec {
        let key = Key(service: request.service, overrides: request.overrides)
        let resolved =
            settings[key]
            ?? request.overrides.over(serviceDefaults[request.service] ?? defaults)
        if settings[key] == nil {
            if settings.count >= TransientSpecs.longest { settings = [:] }
            settings[key] = resolved
        }
        let spec = WatchSpec(
            name: WatchName(service: request.service, run: run), label: request.label,
            group: request.group,
            parameters: request.parameters.isEmpty
                ? serviceParameters[request.service] ?? [:] : request.parameters,
            settings: resolved, origin: .transient, sharing: last)
        last = spec
        return spec
    }
}

/// A transient watch that cannot be polled with this configuration, and may be with the next.
struct ParkedWatch {
    enum Reason {
        case noService
        /// A Krixik watch was asked for without one, and its service gives none any more.
        case noPipeline
    }

    var id: WatchID
    var spec: WatchSpec
    var reason: Reason

    /// For people.
    var words: String {
        switch reason {
        case .noService:
            "the service '\(spec.name.service)' is not configured; the watch goes on when it is again"
        case .noPipeline:
            "the service '\(spec.name.service)' gives no pipeline any more, and the watch has none of "
                + "its own"
        }
    }
}
