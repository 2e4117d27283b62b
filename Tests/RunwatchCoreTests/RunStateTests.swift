import RunwatchCore
import Testing

@Suite struct RunStateTests {
    @Test func `states move forward only, and final is final`() {
        for state in RunState.allCases {
            for next in RunState.allCases {
                let expected: Bool =
                    switch (state, next) {
                    case (.unknown, .unknown), (.pending, .pending), (.running, .running): false
                    case (.unknown, _): true
                    case (.pending, .unknown), (.running, .unknown), (.running, .pending): false
                    case (.pending, _), (.running, _): true
                    default: false
                    }
                #expect(state.mayBecome(next) == expected, "\(state) → \(next)")
            }
        }
    }

    @Test func `five states are final`() {
        #expect(
            RunState.allCases.filter(\.isFinal) == [.complete, .error, .killed, .lost, .timeout])
        #expect(RunState.finalStates == RunState.allCases.filter(\.isFinal))
    }

    @Test func `names are read back, and no others`() {
        for state in RunState.allCases { #expect(RunState(name: state.name) == state) }
        for name in ["", "Complete", "ongoing", "none", "complete "] {
            #expect(RunState(name: name) == nil)
        }
    }

    @Test func `the numbers that the database keeps stay what they are`() {
        #expect(RunState.allCases.map(\.rawValue) == Array(0..<8))
        #expect(
            RunState.allCases.map(\.name) == [
                "unknown", "pending", "running", "complete", "error", "killed", "lost", "timeout",
            ])
    }
}
