import RunwatchCore
import RunwatchStore
import Synchronization

/// Counts recorded events by the names of their types.
final class EventMeter: Sendable {
    private let counts = Mutex<[EventType: Int]>([:])

    func add(_ events: [RecordedEvent]) {
        guard !events.isEmpty else { return }
        counts.withLock { counts in
            for event in events { counts[event.type, default: 0] += 1 }
        }
    }

    var all: [String: Int] {
        counts.withLock { counts in
            Dictionary(uniqueKeysWithValues: counts.map { ($0.key.name, $0.value) })
        }
    }
}
