import RunwatchControl
import Testing

@Suite struct ExitStatusTests {
    @Test func `the codes are the contract's`() {
        #expect(ExitStatus.allCases.map(\.rawValue) == [0, 1, 4, 64, 69, 74, 77, 124, 130])
    }

    @Test func `a refusal has its code`() {
        let expected: [Problem.Code: Int32] = [
            .noSuchWatch: 4, .noSuchDelivery: 4, .noSuchReceiver: 4, .permissionDenied: 77,
            .badParameter: 64, .badPath: 64, .badBody: 64, .unsupportedType: 64,
            .malformedRequest: 64, .contentTooLarge: 64, .targetTooLong: 64, .headTooLarge: 64,
            .requestTimeout: 69, .overloaded: 69,
            .methodNotAllowed: 64, .conflict: 64, .configurationInvalid: 1, .unavailable: 69,
            .notAdvancing: 69, .notReady: 69, .internalError: 69, .noSuchRoute: 69,
        ]
        for problem in Problem.Code.allCases {
            #expect(ExitStatus(problem).rawValue == expected[problem], "\(problem)")
        }
    }
}
