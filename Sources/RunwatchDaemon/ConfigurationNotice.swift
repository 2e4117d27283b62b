import RunwatchControl
import Synchronization

/// What people are told of the configuration, without waiting for the daemon: it may be reading a list
/// of a hundred thousand watches.
final class ConfigurationNotice: Sendable {
    private let view: Mutex<ConfigurationView>

    init(_ view: ConfigurationView) {
        self.view = Mutex(view)
    }

    var current: ConfigurationView { view.withLock { $0 } }

    func post(_ next: ConfigurationView) {
        view.withLock { $0 = next }
    }
}
