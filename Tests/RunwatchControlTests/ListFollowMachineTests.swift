import RunwatchControl
import RunwatchCore
import Testing

@Suite struct ListFollowMachineTests {
    private typealias Page = ListFollowMachine.Page

    private func change(
        _ name: String, _ state: RunState, from previous: RunState = .running, sequence: Int = 3
    ) throws -> WatchChange {
        var data = Samples.watch(name, state).data
        data.previousState = previous
        data.sequence = sequence
        let event = Event(type: .run(state), timestamp: Samples.noon, data: .run(data))
        return try #require(WatchChange(try JSONValue(parsing: event.json)))
    }

    /// Watches `w/000` to `w/(count - 1)`; every second one is complete.
    private func watches(_ count: Int) -> [WatchView] {
        (0..<count).map { number in
            let digits = String(number)
            let name = String(repeating: "0", count: 3 - digits.count) + digits
            return Samples.watch("w/\(name)", number.isMultiple(of: 2) ? .running : .complete)
        }
    }

    /// A machine that has read all it wanted from those watches.
    private func machine(
        _ watches: [WatchView], room: Int, _ query: WatchQuery = WatchQuery()
    ) -> ListFollowMachine {
        var machine = ListFollowMachine(query: query, room: room)
        read(&machine, watches)
        return machine
    }

    @discardableResult
    private func read(_ machine: inout ListFollowMachine, _ watches: [WatchView]) -> [Page] {
        var pages: [Page] = []
        var counts: [RunState: Int] = [:]
        for watch in watches { counts[watch.data.state, default: 0] += 1 }
        while let page = machine.page(after: pages.last) {
            pages.append(page)
            let found =
                switch page {
                case .first: watches
                case .active: watches.filter { !$0.isFinal }
                case .named(let names): watches.filter { names.contains($0.name) }
                }
            machine.read(page, Array(found.prefix(machine.room)), counts: counts)
        }
        return pages
    }

    private func names(_ machine: ListFollowMachine) -> [String] {
        machine.shown.watches.map(\.name.run)
    }

    @Test func `a list that fits is one page, by name`() throws {
        var machine = ListFollowMachine(query: WatchQuery(), room: 5)
        #expect(read(&machine, watches(5)) == [.first])
        #expect(names(machine) == ["000", "001", "002", "003", "004"])
        #expect(machine.shown.hidden == 0)
        machine.told(try change("w/002", .error))
        #expect(names(machine) == ["000", "001", "002", "003", "004"])
        #expect(machine.shown.watches[2].data.state == .error)
        #expect(machine.shown.watches[2].nextPollAt == nil)
    }

    @Test func `of a list that does not fit, those that changed come first, then the active`()
        throws
    {
        var machine = machine(watches(100), room: 7)
        #expect(names(machine) == ["000", "002", "004", "006", "008", "010"])
        #expect(machine.shown.hidden == 94)
        machine.told(try change("w/051", .running, from: .complete))
        machine.told(try change("w/004", .complete))
        #expect(names(machine) == ["004", "051", "000", "002", "006", "008"])
        // The next reading asks for those that are on no page by their names.
        let name = WatchName(service: "w", run: "051")
        #expect(read(&machine, watches(100)) == [.first, .active, .named([name])])
        #expect(names(machine) == ["004", "051", "000", "002", "006", "008"])
    }

    @Test func `final watches fill the room that active ones leave`() {
        let all = (0..<20).map { Samples.watch("w/\($0 + 10)", $0 == 15 ? .running : .complete) }
        #expect(names(machine(all, room: 5)) == ["25", "10", "11", "12"])
    }

    @Test func `an event from before the reading takes nothing back`() throws {
        var machine = machine([Samples.watch("w/1", .complete)], room: 5)
        machine.told(try change("w/1", .running, sequence: 1))
        #expect(machine.shown.watches.map(\.data.state) == [.complete])
    }

    @Test func `what meets the conditions no more goes, and what has gone is not shown`() throws {
        let query = WatchQuery(isActiveOnly: true)
        var machine = machine(
            watches(30).filter { !$0.isFinal }, room: 4, query)
        #expect(names(machine) == ["000", "002", "004"])
        machine.told(try change("w/002", .complete))
        #expect(!names(machine).contains("002"))
        machine.told(try change("w/020", .running, from: .pending))
        #expect(names(machine).first == "020")
        // A reload has taken it off its list.
        read(&machine, watches(30).filter { !$0.isFinal && $0.name.run != "020" })
        #expect(!names(machine).contains("020"))
    }

    @Test func `a change concerns the lists that the watch is or was in`() throws {
        let ended = try change("w/1", .complete)
        #expect(ended.concerns(WatchQuery()))
        #expect(ended.concerns(WatchQuery(service: "w")))
        #expect(!ended.concerns(WatchQuery(service: "v")))
        #expect(!ended.concerns(WatchQuery(group: "g")))
        #expect(ended.concerns(WatchQuery(isActiveOnly: true)))
        #expect(ended.concerns(WatchQuery(states: [.complete])))
        #expect(!ended.concerns(WatchQuery(states: [.error])))
        #expect(
            !(try change("w/1", .complete, from: .error)).concerns(WatchQuery(isActiveOnly: true)))
    }

    @Test func `a hundred thousand changes leave a screen of watches`() throws {
        var machine = machine(watches(100), room: 10)
        for number in 0..<2000 { machine.told(try change("v/\(number)", .running)) }
        #expect(
            names(machine) == ["1999", "1998", "1997", "1996", "1995"] + [
                "000", "002", "004", "006",
            ])
        let named = (1995...1999).reversed().map { WatchName(service: "v", run: String($0)) }
        #expect(read(&machine, watches(100)) == [.first, .active, .named(named)])
    }

    @Test func `a smaller terminal shows fewer, a larger one asks for more`() {
        var machine = machine(watches(100), room: 10)
        machine.resized(room: 3)
        #expect(names(machine) == ["000", "002"])
        #expect(machine.shown.hidden == 98)
        machine.resized(room: 40)
        #expect(machine.parameters(of: .first).contains { $0.0 == "limit" && $0.1 == "40" })
        machine.resized(room: -3)
        #expect(machine.room == 1)
    }
}
