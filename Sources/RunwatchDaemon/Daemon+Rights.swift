import Glibc
import Logging
import RunwatchControl
import RunwatchCore
import RunwatchLinux

// Who may use the control socket, and who finds the daemon at work.
extension Daemon {
    func rights(_ settings: ControlSettings) -> ControlRights {
        let cache = groupCache
        return ControlRights(
            ownUser: getuid(), readGroup: readGroup(settings),
            adminGroup: settings.adminGroup.flatMap { SystemGroups.groupID(named: $0) },
            groups: { cache.groups(of: $0, primary: $1) })
    }

    /// The group of `control.group` where there is one; else the daemon's own, which the socket has then.
    private func readGroup(_ settings: ControlSettings) -> UInt32 {
        settings.group.flatMap { SystemGroups.groupID(named: $0) } ?? getegid()
    }

    /// Gives the socket to the group that may read from now on.
    func giveSocket(_ settings: ControlSettings) {
        if let name = settings.group, SystemGroups.groupID(named: name) == nil {
            logger.warning(
                "there is no such group; the control socket is the daemon's own group's",
                metadata: ["control.group": "\(name)"])
        }
        do {
            try ListeningSocket.give(options.paths.socket, to: readGroup(settings))
        } catch {
            let name = settings.group ?? "GROUP"
            logger.warning(
                """
                the control socket keeps its group: \(error); start the daemon with the other one as \
                its own (Group=\(name))
                """)
        }
    }

    /// Whether the daemon has started and is not stopping.
    func readiness() -> HealthView {
        if isStopRequested { return HealthView(isOK: false, reasons: ["the daemon is stopping"]) }
        return isReady
            ? HealthView(isOK: true) : HealthView(isOK: false, reasons: ["the daemon is starting"])
    }
}
