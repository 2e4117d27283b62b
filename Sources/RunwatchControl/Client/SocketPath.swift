/// Where the daemon's control socket is looked for.
package enum SocketPath {
    /// The socket of a daemon that the system manages.
    package static let system = "/run/runwatch/control.sock"
    /// The socket of a daemon that was started by hand in this folder.
    package static let local = "./.runwatch/control.sock"

    /// The first of: `--socket`, `$RUNWATCH_SOCKET`, `$RUNTIME_DIRECTORY/control.sock`, the system's when it
    /// exists, the one in this folder.
    package static func resolve(
        option: String?, environment: [String: String], exists: (String) -> Bool
    ) -> String {
        if let option { return option }
        if let path = environment["RUNWATCH_SOCKET"], !path.isEmpty { return path }
        // systemd gives several folders with colons between (systemd.exec(5)); ours is the first.
        if let folder = environment["RUNTIME_DIRECTORY"]?.split(separator: ":").first {
            return "\(folder)/control.sock"
        }
        return exists(system) ? system : local
    }
}
