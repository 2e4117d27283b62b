import RunwatchCore

/// The watches of all lists, each name once.
///
/// Names are found through a table of indexes with open addressing: four bytes a slot, where a dictionary
/// would hold every name a second time.
struct WatchTable {
    /// More than any machine is meant to watch.
    static let limit = 10_000_000

    enum Addition {
        case added
        /// The same watch with the same settings stands already.
        case known
        case conflict(WatchSpec)
    }

    private(set) var watches: [WatchSpec] = []
    private var slots: [UInt32] = Array(repeating: WatchTable.free, count: 1 << 10)
    private static let free = UInt32.max

    mutating func add(_ watch: WatchSpec) -> Addition {
        if watches.count >= slots.count / 2 { grow() }
        let slot = slot(for: watch.name)
        guard slots[slot] == WatchTable.free else {
            let first = watches[Int(slots[slot])]
            let isSame =
                first.label == watch.label && first.group == watch.group
                && first.parameters == watch.parameters && first.settings == watch.settings
            return isSame ? .known : .conflict(first)
        }
        slots[slot] = UInt32(truncatingIfNeeded: watches.count)
        watches.append(watch)
        return .added
    }

    /// Prepares for watches to come.
    mutating func reserve(_ count: Int) {
        watches.reserveCapacity(watches.count + count)
    }

    /// The slot that holds the name, or the free one where it belongs.
    private func slot(for name: WatchName) -> Int {
        let mask = slots.count - 1
        var slot = name.hashValue & mask
        while slots[slot] != WatchTable.free, watches[Int(slots[slot])].name != name {
            slot = (slot + 1) & mask
        }
        return slot
    }

    private mutating func grow() {
        slots = Array(repeating: WatchTable.free, count: slots.count * 2)
        for index in watches.indices {
            slots[slot(for: watches[index].name)] = UInt32(truncatingIfNeeded: index)
        }
    }
}
