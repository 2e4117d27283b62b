import RunwatchCore
import Testing

@Suite struct WatchSpecTests {
    static func spec(
        _ run: String, label: String? = "nightly", line: Int = 1, sharing other: WatchSpec? = nil
    ) -> WatchSpec {
        WatchSpec(
            name: WatchName(service: "warehouse", run: run), label: label, group: "all",
            parameters: ["pipeline": "p"], settings: WatchSettings(notify: ["log"]),
            origin: .file("watches.yaml", line: line), sharing: other)
    }

    @Test func `a spec says what it was made of, shared or not`() {
        let first = WatchSpecTests.spec("1")
        for other in [nil, first, WatchSpecTests.spec("1", label: "another")] {
            let second = WatchSpecTests.spec("2", line: 7, sharing: other)
            #expect(second.name == WatchName(service: "warehouse", run: "2"))
            #expect(second.label == "nightly")
            #expect(second.group == "all")
            #expect(second.parameters == ["pipeline": "p"])
            #expect(second.settings.notify == ["log"])
            #expect(second.origin == .file("watches.yaml", line: 7))
            #expect(second == WatchSpecTests.spec("2", line: 7))
            #expect(second.hashValue == WatchSpecTests.spec("2", line: 7).hashValue)
        }
    }

    @Test func `specs differ by their line, their run and all they may share`() {
        let spec = WatchSpecTests.spec("1")
        #expect(spec != WatchSpecTests.spec("2", sharing: spec))
        #expect(spec != WatchSpecTests.spec("1", line: 2, sharing: spec))
        #expect(spec != WatchSpecTests.spec("1", label: nil, sharing: spec))
    }

    @Test func `a watch of a long list costs little`() {
        #expect(MemoryLayout<WatchSpec>.stride <= 32)
        #expect(MemoryLayout<WatchMachine>.stride <= 96)
    }
}
