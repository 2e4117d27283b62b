import RunwatchCore
import Synchronization

/// Tells the watchdog, on whichever thread it asks, whether deliveries advance.
final class DeliveryHeartbeat: Sendable {
    private struct Beat {
        var lastAt: Instant
        var isRunning = false
        var isStalled = false
    }

    /// Several times the longest pause between two beats.
    private static let limit = Duration.seconds(60)

    private let beat: Mutex<Beat>

    init(at now: Instant) {
        beat = Mutex(Beat(lastAt: now))
    }

    /// The deliverer has looked after all of its receivers.
    func advanced(at now: Instant) {
        beat.withLock { $0 = Beat(lastAt: now, isRunning: true, isStalled: false) }
    }

    /// The deliverer runs, and something that it waits for is long overdue.
    func stalled() {
        beat.withLock { $0.isStalled = true }
    }

    func ended() {
        beat.withLock { $0.isRunning = false }
    }

    func isStuck(at now: Instant) -> Bool {
        beat.withLock { beat in
            guard beat.isRunning else { return false }
            return beat.isStalled || beat.lastAt.duration(to: now) > DeliveryHeartbeat.limit
        }
    }
}
