import RunwatchCore
import Testing

@Suite struct EventTypeTests {
    @Test func `every type is read by its name, and by its short one`() {
        #expect(EventType.all.count == 13)
        for type in EventType.all {
            #expect(EventType(name: type.name) == type)
            #expect(type.description == type.name)
            if type.name.hasPrefix("run.") {
                #expect(EventType(name: type.name.dropFirst(4)) == type)
            }
        }
    }

    @Test(arguments: [
        "", "run.", "unknown", "run.unknown", "run.run.complete", "Complete", "down", "test", "all",
        "run.service.down",
    ])
    func `other names are refused`(_ name: String) {
        #expect(EventType(name: name) == nil)
    }

    @Test func `the default is the final states`() {
        #expect(
            EventType.finalStates.map(\.name).sorted()
                == ["run.complete", "run.error", "run.killed", "run.lost", "run.timeout"])
    }
}
