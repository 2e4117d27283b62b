import Glibc

/// The system's groups (getgrnam(3), getgrouplist(3)).
///
/// The calls may read files or ask a directory server: not for a queue that must not wait.
package enum SystemGroups {
    /// The ID of a group; `nil` when there is no such group.
    package static func groupID(named name: String) -> UInt32? {
        var entry = group()
        var found: UnsafeMutablePointer<group>?
        return withBuffer { buffer, size in
            let code = getgrnam_r(name, &entry, buffer, size, &found)
            return (code, found?.pointee.gr_gid)
        }
    }

    /// The name of a group; `nil` when there is no such group.
    package static func name(of group: UInt32) -> String? {
        var entry = Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        return withBuffer { buffer, size in
            let code = getgrgid_r(group, &entry, buffer, size, &found)
            // The name lies in the buffer: it is copied while the buffer lives.
            return (code, (found?.pointee.gr_name).map { String(cString: $0) })
        }
    }

    /// The groups of a user, `primary` included; only `primary` when the user is not known.
    package static func groups(of user: UInt32, primary: UInt32) -> [UInt32] {
        guard let name = userName(user) else { return [primary] }
        var count: Int32 = 64
        // A second round with the size that the first one asked for; the limit bounds a third.
        for _ in 0..<4 {
            var groups = [gid_t](repeating: 0, count: Int(count))
            let room = count
            if getgrouplist(name, primary, &groups, &count) >= 0 {
                return Array(groups.prefix(Int(count)))
            }
            count = min(max(count, room * 2), 65_536)
        }
        return [primary]
    }

    private static func userName(_ user: UInt32) -> String? {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        return withBuffer { buffer, size in
            let code = getpwuid_r(user, &entry, buffer, size, &found)
            // The name lies in the buffer: it is copied while the buffer lives.
            return (code, (found?.pointee.pw_name).map { String(cString: $0) })
        }
    }

    /// Calls with a growing buffer for as long as the call says that it is too small.
    private static func withBuffer<Value>(
        _ call: (UnsafeMutablePointer<CChar>, Int) -> (Int32, Value?)
    ) -> Value? {
        var size = 4096
        while size <= 1 << 20 {
            let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: size)
            defer { buffer.deallocate() }
            let (code, value) = call(buffer, size)
            if code != ERANGE { return code == 0 ? value : nil }
            size *= 4
        }
        return nil
    }
}
