import RunwatchControl
import Synchronization

/// What people are told of the configuration, without waiting for the daemon: it may be reading a list
/// of a hundred thousand watches.
final class ConfigurationNotice: Sendable {
    private let views: Mutex<(configuration: ConfigurationView, httpListen: String?)>

    init(_ view: ConfigurationView) {
        views = Mutex((view, nil))
    }

    var current: ConfigurationView { views.withLock { $0.configuration } }

    /// Where figures and health are served over TCP, with the port that was really got.
    var httpListen: String? { views.withLock { $0.httpListen } }

    func post(_ next: ConfigurationView, httpListen: String?) {
        views.withLock { $0 = (next, httpListen) }
    }
}
