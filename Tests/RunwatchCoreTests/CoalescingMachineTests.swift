import RunwatchCore
import Testing

@Suite struct CoalescingMachineTests {
    @Test func `the policy has the last word`() {
        #expect(CoalescingMachine(.always).choosesAll(replacing: 1))
        #expect(!CoalescingMachine(.never).choosesAll(replacing: 1000))
    }

    @Test func `one watch is asked for by itself, two together`() {
        let machine = CoalescingMachine(.auto)
        #expect(!machine.choosesAll(replacing: 1.1))
        #expect(machine.choosesAll(replacing: 2))
    }

    @Test func `a large answer about all is worth it only for many watches`() {
        var machine = CoalescingMachine(.auto)
        machine.answeredAll(bytes: 1_000_000)
        #expect(!machine.choosesAll(replacing: 10))
        #expect(machine.choosesAll(replacing: 1000))
    }

    @Test func `single answers that cost much lead to another look at all`() {
        var machine = CoalescingMachine(.auto)
        machine.answeredAll(bytes: 1_000_000)
        var polls = 0
        while !machine.choosesAll(replacing: 10), polls < 100_000 {
            machine.answeredSingle(bytes: 1000)
            polls += 1
        }
        #expect((900...1200).contains(polls))
        machine.answeredAll(bytes: 20_000)
        #expect(machine.choosesAll(replacing: 10))
    }

    @Test func `an answer about all that was refused is not asked for at once again`() {
        var machine = CoalescingMachine(.auto)
        machine.refusedAll(bytes: 0)
        #expect(!machine.choosesAll(replacing: 20))
        #expect(!machine.choosesAll(replacing: 100_000))
        for _ in 0..<2000 { machine.answeredSingle(bytes: 1000) }
        #expect(machine.choosesAll(replacing: 100_000))
        machine.answeredAll(bytes: 1_000_000)
        #expect(machine.choosesAll(replacing: 100_000))
    }
}
