import Glibc
import RunwatchControl
import RunwatchLinux
import Testing

@Suite struct ControlRightsTests {
    private func peer(user: UInt32, group: UInt32 = 100) -> PeerCredentials {
        PeerCredentials(processID: 1, userID: user, groupID: group)
    }

    private func rights(admins: UInt32?) -> ControlRights {
        ControlRights(ownUser: 500, adminGroup: admins) { user, primary in
            user == 1001 ? [primary, 42] : [primary]
        }
    }

    @Test func `root and the daemon's own user may change things`() {
        for admins in [nil, 42] as [UInt32?] {
            #expect(rights(admins: admins).mayChange(peer(user: 0)))
            #expect(rights(admins: admins).mayChange(peer(user: 500)))
        }
    }

    @Test func `members of the admin group may, by primary or supplementary membership`() {
        #expect(rights(admins: 42).mayChange(peer(user: 1000, group: 42)))
        #expect(rights(admins: 42).mayChange(peer(user: 1001)))
        #expect(!rights(admins: 42).mayChange(peer(user: 1000)))
    }

    @Test func `without an admin group nobody else may`() {
        #expect(!rights(admins: nil).mayChange(peer(user: 1001, group: 42)))
        #expect(!rights(admins: nil).mayChange(peer(user: 1001, group: 0)))
    }

    @Test func `a peer without credentials may not`() {
        #expect(!rights(admins: 42).mayChange(nil))
    }

    @Test func `the system knows root's group, and no group without a name`() {
        #expect(SystemGroups.groupID(named: "root") == 0)
        #expect(SystemGroups.groupID(named: "no-such-group-of-runwatch") == nil)
        #expect(SystemGroups.groups(of: 0, primary: 0).contains(0))
        #expect(SystemGroups.groups(of: 0, primary: 77).contains(77))
    }

    @Test func `a user that the system does not know has its primary group only`() {
        #expect(SystemGroups.groups(of: 4_000_000_001, primary: 7) == [7])
    }
}
