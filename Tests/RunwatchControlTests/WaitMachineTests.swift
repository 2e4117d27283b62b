import RunwatchControl
import RunwatchCore
import Testing

@Suite struct WaitMachineTests {
    private let first = WatchName(service: "w", run: "1")
    private let second = WatchName(service: "w", run: "2")

    private func event(_ name: WatchName, _ state: RunState) throws -> JSONValue {
        var data = Samples.watch(name.description).data
        data.state = state
        return try JSONValue(
            parsing: Event(type: .run(state), timestamp: Samples.noon, data: .run(data)).json)
    }

    @Test func `all must be final`() throws {
        var machine = WaitMachine(names: [first, second, first], isAny: false)
        #expect(machine.names == [first, second])
        #expect(machine.asked(Samples.watch("w/1", .complete))?.name == first)
        #expect(machine.outcome == nil)
        #expect(machine.asked(Samples.watch("w/2", .running)) == nil)
        #expect(machine.pending == [second])
        #expect(machine.told(try event(second, .running)) == nil)
        #expect(machine.told(try event(second, .complete))?.name == second)
        #expect(machine.outcome == .done)
    }

    @Test func `a run that did not complete fails the wait, after all are final`() throws {
        var machine = WaitMachine(names: [first, second], isAny: false)
        _ = machine.told(try event(first, .lost))
        #expect(machine.outcome == nil)
        _ = machine.told(try event(second, .complete))
        #expect(machine.outcome == .failed)
        #expect(machine.unsuccessful.map(\.name) == [first])
    }

    @Test func `any ends with the first; one that is complete makes it good`() throws {
        var machine = WaitMachine(names: [first, second], isAny: true)
        _ = machine.asked(Samples.watch("w/1", .error))
        #expect(machine.outcome == .failed)
        _ = machine.asked(Samples.watch("w/2", .complete))
        #expect(machine.outcome == .done)
    }

    @Test func `a run that ended is told once`() throws {
        var machine = WaitMachine(names: [first], isAny: false)
        #expect(machine.asked(Samples.watch("w/1", .killed)) != nil)
        #expect(machine.told(try event(first, .killed)) == nil)
        #expect(machine.asked(Samples.watch("w/1", .killed)) == nil)
    }

    @Test func `events of others, and what is no event, are ignored`() throws {
        var machine = WaitMachine(names: [first], isAny: false)
        #expect(machine.told(try event(second, .complete)) == nil)
        for text in [
            "[]", "{}", #"{"type":"run.complete"}"#, #"{"type":"run.complete","data":{}}"#,
            #"{"type":"service.down","data":{"service":"w","run":"1"}}"#,
        ] {
            #expect(machine.told(try JSONValue(parsing: text)) == nil)
        }
        #expect(machine.pending == [first])
    }

    @Test func `events and later looks tell how a run goes on, and take nothing back`() throws {
        var machine = WaitMachine(names: [first], isAny: false)
        var watch = Samples.watch("w/1", .running)
        watch.data.sequence = 2
        _ = machine.asked(watch)
        var data = watch.data
        (data.state, data.sequence) = (.pending, 1)
        let old = Event(type: .run(.pending), timestamp: Samples.noon, data: .run(data))
        #expect(machine.told(try JSONValue(parsing: old.json)) == nil)
        #expect(machine.seen[first]?.data.state == .running)
        watch.nextPollAt = Samples.noon.advanced(by: .seconds(4))
        machine.read(watch)
        #expect(machine.seen[first]?.nextPollAt == watch.nextPollAt)
        // That it ended is the event's to say, which names the result.
        machine.read(Samples.watch("w/1", .complete))
        #expect(machine.pending == [first])
        #expect(machine.told(try event(first, .complete))?.name == first)
    }

    @Test func `progress is said in one line`() {
        var machine = WaitMachine(
            names: [first, second, WatchName(service: "w", run: "3")], isAny: false)
        _ = machine.asked(Samples.watch("w/1", .complete))
        _ = machine.asked(Samples.watch("w/2", .pending))
        var third = Samples.watch("w/3")
        third.nextPollAt = Samples.noon.advanced(by: .seconds(4))
        _ = machine.asked(third)
        let text = WaitText.progress(machine, elapsed: .seconds(72), away: nil, now: Samples.noon)
        #expect(text == "1 of 3 final · 1 running · 1 pending · 1m12s elapsed · next poll in 4s")
        let away = WaitText.progress(
            machine, elapsed: .seconds(72), away: .seconds(3), now: Samples.noon)
        #expect(
            away
                == "the daemon is away (3s) · 1 of 3 final · 1 running · 1 pending · 1m12s elapsed"
        )
    }
}
