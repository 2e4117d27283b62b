import Dispatch
import Glibc
import RunwatchConfig
import RunwatchControl
import RunwatchCore
import RunwatchLinux

/// The configuration that holds, what the last reading of the files said, and whether they have changed.
///
/// Confined to the daemon's actor.
final class ConfigurationKeeper {
    /// What of a file tells that it may have other contents.
    private struct Print: Equatable {
        var device: UInt64
        var inode: UInt64
        var size: Int64
        var modifiedSeconds: Int
        var modifiedNanoseconds: Int
        var changedSeconds: Int
        var changedNanoseconds: Int
    }

    struct Counts {
        var services = 0
        var watches = 0
        var discoveries = 0
    }

    /// Files are looked at this often even when no event came: some file systems give none.
    private static let lookInterval = 30

    let file: String
    private let environment: [String: String]
    private(set) var configuration: Configuration?
    /// Of the last reading.
    private(set) var diagnostics: [Diagnostic] = []
    private(set) var isOK = true
    private(set) var loadedAt = Timestamp(milliseconds: 0)
    private var watchedPaths: [String]
    private var prints: [Print?] = []
    private var watcher: FolderWatcher?
    private var listener: (@Sendable () -> Void)?
    private var lookout: (any DispatchSourceTimer)?

    init(file: String, environment: [String: String]) {
        self.file = file
        self.environment = environment
        watchedPaths = [file]
    }

    var counts: Counts {
        Counts(
            services: configuration?.services.count ?? 0,
            watches: configuration?.watches.count ?? 0,
            discoveries: configuration?.discoveries.count ?? 0)
    }

    /// Reads the files; `nil` when they have errors, which `diagnostics` then holds.
    func load() -> Configuration? {
        // The prints come first: what is written while the files are read shows at the next look.
        let before = watchedPaths.map(ConfigurationKeeper.print)
        let result = ConfigurationLoader.load(file: file, environment: environment)
        diagnostics = result.diagnostics
        isOK = result.configuration != nil
        let known = Dictionary(
            zip(watchedPaths, before), uniquingKeysWith: { first, _ in first })
        watchedPaths = result.watchedPaths.isEmpty ? [file] : result.watchedPaths
        prints = watchedPaths.map { known[$0] ?? ConfigurationKeeper.print($0) }
        return result.configuration
    }

    func accept(_ configuration: Configuration, at moment: Timestamp) {
        self.configuration = configuration
        loadedAt = moment
        isOK = true
    }

    /// The files are good, and yet they could not be taken up: the next look tries again.
    ///
    /// - Parameters:
    ///   - line: Of the main file, where the fault has a place there.
    func refuse(_ message: String, line: Int = 0, column: Int = 0) {
        isOK = false
        prints = []
        diagnostics.append(Diagnostic(file: file, line: line, column: column, message: message))
    }

    func difference(to next: Configuration) -> ConfigurationDifference {
        ConfigurationDifference(from: configuration ?? Configuration(file: file), to: next)
    }

    /// Whether a file that the last reading looked at may have other contents now.
    var hasChanged: Bool { watchedPaths.map(ConfigurationKeeper.print) != prints }

    // MARK: Views

    func view() -> ConfigurationView {
        ConfigurationView(
            file: file, loadedAt: loadedAt, isOK: isOK, errors: texts(.error),
            warnings: texts(.warning))
    }

    func reloadView(difference: ConfigurationDifference?) -> ReloadView {
        ReloadView(
            isOK: isOK, added: difference?.watches.added.count ?? 0,
            removed: difference?.watches.removed.count ?? 0,
            changed: difference?.watches.changed.count ?? 0, errors: texts(.error),
            warnings: texts(.warning))
    }

    private func texts(_ severity: Diagnostic.Severity) -> [String] {
        diagnostics.filter { $0.severity == severity }.map(\.description)
    }

    // MARK: Watching

    /// Calls when something in the files' folders has changed, and now and then besides.
    func watch(on queue: DispatchQueue, _ listener: @escaping @Sendable () -> Void) {
        self.listener = listener
        if watcher == nil {
            // Without inotify (its limits are per user) the look every 30 s remains.
            watcher = try? FolderWatcher(queue: queue) { [weak self] change in
                if change == .ofFolders { self?.watchFolders() }
                self?.listener?()
            }
        }
        watchFolders()
        guard lookout == nil else { return }
        let timer = DispatchSource.makeTimerSource(queue: queue)
        timer.setEventHandler { listener() }
        timer.schedule(
            deadline: .now() + .seconds(ConfigurationKeeper.lookInterval),
            repeating: .seconds(ConfigurationKeeper.lookInterval), leeway: .seconds(1))
        timer.activate()
        lookout = timer
    }

    private func watchFolders() {
        watcher?.watch(Set(watchedPaths.flatMap { resolveLinkFolders(of: $0) }).sorted())
    }

    func stopWatching() {
        watcher?.close()
        watcher = nil
        lookout?.cancel()
        lookout = nil
    }

    private static func print(_ path: String) -> Print? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Print(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino),
            size: Int64(status.st_size), modifiedSeconds: status.st_mtim.tv_sec,
            modifiedNanoseconds: status.st_mtim.tv_nsec, changedSeconds: status.st_ctim.tv_sec,
            changedNanoseconds: status.st_ctim.tv_nsec)
    }
}
