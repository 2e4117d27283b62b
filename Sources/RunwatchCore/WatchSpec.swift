/// One watch as the watch list, or a request, asks for it.
package struct WatchSpec: Hashable, Sendable {
    package var name: WatchName
    package var label: String?
    package var group: String?
    /// What the kind of service needs besides the ID: `pipeline` for Krixik.
    ///
    /// Usually empty.
    package var parameters: [String: String]
    package var settings: WatchSettings
    package var origin: WatchOrigin

    package init(
        name: WatchName, label: String? = nil, group: String? = nil,
        parameters: [String: String] = [:], settings: WatchSettings, origin: WatchOrigin
    ) {
        self.name = name
        self.label = label
        self.group = group
        self.parameters = parameters
        self.settings = settings
        self.origin = origin
    }
}

/// Where a watch comes from: a line of a file, a discovery's line, or a request.
package enum WatchOrigin: Hashable, Sendable, CustomStringConvertible {
    case file(String, line: Int)
    /// Found by the `discover:` entry at that place.
    case discovery(String, line: Int)
    case transient

    package var description: String {
        switch self {
        case .file(let path, let line): "\(path):\(line)"
        case .discovery(let path, let line): "\(path):\(line) (discovered)"
        case .transient: "transient"
        }
    }
}

/// A `discover:` entry: every run that the filter shows becomes a watch as it appears.
package struct DiscoverySpec: Hashable, Sendable {
    package var service: String
    /// Kinetica's run tag; the only filter so far.
    package var runTag: String
    package var label: String?
    package var group: String?
    package var settings: WatchSettings
    /// The path and line of the entry.
    package var path: String
    package var line: Int

    package init(
        service: String, runTag: String, label: String? = nil, group: String? = nil,
        settings: WatchSettings, path: String, line: Int
    ) {
        self.service = service
        self.runTag = runTag
        self.label = label
        self.group = group
        self.settings = settings
        self.path = path
        self.line = line
    }
}
