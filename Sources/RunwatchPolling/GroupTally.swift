import RunwatchCore

/// How far the watches of a group have come.
struct GroupTally {
    /// Watches that have not ended.
    var active = 0
    var counts: [RunState: Int] = [:]
    /// Those that ended otherwise than `complete`; as many as an event names.
    var failed: [String] = []
    /// Receivers in the order of their first mention, and how many of the watches name each.
    private var told: [(receiver: String, watches: Int)] = []

    static let namedAtMost = 100

    /// Who is told: the receivers of all its watches.
    var notify: [String] { told.filter { $0.watches > 0 }.map(\.receiver) }

    /// No watch is in it.
    var isEmpty: Bool { active == 0 && counts.isEmpty }

    mutating func join(_ spec: WatchSpec) {
        for receiver in spec.settings.notify {
            if let place = told.firstIndex(where: { $0.receiver == receiver }) {
                told[place].watches += 1
            } else {
                told.append((receiver, 1))
            }
        }
    }

    /// Takes back that a watch has joined.
    mutating func leave(_ spec: WatchSpec) {
        for receiver in spec.settings.notify {
            guard let place = told.firstIndex(where: { $0.receiver == receiver }) else { continue }
            told[place].watches -= 1
        }
    }

    mutating func ended(_ name: WatchName, as state: RunState) {
        counts[state, default: 0] += 1
        if state != .complete, failed.count < GroupTally.namedAtMost {
            failed.append(name.description)
        }
    }

    /// Takes back that a watch has ended: it is started afresh, or leaves.
    mutating func revived(_ name: WatchName, from state: RunState) {
        counts[state, default: 0] -= 1
        if counts[state] == 0 { counts[state] = nil }
        failed.removeAll { ExactText.areSame($0, name.description) }
    }
}
