import RunwatchCore
import RunwatchDelivery
import RunwatchHTTP
import RunwatchLinux
import RunwatchStore
import Synchronization
import TestSupport
import Testing

@Suite struct DelivererLoadTests {
    typealias Bench = DelivererBench

    @Test func `ten thousand deliveries are made, each once`() async throws {
        let folder = TemporaryFolder()
        let bench = try await Bench(
            [Bench.webhook("ops")], store: Store(at: .file(folder.path("a.db"))))
        for index in 0..<10_000 { bench.submit("a/\(index)", ["ops"]) }
        try await eventually("all are made") { bench.end.seen.count >= 10_000 }
        try await eventually("nothing is owed") { try await bench.owed("ops") == 0 }
        #expect(bench.end.seen.count == 10_000)
        #expect(Set(bench.end.seen.map(\.id)).count == 10_000)
        #expect(bench.end.mostInFlight <= 16)
        await bench.stop()
    }

    /// What a receiver that remembers accepted: for each run, the events in order.
    struct Accepted {
        var events: [String: [Int]] = [:]
        var ids: [String: Set<String>] = [:]
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `whatever fails, each event arrives, in order within its run, under one id`(seed: UInt64)
        async throws
    {
        let folder = TemporaryFolder()
        let accepted = Mutex<[String: Accepted]>([:])
        let chance = Mutex(SeededGenerator(seed: seed))
        let end = ScriptedEnd { seen in
            let (luck, kind) = chance.withLock { ($0.unit(), $0.next() % 4) }
            let accepts = luck < 0.5
            // Now and then it is accepted and the answer is lost.
            if accepts || luck > 0.95 {
                accepted.withLock { all in
                    var mine = all[seen.host] ?? Accepted()
                    let key = "\(seen.subject)#\(seen.number)"
                    if mine.ids[key, default: []].insert(seen.id).inserted {
                        mine.events[seen.subject, default: []].append(seen.number)
                    }
                    all[seen.host] = mine
                }
            }
            if accepts { return .status(200) }
            return switch kind {
            case 0: .failure(HTTPFailure(.timeout, "no answer"))
            case 1: .status(500)
            case 2: .status(429, retryAfter: .after(.milliseconds(3)))
            default: .failure(HTTPFailure(.interrupted, "reset"))
            }
        }
        let retry = [Duration.zero] + Array(repeating: .milliseconds(5), count: 1000)
        let receivers = ["one", "two"].map { Bench.webhook($0, retry: retry) }
        let total = 2 * 60 * 3
        for round in 0..<3 {
            let bench = try await Bench(
                receivers, store: Store(at: .file(folder.path("a.db"))), end: end,
                seed: seed &+ UInt64(round))
            for run in 0..<20 {
                for number in 0..<3 {
                    bench.submit("r\(round)/\(run)", ["one", "two"], number: number)
                }
            }
            if round < 2 {
                // Stopped in the middle: what is under way may be repeated by the next one.
                try await eventually("some have arrived") {
                    accepted.withLock { $0.values.reduce(0) { $0 + $1.ids.count } } > 50
                        * (round + 1)
                }
                await bench.deliverer.drain(until: .init(nanoseconds: 0))
                await bench.store.close()
            } else {
                try await eventually("all arrive") {
                    accepted.withLock { $0.values.reduce(0) { $0 + $1.ids.count } } == total
                }
                await bench.stop()
            }
        }
        for mine in accepted.withLock({ $0.values }) {
            #expect(mine.ids.values.allSatisfy { $0.count == 1 }, "an event under two ids")
            #expect(mine.events.values.allSatisfy { $0 == [0, 1, 2] })
            #expect(mine.events.count == 60)
        }
    }
}
