/// One watch as the watch list, or a request, asks for it.
///
/// What watches have in common (one entry of a list may stand for a hundred thousand) they share: of 32
/// bytes each, instead of a hundred.
package struct WatchSpec: Hashable, Sendable {
    private struct Common: Hashable, Sendable {
        var service: String
        var label: String?
        var group: String?
        var parameters: [String: String]
        var settings: WatchSettings
        /// The origin, without the line.
        var source: WatchOrigin
    }

    /// Never changed once it is made, so that any number of specs may hold it.
    private final class Shared: Sendable {
        let common: Common
        init(_ common: Common) { self.common = common }
    }

    /// The service's own ID of the run.
    package let run: String
    private var shared: Shared
    private var line: Int32

    /// - Parameter other: A spec that is likely to have all but the run and the line in common.
    package init(
        name: WatchName, label: String? = nil, group: String? = nil,
        parameters: [String: String] = [:], settings: WatchSettings, origin: WatchOrigin,
        sharing other: WatchSpec? = nil
    ) {
        run = name.run
        line = Int32(clamping: origin.line)
        let common = Common(
            service: name.service, label: label, group: group, parameters: parameters,
            settings: settings, source: origin.at(line: 0))
        if let other, other.shared.common == common {
            shared = other.shared
        } else {
            shared = Shared(common)
        }
    }

    private var common: Common {
        get { shared.common }
        set { shared = Shared(newValue) }
    }

    package var name: WatchName { WatchName(service: shared.common.service, run: run) }

    package var label: String? {
        get { shared.common.label }
        set { common.label = newValue }
    }

    package var group: String? {
        get { shared.common.group }
        set { common.group = newValue }
    }

    /// What the kind of service needs besides the ID: `pipeline` for Krixik.
    ///
    /// Usually empty.
    package var parameters: [String: String] {
        get { shared.common.parameters }
        set { common.parameters = newValue }
    }

    package var settings: WatchSettings {
        get { shared.common.settings }
        set { common.settings = newValue }
    }

    package var origin: WatchOrigin {
        get { shared.common.source.at(line: Int(line)) }
        set {
            line = Int32(clamping: newValue.line)
            common.source = newValue.at(line: 0)
        }
    }

    package static func == (left: WatchSpec, right: WatchSpec) -> Bool {
        ExactText.areSame(left.run, right.run) && left.line == right.line
            && (left.shared === right.shared || left.shared.common == right.shared.common)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(run)
        hasher.combine(line)
        hasher.combine(shared.common)
    }
}

/// Where a watch comes from: a line of a file, a discovery's line, or a request.
package enum WatchOrigin: Hashable, Sendable, CustomStringConvertible {
    case file(String, line: Int)
    /// Found by the `discover:` entry at that place.
    case discovery(String, line: Int)
    case transient

    fileprivate var line: Int {
        switch self {
        case .file(_, let line), .discovery(_, let line): line
        case .transient: 0
        }
    }

    fileprivate func at(line: Int) -> WatchOrigin {
        switch self {
        case .file(let path, _): .file(path, line: line)
        case .discovery(let path, _): .discovery(path, line: line)
        case .transient: .transient
        }
    }

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
