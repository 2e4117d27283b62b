import RunwatchControl
import RunwatchStore
import Synchronization

/// Hands each committed event to whoever follows live.
final class EventHub: Sendable {
    /// A follower that is this far behind takes the rest from the database.
    private static let buffer = 1024

    private struct State {
        var next = 0
        var followers: [Int: AsyncStream<EventView>.Continuation] = [:]
    }

    private let state = Mutex(State())

    /// The events from now on.
    ///
    /// The newest of a full buffer are dropped; a follower sees the gap in the numbers and reads on in the
    /// database.
    func follow() -> AsyncStream<EventView> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: EventView.self, bufferingPolicy: .bufferingOldest(EventHub.buffer))
        let number = state.withLock { state in
            state.next += 1
            state.followers[state.next] = continuation
            return state.next
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.followers.removeValue(forKey: number) }
        }
        return stream
    }

    /// How many follow now.
    var followers: Int { state.withLock { $0.followers.count } }

    func publish(_ events: [RecordedEvent]) {
        guard !events.isEmpty else { return }
        let followers = state.withLock { Array($0.followers.values) }
        guard !followers.isEmpty else { return }
        for event in events {
            let view = EventView(number: event.number, json: event.json)
            for follower in followers { follower.yield(view) }
        }
    }

    /// Ends every stream, at the daemon's end.
    func finish() {
        let followers = state.withLock { state in
            defer { state.followers = [:] }
            return Array(state.followers.values)
        }
        for follower in followers { follower.finish() }
    }
}
