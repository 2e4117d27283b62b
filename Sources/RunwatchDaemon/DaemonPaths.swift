import Glibc

/// Where the daemon keeps its things: systemd's folders under systemd, `./.runwatch/` elsewhere.
package struct DaemonPaths: Sendable, Equatable {
    package var database: String
    package var socket: String

    /// - Parameters:
    ///   - stateDirectory: Overrides `$STATE_DIRECTORY`.
    ///   - socket: Overrides `$RUNWATCH_SOCKET` and `$RUNTIME_DIRECTORY`.
    package init(environment: [String: String], stateDirectory: String?, socket: String?) {
        // systemd gives a list with colons when several folders are configured; the first is ours.
        func folder(_ variable: String) -> String? {
            environment[variable]?.split(separator: ":").first.map(String.init)
        }
        let state = stateDirectory ?? folder("STATE_DIRECTORY")
        database = (state ?? ".runwatch") + "/runwatch.db"
        // An empty variable is as good as none, as it is to `runwatchctl`.
        let named = environment["RUNWATCH_SOCKET"].flatMap { $0.isEmpty ? nil : $0 }
        self.socket =
            socket ?? named
            ?? ((folder("RUNTIME_DIRECTORY") ?? stateDirectory ?? ".runwatch") + "/control.sock")
    }

    /// Makes the folders that are not there yet, for the owner alone.
    func makeFolders() {
        for path in [database, socket] {
            guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { continue }
            // What cannot be made is told by whoever opens a file in it.
            mkdir(String(path[..<slash]), 0o750)
        }
    }
}

/// The exit codes of the daemon, after sysexits(3).
package enum DaemonExit: Int32, Sendable {
    case success = 0
    case usage = 64
    /// The database or the socket cannot be had.
    case unavailable = 69
    /// A commit is uncertain: start again and read back.
    case inputOutput = 74
    /// Another daemon is at work here.
    case temporary = 75
    case configuration = 78
}
