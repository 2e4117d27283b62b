import RunwatchCore

/// How far the watches of a group have come.
struct GroupTally {
    /// Watches that have not ended.
    var active = 0
    var counts: [RunState: Int] = [:]
    /// Those that ended otherwise than `complete`; as many as an event names.
    var failed: [String] = []
    /// Who is told: the receivers of all its watches.
    var notify: [String] = []

    static let namedAtMost = 100

    mutating func join(_ spec: WatchSpec) {
        for receiver in spec.settings.notify where !notify.contains(receiver) {
            notify.append(receiver)
        }
    }

    mutating func ended(_ name: WatchName, as state: RunState) {
        counts[state, default: 0] += 1
        if state != .complete, failed.count < GroupTally.namedAtMost {
            failed.append(name.description)
        }
    }

    /// Takes back that a watch has ended: it is started afresh.
    mutating func revived(_ name: WatchName, from state: RunState) {
        counts[state, default: 0] -= 1
        if counts[state] == 0 { counts[state] = nil }
        failed.removeAll { $0 == name.description }
    }
}
