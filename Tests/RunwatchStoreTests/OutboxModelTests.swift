import RunwatchCore
import TestSupport
import Testing

@testable import RunwatchStore

/// Digests, failures and redeliveries in any order: nothing is lost, stuck, sent under two IDs or out of
/// its order.
@Suite struct OutboxModelTests {
    /// What a deliverer does with a store, without its clocks.
    private struct Model {
        let store: Store
        var generator: SeededGenerator
        /// Later than everything: all that can be due is.
        let now = Timestamp(milliseconds: .max / 2)
        var flights: [PendingDelivery] = []
        /// The message under which each delivery goes.
        var messages: [String: String] = [:]
        var owed = 0

        mutating func roll(_ sides: UInt64) -> UInt64 { generator.next() % sides }

        mutating func digest() -> DigestSettings? {
            let settings = [nil, DigestSettings(window: .seconds(1), max: Int(2 + roll(6)))]
            return settings[Int(roll(4) == 0 ? 0 : 1)]
        }

        mutating func step() async throws {
            switch roll(8) {
            case 0...1:
                for _ in 0...roll(5) {
                    store.submit(.event(event("run-\(roll(5))", to: ["ops"]), stalled: nil))
                    owed += 1
                }
            case 2...3: try await start(try await look())
            case 4...5: end()
            case 6: try await redeliver()
            default:
                if roll(4) == 0 { _ = try await store.redeliverFailed(receiver: "ops") }
            }
            try await check()
        }

        mutating func look() async throws -> [PendingDelivery] {
            try await store.dueDeliveries(
                for: "ops", now: now, limit: 6, excluding: Set(flights.map(\.id)), digest: digest()
            ).deliveries
        }

        /// One of a subject at a time, as the deliverer's window has it.
        mutating func start(_ found: [PendingDelivery]) async throws {
            for delivery in found {
                let subjects = Set(delivery.parts.map(\.event.subject))
                let busy = flights.flatMap { $0.parts.map(\.event.subject) }
                guard subjects.isDisjoint(with: busy) else { continue }
                for part in delivery.parts {
                    #expect(messages[part.delivery, default: delivery.id] == delivery.id)
                    messages[part.delivery] = delivery.id
                    let earlier = try await store.number(
                        """
                        SELECT count(*) FROM delivery
                        WHERE subject = '\(part.event.subject)' AND state = 'pending'
                            AND event_number < \(part.event.number)
                            AND id NOT IN (\(delivery.parts.map { "'\($0.delivery)'" }
                                .joined(separator: ",")))
                        """)
                    #expect(earlier == 0, "something of its run comes first")
                }
                flights.append(delivery)
            }
        }

        mutating func end() {
            guard !flights.isEmpty else { return }
            let flight = flights.remove(at: Int(roll(UInt64(flights.count))))
            let outcomes: [AttemptChange.Outcome] = [
                .delivered, .failed(nil), .retry(at: moment(9_000_000)),
            ]
            store.submit(attempt(flight, outcomes[Int(roll(3))]))
        }

        mutating func redeliver() async throws {
            let number = try await store.number("SELECT max(number) FROM event") ?? 0
            guard number > 0 else { return }
            let chosen = Int64(1 + roll(UInt64(number)))
            let id = try await store.ids("WHERE event_number = \(chosen)").first
            let redelivery = try await store.redeliver(id: #require(id))
            guard !flights.contains(where: { $0.id == redelivery.message }) else { return }
            let found = try await store.pendingDelivery(
                redelivery.message, of: "ops", digest: digest())
            if let found { try await start([found]) }
        }

        /// Of each line, the first pending one has a time, and no other.
        func check() async throws {
            let wrong = try await store.number(
                """
                SELECT count(*) FROM delivery AS d
                WHERE state = 'pending' AND (due_at_ms IS NULL) = (event_number = (
                    SELECT min(event_number) FROM delivery
                    WHERE subject = d.subject AND state = 'pending'))
                """)
            #expect(wrong == 0)
        }

        mutating func finish() async throws {
            for flight in flights { store.submit(attempt(flight, .delivered)) }
            flights = []
            _ = try await store.redeliverFailed(receiver: "ops")
            for _ in 0..<owed {
                try await start(try await look())
                if flights.isEmpty { break }
                for flight in flights { store.submit(attempt(flight, .delivered)) }
                flights = []
            }
            #expect(try await store.ids("WHERE state <> 'delivered'").isEmpty)
            #expect(try await store.ids("").count == owed)
        }
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func `whatever is done, each delivery arrives, in order and under one ID`(
        seed: UInt64
    ) async throws {
        let store = try Store(at: .memory, time: ManualTime())
        var model = Model(store: store, generator: SeededGenerator(seed: seed))
        for _ in 0..<400 { try await model.step() }
        try await model.finish()
        await store.close()
    }
}

extension Store {
    fileprivate func ids(_ condition: String) throws(StoreError) -> [String] {
        var row = try connection.statement("SELECT id FROM delivery \(condition)")
        var ids: [String] = []
        while try row.step() { ids.append(row.text(0)) }
        return ids
    }
}
