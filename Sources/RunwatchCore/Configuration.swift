/// A whole configuration, checked: every name resolves, every secret is read, no watch stands twice.
package struct Configuration: Sendable {
    /// The main file, as given.
    package var file: String
    /// In the order of the file; names are unique.
    package var services: [ServiceSettings]
    /// In the order of the file; names are unique; never empty (`log` on stdout by default).
    package var receivers: [ReceiverSettings]
    /// Every watch of every list; names are unique.
    package var watches: [WatchSpec]
    package var discoveries: [DiscoverySpec]
    package var defaults: WatchSettings
    /// What each service sets for its watches: `defaults` overlaid with its own; by service.
    package var serviceDefaults: [String: WatchSettings]
    /// `pipeline` of a Krixik service and its like, for watches that give none; by service.
    package var serviceParameters: [String: [String: String]]
    /// How long finished watches and their events are kept; `nil` for ever.
    package var retention: Duration?
    package var control: ControlSettings
    package var http: HTTPSettings
    package var log: LogSettings

    package init(
        file: String, services: [ServiceSettings] = [], receivers: [ReceiverSettings] = [],
        watches: [WatchSpec] = [], discoveries: [DiscoverySpec] = [],
        defaults: WatchSettings = WatchSettings(),
        serviceDefaults: [String: WatchSettings] = [:],
        serviceParameters: [String: [String: String]] = [:],
        retention: Duration? = .seconds(30 * 86_400), control: ControlSettings = ControlSettings(),
        http: HTTPSettings = HTTPSettings(), log: LogSettings = LogSettings()
    ) {
        self.file = file
        self.services = services
        self.receivers = receivers
        self.watches = watches
        self.discoveries = discoveries
        self.defaults = defaults
        self.serviceDefaults = serviceDefaults
        self.serviceParameters = serviceParameters
        self.retention = retention
        self.control = control
        self.http = http
        self.log = log
    }
}

/// `control: {group: runwatch, admin_group: runwatch}`; names of groups of the system.
package struct ControlSettings: Hashable, Sendable {
    /// Who may read; `nil` when the file gives none.
    package var group: String?
    /// Who may change things.
    package var adminGroup: String?

    package init(group: String? = nil, adminGroup: String? = nil) {
        self.group = group
        self.adminGroup = adminGroup
    }
}

/// `http: {listen: 127.0.0.1:9788}`: figures and health over TCP, for reading.
package struct HTTPSettings: Sendable {
    /// `nil` for no listener.
    package var listen: ListenAddress?
    /// Where the file says so, for who cannot listen there; both from 1, 0 without one.
    package var line: Int
    package var column: Int

    package init(listen: ListenAddress? = nil, line: Int = 0, column: Int = 0) {
        self.listen = listen
        self.line = line
        self.column = column
    }
}

/// `log: {level: info, format: auto}`.
package struct LogSettings: Hashable, Sendable {
    package enum Level: String, Hashable, Sendable, CaseIterable {
        case trace, debug, info, notice, warning, error
    }

    package enum Format: String, Hashable, Sendable, CaseIterable {
        /// journald's levels under systemd, text elsewhere.
        case auto
        case text
        case json
    }

    package var level: Level
    package var format: Format

    package init(level: Level = .info, format: Format = .auto) {
        self.level = level
        self.format = format
    }
}
