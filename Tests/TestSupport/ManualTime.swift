package import RunwatchCore
import Synchronization

/// Clocks that stand still until a test moves them.
package final class ManualTime: TimeSource {
    private struct State {
        var now = Instant(nanoseconds: 0)
        var wallClock = Timestamp(milliseconds: 1_800_000_000_000)
    }

    private let state = Mutex(State())

    package init() {}

    package func now() -> Instant { state.withLock { $0.now } }
    package func wallClock() -> Timestamp { state.withLock { $0.wallClock } }

    /// Moves both clocks.
    package func advance(by duration: Duration) {
        state.withLock {
            $0.now = $0.now.advanced(by: duration)
            $0.wallClock = $0.wallClock.advanced(by: duration)
        }
    }

    /// Moves the wall clock alone, as someone who sets it does.
    package func setWallClock(_ moment: Timestamp) {
        state.withLock { $0.wallClock = moment }
    }
}
