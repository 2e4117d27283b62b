package import RunwatchLinux

/// Who may do what at the control socket.
///
/// Reading is for everyone who could connect: the socket's mode and group have decided that already.
/// Changing things is for root, for the daemon's own user and for the members of `control.admin_group`;
/// never for a peer whose user is not known, as over TCP.
package struct ControlRights: Sendable {
    /// The user that the daemon runs as.
    package var ownUser: UInt32
    /// The group of `control.admin_group`; `nil` when none is configured, or it does not exist.
    package var adminGroup: UInt32?
    /// The groups of a user, its supplementary ones included.
    package var groups: @Sendable (_ user: UInt32, _ primary: UInt32) -> [UInt32]

    package init(
        ownUser: UInt32, adminGroup: UInt32?,
        groups: @escaping @Sendable (_ user: UInt32, _ primary: UInt32) -> [UInt32] =
            SystemGroups.groups
    ) {
        self.ownUser = ownUser
        self.adminGroup = adminGroup
        self.groups = groups
    }

    package func mayChange(_ peer: PeerCredentials?) -> Bool {
        guard let peer else { return false }
        if peer.userID == 0 || peer.userID == ownUser { return true }
        guard let adminGroup else { return false }
        // The socket tells the process's primary group only; the user's others are the system's to say.
        return peer.groupID == adminGroup
            || groups(peer.userID, peer.groupID).contains(adminGroup)
    }
}
