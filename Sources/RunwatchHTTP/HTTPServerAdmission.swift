/// Decides who is let in, so that one user never takes a server's every connection.
struct HTTPServerAdmission {
    enum Verdict {
        case serve
        /// Its request is answered 503.
        case refuse
        /// The connection is closed at once: so many are being refused already.
        case close
    }

    private let limits: HTTPServerLimits
    /// Connections served, of those who are not exempt.
    private var served = 0
    private var refused = 0
    private var perUser: [UInt32: Int] = [:]

    /// Connections that count for their users, those that are refused among them.
    var counted: Int { max(served, perUser.values.reduce(0, +)) + refused }

    init(_ limits: HTTPServerLimits) {
        self.limits = limits
    }

    /// - Parameter user: `nil` where users are not known; then only the server's own bound holds.
    mutating func arrived(user: UInt32?) -> Verdict {
        guard let users = limits.users, let user, !users.exempt.contains(user) else {
            return .serve
        }
        let own = perUser[user, default: 0]
        if own < users.each, served < limits.connections - users.reserved {
            served += 1
            perUser[user] = own + 1
            return .serve
        }
        // Being told takes a place too, and half of the reserve stays for whom it is meant.
        guard refused < users.reserved / 2 else { return .close }
        refused += 1
        return .refuse
    }

    /// - Parameter verdict: What `arrived` said of that connection.
    mutating func left(user: UInt32?, _ verdict: Verdict) {
        guard let users = limits.users, let user, !users.exempt.contains(user) else { return }
        switch verdict {
        case .close: break
        case .refuse: refused -= 1
        case .serve:
            served -= 1
            let own = perUser[user, default: 0] - 1
            perUser[user] = own > 0 ? own : nil
        }
    }
}
