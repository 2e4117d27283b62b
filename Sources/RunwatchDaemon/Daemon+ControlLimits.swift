import Glibc
import RunwatchHTTP

extension Daemon {
    /// What the control server takes, of a process that may have so many descriptors.
    static func controlLimits(descriptors: Int) -> HTTPServerLimits {
        // A thousand clients that wait, and a hundred that follow, with some to spare. The rest is for
        // services, receivers and files; where it is little, half is.
        let connections = min(1500, max(descriptors / 2, descriptors - 512))
        return HTTPServerLimits(
            connections: connections,
            // Who fills the socket is one user as a rule: others find a place, and who can do something
            // about it always does.
            users: HTTPServerUserLimits(
                each: max(1, connections * 3 / 4), reserved: max(2, connections / 16),
                exempt: [0, getuid()]),
            // Each has a page of rows in hand. The database answers one at a time anyway.
            handlers: 64)
    }
}
