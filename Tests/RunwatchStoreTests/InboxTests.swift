import RunwatchCore
import Testing

@testable import RunwatchStore

@Suite struct InboxTests {
    private func phases(_ ids: ClosedRange<Int64>) -> Change {
        .phases(ids.map { (WatchID(rowID: $0), 1, SavedPhase()) })
    }

    private func phases(_ inbox: inout Inbox, limit: Int) -> [Int64] {
        inbox.take(limit: limit).phases.map(\.id.rowID)
    }

    private func transition(_ id: Int64) -> Change {
        .transition(
            SavedWatch(
                id: WatchID(rowID: id), name: WatchName(service: "s", run: "\(id)"),
                watchedSince: moment()
            ).next(.running))
    }

    @Test func `a drain is scheduled once until it begins`() {
        var inbox = Inbox()
        var answers = [inbox.schedule()]
        inbox.add(transition(1))
        answers.append(inbox.schedule())
        answers.append(inbox.schedule())
        inbox.drainBegan()
        answers.append(inbox.schedule())
        #expect(answers == [false, true, false, true])
    }

    @Test func `what was put back comes first again`() {
        var inbox = Inbox()
        for id: Int64 in 1...3 { inbox.add(transition(id)) }
        let batch = inbox.take(limit: 2)
        #expect(batch.changes.count == 2)
        #expect(inbox.count == 3)
        inbox.add(transition(4))
        inbox.putBack(batch)
        #expect(inbox.count == 4)
        let again = inbox.take(limit: 10)
        let ids = again.changes.compactMap { change -> Int64? in
            guard case .transition(let transition) = change else { return nil }
            return transition.id.rowID
        }
        #expect(ids == [1, 2, 3, 4])
        inbox.finished()
        #expect(inbox.count == 0)
    }

    @Test func `phases go along a quarter at a time, and alone when nothing else waits`() {
        var inbox = Inbox()
        inbox.add(phases(1...100))
        inbox.add(transition(1000))
        #expect(phases(&inbox, limit: 40) == Array(1...10))
        #expect(phases(&inbox, limit: 40) == Array(11...50))
        #expect(phases(&inbox, limit: 100) == Array(51...100))
        #expect(inbox.isEmpty)
    }

    @Test func `a transition makes the phases before it void, and not those after it`() {
        var inbox = Inbox()
        inbox.add(phases(1...3))
        inbox.add(transition(2))
        inbox.add(phases(2...3))
        _ = inbox.take(limit: 1)
        #expect(phases(&inbox, limit: 10) == [1, 3])
        #expect(phases(&inbox, limit: 10) == [2, 3])
    }

    @Test func `rounds are enough to empty it`() {
        var inbox = Inbox()
        for id: Int64 in 1...50 { inbox.add(transition(1000 + id)) }
        for batch: Int64 in 0..<5 { inbox.add(phases(batch * 100 + 1...batch * 100 + 33)) }
        var rounds = inbox.rounds(limit: 20, phases: true)
        while rounds > 0 {
            _ = inbox.take(limit: 20)
            rounds -= 1
        }
        #expect(inbox.isEmpty)
    }
}
