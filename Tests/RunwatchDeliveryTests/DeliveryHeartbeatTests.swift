import RunwatchCore
import Testing

@testable import RunwatchDelivery

@Suite struct DeliveryHeartbeatTests {
    private let start = Instant(nanoseconds: 0)

    private func after(_ seconds: Int) -> Instant { start.advanced(by: .seconds(seconds)) }

    @Test func `nothing is stuck before the start or after the end`() {
        let heartbeat = DeliveryHeartbeat(at: start)
        #expect(!heartbeat.isStuck(at: after(1000)))
        heartbeat.advanced(at: after(1))
        heartbeat.ended()
        #expect(!heartbeat.isStuck(at: after(1000)))
    }

    @Test func `a heart that has not beaten for a minute is stuck`() {
        let heartbeat = DeliveryHeartbeat(at: start)
        heartbeat.advanced(at: after(10))
        #expect(!heartbeat.isStuck(at: after(70)))
        #expect(heartbeat.isStuck(at: after(71)))
        heartbeat.advanced(at: after(71))
        #expect(!heartbeat.isStuck(at: after(72)))
        #expect(!heartbeat.isStuck(at: after(131)))
        #expect(heartbeat.isStuck(at: after(132)))
    }

    @Test func `what is long overdue is stuck until it advances`() {
        let heartbeat = DeliveryHeartbeat(at: start)
        heartbeat.advanced(at: after(1))
        heartbeat.stalled()
        #expect(heartbeat.isStuck(at: after(1)))
        heartbeat.advanced(at: after(2))
        #expect(!heartbeat.isStuck(at: after(2)))
    }
}
