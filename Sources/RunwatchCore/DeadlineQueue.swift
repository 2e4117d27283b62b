/// What is due when, the earliest first: a binary heap.
///
/// Entries are not taken out when a plan changes: the owner compares a popped entry's moment with the
/// plan that holds now, and drops it when they differ (lazy deletion).
package struct DeadlineQueue<Key: Sendable>: Sendable {
    package struct Entry: Sendable {
        package var at: Instant
        package var key: Key
    }

    private var heap: ContiguousArray<Entry> = []

    package init() {}

    package var count: Int { heap.count }
    package var earliest: Instant? { heap.first?.at }

    package mutating func push(_ key: Key, at moment: Instant) {
        heap.append(Entry(at: moment, key: key))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].at < heap[parent].at else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Takes the earliest entry that is due at `moment`.
    package mutating func popDue(at moment: Instant) -> Entry? {
        guard let first = heap.first, first.at <= moment else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            sink(0)
        }
        return first
    }

    /// Drops every entry that does not hold any more; for when stale ones outnumber the others.
    package mutating func removeAll(where isStale: (Entry) -> Bool) {
        heap.removeAll(where: isStale)
        for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { sink(index) }
    }

    private mutating func sink(_ start: Int) {
        var parent = start
        while true {
            var smallest = parent
            let left = 2 * parent + 1
            if left < heap.count, heap[left].at < heap[smallest].at { smallest = left }
            if left + 1 < heap.count, heap[left + 1].at < heap[smallest].at { smallest = left + 1 }
            guard smallest != parent else { return }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
