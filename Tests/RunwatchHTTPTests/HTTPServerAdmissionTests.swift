import Testing

@testable import RunwatchHTTP

@Suite struct HTTPServerAdmissionTests {
    private let alice: UInt32 = 1000
    private let bob: UInt32 = 1001
    private let root: UInt32 = 0

    private func admission(each: Int, connections: Int = 100) -> HTTPServerAdmission {
        HTTPServerAdmission(
            HTTPServerLimits(
                connections: connections,
                users: HTTPServerUserLimits(each: each, reserved: 4, exempt: [root])))
    }

    @Test func `a user gets a share, is refused beyond it, and then shut out`() {
        var admission = admission(each: 3)
        let verdicts = (0..<6).map { _ in admission.arrived(user: alice) }
        #expect(verdicts == [.serve, .serve, .serve, .refuse, .refuse, .close])
        #expect(admission.arrived(user: bob) == .serve)
        #expect(admission.arrived(user: root) == .serve)
    }

    @Test func `a place that was left is free again`() {
        var admission = admission(each: 1)
        #expect(admission.arrived(user: alice) == .serve)
        for _ in 0..<100 {
            let verdict = admission.arrived(user: alice)
            #expect(verdict == .refuse)
            admission.left(user: alice, verdict)
        }
        admission.left(user: alice, .serve)
        #expect(admission.arrived(user: alice) == .serve)
    }

    @Test func `many users together leave the reserve to the exempt`() {
        var admission = admission(each: 2, connections: 10)
        var served = 0
        for user in 1...100 where admission.arrived(user: UInt32(user)) == .serve { served += 1 }
        #expect(served == 6)
        for _ in 0..<20 { #expect(admission.arrived(user: root) == .serve) }
    }

    @Test func `without bounds for users, or without users, all are served`() {
        var open = HTTPServerAdmission(HTTPServerLimits(connections: 2))
        var bounded = admission(each: 1)
        for _ in 0..<10 {
            #expect(open.arrived(user: alice) == .serve)
            #expect(bounded.arrived(user: nil) == .serve)
        }
    }
}
