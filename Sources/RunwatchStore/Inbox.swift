import RunwatchCore

/// Changes that wait for their commit.
///
/// Counters and phases give way to everything else: they are many, and a lost one costs nothing. A
/// watch's phase is never written over a later transition's.
struct Inbox {
    typealias Phase = (id: WatchID, polls: Int, phase: SavedPhase)

    /// What goes into one transaction.
    struct Batch {
        var changes: [Change] = []
        var phases: ArraySlice<Phase> = []

        var isEmpty: Bool { changes.isEmpty && phases.isEmpty }
    }

    /// Phases beyond this are dropped, oldest first: a disk that is full for a day costs no memory.
    static let phaseLimit = 300_000

    private var changes: [Change] = []
    /// Each batch as it was handed in, less what has been taken.
    private var phases: [ArraySlice<Phase>] = []
    /// The number of the first of `phases`; the others follow.
    private var firstPhases = 0
    private var phaseCount = 0
    /// The last number of `phases` that a transition of the watch made void.
    private var superseded: [WatchID: Int] = [:]
    private var changesInFlight = 0
    private(set) var isDrainScheduled = false

    /// Changes that are not on disk yet; a batch of phases counts as one.
    var count: Int { changes.count + changesInFlight + phases.count }
    var isEmpty: Bool { changes.isEmpty && phases.isEmpty }
    var hasChanges: Bool { !changes.isEmpty }

    /// How many takes empty it as it is now.
    func rounds(limit: Int, phases: Bool) -> Int {
        let rounds = (changes.count + limit - 1) / limit
        guard phases else { return rounds }
        // Each take ends within a batch of phases, so each batch may cost one more.
        return rounds + self.phases.reduce(0) { $0 + 1 + $1.count / (limit / 4) }
    }

    mutating func add(_ change: Change) {
        switch change {
        case .phases(let batch):
            guard !batch.isEmpty else { return }
            phases.append(batch[...])
            phaseCount += batch.count
            while phaseCount > Inbox.phaseLimit, phases.count > 1 { dropFirstPhases() }
        case .transition(let transition):
            forgetPhase(of: transition.id)
            changes.append(change)
        default:
            changes.append(change)
        }
    }

    /// Makes what was handed in of a watch's phase void.
    mutating func forgetPhase(of id: WatchID) {
        if !phases.isEmpty { superseded[id] = firstPhases + phases.count - 1 }
    }

    /// Whether a drain has to be scheduled; it is taken to be from then on.
    mutating func schedule() -> Bool {
        guard !isDrainScheduled, !isEmpty else { return false }
        isDrainScheduled = true
        return true
    }

    mutating func drainBegan() { isDrainScheduled = false }

    /// Takes what goes into the next transaction, in order.
    mutating func take(limit: Int) -> Batch {
        var batch = Batch()
        if changes.count <= limit {
            swap(&batch.changes, &changes)
        } else {
            batch.changes = Array(changes[..<limit])
            changes.removeFirst(limit)
        }
        changesInFlight = batch.changes.count
        // A few go along with the rest, so that a steady load does not starve them.
        takePhases(limit: batch.changes.isEmpty ? limit : limit / 4, into: &batch)
        return batch
    }

    /// The batch is on disk, or will never be.
    mutating func finished() { changesInFlight = 0 }

    /// Puts changes back to the head; phases are let go.
    mutating func putBack(_ batch: consuming Batch) {
        changesInFlight = 0
        changes.insert(contentsOf: batch.changes, at: 0)
    }

    private mutating func takePhases(limit: Int, into batch: inout Batch) {
        guard let first = phases.first else { return }
        let number = firstPhases
        let taken = first.prefix(limit)
        if taken.count == first.count {
            dropFirstPhases()
        } else {
            phases[0] = first.dropFirst(limit)
            phaseCount -= limit
        }
        let void = superseded
        batch.phases = void.isEmpty ? taken : taken.filter { (void[$0.id] ?? -1) < number }[...]
        if phases.isEmpty { superseded = [:] }
    }

    private mutating func dropFirstPhases() {
        phaseCount -= phases.removeFirst().count
        firstPhases += 1
    }
}
