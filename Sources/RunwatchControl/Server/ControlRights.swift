package import RunwatchLinux

/// Who may do what at the control socket (unix(7), `SO_PEERCRED`).
///
/// Root and the daemon's own user may do everything. Members of `control.group` may read; members of
/// `control.admin_group` may read and change things. A peer whose user is not known may do nothing.
package struct ControlRights: Sendable {
    /// The user that the daemon runs as.
    package var ownUser: UInt32
    /// The group of `control.group`, or the daemon's own; `nil` for nobody.
    package var readGroup: UInt32?
    /// The group of `control.admin_group`; `nil` when none is configured, or it does not exist.
    package var adminGroup: UInt32?
    /// The groups of a user, its supplementary ones included.
    package var groups: GroupCache.Lookup

    package init(
        ownUser: UInt32, readGroup: UInt32? = nil, adminGroup: UInt32?,
        groups: @escaping GroupCache.Lookup = SystemGroups.groups
    ) {
        self.ownUser = ownUser
        self.readGroup = readGroup
        self.adminGroup = adminGroup
        self.groups = groups
    }

    package func mayRead(_ peer: PeerCredentials?) -> Bool {
        isOne(peer, of: [readGroup, adminGroup].compactMap { $0 })
    }

    package func mayChange(_ peer: PeerCredentials?) -> Bool {
        isOne(peer, of: [adminGroup].compactMap { $0 })
    }

    private func isOne(_ peer: PeerCredentials?, of members: [UInt32]) -> Bool {
        guard let peer else { return false }
        if peer.userID == 0 || peer.userID == ownUser { return true }
        if members.contains(peer.groupID) { return true }
        guard !members.isEmpty else { return false }
        // The socket tells the process's primary group only; the user's others are the system's to say.
        return groups(peer.userID, peer.groupID).contains { members.contains($0) }
    }

    // MARK: Refusals

    /// Tells who may not read what to do about it.
    var readRefusal: Problem {
        let who = readGroup.map { " and the members of \(ControlRights.name($0))" } ?? ""
        let remedy = readGroup.map {
            "; join \(ControlRights.name($0)) and log in again, or ask root"
        }
        return Problem(
            .permissionDenied,
            "Reading is for root, the daemon's own user\(who)\(remedy ?? "").")
    }

    /// Tells who may only read what to do about it.
    var changeRefusal: Problem {
        guard let adminGroup else {
            return Problem(
                .permissionDenied,
                "Changing things is for root and the daemon's own user, since the configuration "
                    + "names no control.admin_group that exists; you may read.")
        }
        let group = ControlRights.name(adminGroup)
        return Problem(
            .permissionDenied,
            "Changing things is for root, the daemon's own user and the members of \(group) "
                + "(control.admin_group); join it and log in again. You may read.")
    }

    private static func name(_ group: UInt32) -> String {
        SystemGroups.name(of: group).map { "the group '\($0)'" } ?? "the group \(group)"
    }
}
