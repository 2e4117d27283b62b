import RunwatchDaemon
import Testing

@Suite struct DaemonPathsTests {
    private func socket(
        _ environment: [String: String], stateDirectory: String? = nil, option: String? = nil
    ) -> String {
        DaemonPaths(environment: environment, stateDirectory: stateDirectory, socket: option).socket
    }

    @Test func `the nearest name of the socket wins`() {
        let both = ["RUNWATCH_SOCKET": "/b", "RUNTIME_DIRECTORY": "/run/c:/run/d"]
        #expect(socket(both, option: "/a") == "/a")
        #expect(socket(both) == "/b")
        #expect(socket(["RUNTIME_DIRECTORY": "/run/c:/run/d"]) == "/run/c/control.sock")
        #expect(socket([:], stateDirectory: "/s") == "/s/control.sock")
        #expect(socket(["STATE_DIRECTORY": "/s"]) == ".runwatch/control.sock")
    }

    @Test func `an empty variable is as good as none`() {
        let empty = ["RUNWATCH_SOCKET": "", "RUNTIME_DIRECTORY": "", "STATE_DIRECTORY": ""]
        #expect(socket(empty) == ".runwatch/control.sock")
        let paths = DaemonPaths(environment: empty, stateDirectory: nil, socket: nil)
        #expect(paths.database == ".runwatch/runwatch.db")
    }
}
