import RunwatchCore
import Testing

@Suite struct DeadlineQueueTests {
    @Test func `entries come out in the order of their moments, and none before it`() {
        var queue = DeadlineQueue<Int>()
        var generator = SeededGenerator(seed: 3)
        var moments: [Int64] = []
        for key in 0..<5000 {
            let moment = Int64.random(in: 0..<1_000_000, using: &generator)
            moments.append(moment)
            queue.push(key, at: Instant(nanoseconds: moment))
        }
        var taken: [Int64] = []
        for now in stride(from: Int64(0), through: 1_000_000, by: 10_000) {
            while let entry = queue.popDue(at: Instant(nanoseconds: now)) {
                #expect(entry.at.nanoseconds <= now)
                taken.append(entry.at.nanoseconds)
            }
        }
        #expect(taken == moments.sorted())
    }

    @Test func `dropping stale entries keeps the order of the others`() {
        var queue = DeadlineQueue<Int>()
        for key in 0..<1000 {
            queue.push(key, at: Instant(nanoseconds: Int64((key * 7919) % 1000)))
        }
        queue.removeAll { $0.key % 3 != 0 }
        #expect(queue.count == 334)
        var last = Int64.min
        while let entry = queue.popDue(at: .distantFuture) {
            #expect(entry.at.nanoseconds >= last)
            #expect(entry.key % 3 == 0)
            last = entry.at.nanoseconds
        }
    }
}
