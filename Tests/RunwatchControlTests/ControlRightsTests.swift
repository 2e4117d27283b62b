import Glibc
import RunwatchControl
import RunwatchLinux
import Testing

@Suite struct ControlRightsTests {
    private func peer(user: UInt32, group: UInt32 = 100) -> PeerCredentials {
        PeerCredentials(processID: 1, userID: user, groupID: group)
    }

    private func rights(readers: UInt32? = nil, admins: UInt32?) -> ControlRights {
        ControlRights(ownUser: 500, readGroup: readers, adminGroup: admins) { user, primary in
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

    @Test func `a peer without credentials may do nothing`() {
        #expect(!rights(readers: 42, admins: 42).mayChange(nil))
        #expect(!rights(readers: 42, admins: 42).mayRead(nil))
    }

    @Test func `members of either group may read, and of the first no more than that`() {
        for member in [peer(user: 1000, group: 42), peer(user: 1001)] {
            #expect(rights(readers: 42, admins: nil).mayRead(member))
            #expect(!rights(readers: 42, admins: nil).mayChange(member))
            #expect(rights(readers: 7, admins: 42).mayRead(member))
            #expect(!rights(readers: 7, admins: 8).mayRead(member))
            #expect(!rights(readers: nil, admins: nil).mayRead(member))
        }
        for owner in [peer(user: 0), peer(user: 500)] {
            #expect(rights(readers: nil, admins: nil).mayRead(owner))
        }
    }

    @Test func `who is known by the primary group is not looked up`() {
        let rights = ControlRights(ownUser: 500, readGroup: 42, adminGroup: 43) { _, _ in
            Issue.record("the system was asked")
            return []
        }
        #expect(rights.mayRead(peer(user: 1000, group: 42)))
        #expect(rights.mayChange(peer(user: 1000, group: 43)))
        #expect(rights.mayRead(peer(user: 0)))
    }

    @Test func `the system knows root's group, and no group without a name`() {
        #expect(SystemGroups.groupID(named: "root") == 0)
        #expect(SystemGroups.name(of: 0) == "root")
        #expect(SystemGroups.name(of: 4_000_000_001) == nil)
        #expect(SystemGroups.groupID(named: "no-such-group-of-runwatch") == nil)
        #expect(SystemGroups.groups(of: 0, primary: 0).contains(0))
        #expect(SystemGroups.groups(of: 0, primary: 77).contains(77))
    }

    @Test func `a user that the system does not know has its primary group only`() {
        #expect(SystemGroups.groups(of: 4_000_000_001, primary: 7) == [7])
    }
}
