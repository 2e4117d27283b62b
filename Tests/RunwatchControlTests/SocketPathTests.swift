import RunwatchControl
import Testing

@Suite struct SocketPathTests {
    private func path(
        _ option: String?, _ environment: [String: String], system: Bool
    ) -> String {
        SocketPath.resolve(option: option, environment: environment) { path in
            system && path == SocketPath.system
        }
    }

    @Test func `the nearest wins`() {
        let both = ["RUNWATCH_SOCKET": "/b", "RUNTIME_DIRECTORY": "/run/c:/run/d"]
        #expect(path("/a", both, system: true) == "/a")
        #expect(path(nil, both, system: true) == "/b")
        #expect(
            path(nil, ["RUNTIME_DIRECTORY": "/run/c:/run/d"], system: true)
                == "/run/c/control.sock")
        #expect(path(nil, [:], system: true) == "/run/runwatch/control.sock")
        #expect(path(nil, [:], system: false) == "./.runwatch/control.sock")
    }

    @Test func `an empty variable is as good as none`() {
        #expect(
            path(nil, ["RUNWATCH_SOCKET": "", "RUNTIME_DIRECTORY": ""], system: false)
                == "./.runwatch/control.sock")
    }
}
