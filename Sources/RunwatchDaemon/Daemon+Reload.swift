import Logging
import RunwatchConfig
import RunwatchControl
import RunwatchCore
import RunwatchDelivery
import RunwatchLinux
import RunwatchPolling
import RunwatchStore

extension Daemon {
    /// Reads the configuration again and takes it up if it is good; else the last good one goes on.
    ///
    /// Reloads come one after another; those that are asked for while one waits for its turn are one.
    func reload(_ cause: String) async -> ReloadView {
        if let nextReload { return await nextReload.value }
        let previous = reloading
        let task = Task {
            _ = await previous?.value
            nextReload = nil
            return await self.reloadNow(cause)
        }
        nextReload = task
        reloading = task
        return await task.value
    }

    private func reloadNow(_ cause: String) async -> ReloadView {
        guard let parts, let listener, !isStopRequested else { return ReloadView(isOK: false) }
        defer { notice.post(keeper.view(), httpListen: httpListen) }
        tellManager { (manager) throws(SystemCallError) in try manager.reloading() }
        defer { tellManager { (manager) throws(SystemCallError) in try manager.ready() } }
        let previous = keeper.diagnostics
        let loaded = keeper.load()
        watchFiles()
        if keeper.diagnostics != previous { tell(keeper.diagnostics) }
        guard let configuration = loaded else {
            logger.error(
                "the configuration has errors; the last good one goes on",
                metadata: ["cause": "\(cause)", "file": "\(options.configuration)"])
            return keeper.reloadView(difference: nil)
        }
        let difference = keeper.difference(to: configuration)
        let listen: TCPListener.Change
        do {
            listen = try await listener.prepare(configuration.http.listen)
        } catch {
            let place = configuration.http
            keeper.refuse(error.message, line: place.line, column: place.column)
            tell(keeper.diagnostics.suffix(1))
            return keeper.reloadView(difference: nil)
        }
        do {
            try await parts.poller.apply(configuration)
        } catch {
            await listener.cancel(listen)
            keeper.refuse(error.message)
            logger.error(
                "the configuration could not be taken up: \(error)",
                metadata: ["cause": "\(cause)"])
            return keeper.reloadView(difference: nil)
        }
        await parts.deliverer.apply(configuration.receivers)
        logSink.apply(configuration.log)
        await listener.commit(listen)
        if configuration.control != keeper.configuration?.control {
            giveSocket(configuration.control)
        }
        parts.control.setRights(rights(configuration.control))
        retention = configuration.retention
        keeper.accept(configuration, at: time.wallClock())
        logger.log(
            level: difference.isEmpty ? .debug : .notice, "reloaded: \(difference)",
            metadata: ["cause": "\(cause)"])
        if difference.hasOtherChanges, let httpListen {
            logger.notice("metrics and health are served", metadata: ["http": "\(httpListen)"])
        }
        return keeper.reloadView(difference: difference)
    }

    /// Watches the folders of every file that the configuration was read from.
    func watchFiles() {
        keeper.watch(on: executor.queue) { [weak self] in
            self?.assumeIsolated { $0.look() }
        }
        // A file may have changed between its reading and the watch on its folder.
        look()
    }

    private func look() {
        guard keeper.hasChanged, !isStopRequested else { return }
        Task { _ = await reload("a file changed") }
    }

    func tell(_ diagnostics: some Sequence<Diagnostic>) {
        for diagnostic in diagnostics {
            logger.log(
                level: diagnostic.severity == .error ? .error : .warning, "\(diagnostic)")
        }
    }
}

extension Daemon {
    /// Where figures and health are served over TCP, with the port that was really got.
    var httpListen: String? { listener?.current?.bound.description }

    /// The one in force; `nil` before the first.
    func configuration() -> Configuration? { keeper.configuration }
}
