import RunwatchDaemon
import Testing

@Suite struct DaemonArgumentsTests {
    private func options(_ arguments: String...) throws -> DaemonArguments.Options {
        guard case .run(let options) = try DaemonArguments(arguments) else {
            throw Unexpected()
        }
        return options
    }

    private struct Unexpected: Error {}

    private func complaint(_ arguments: String...) -> String? {
        do {
            _ = try DaemonArguments(arguments)
            return nil
        } catch {
            return error.message
        }
    }

    @Test func `without arguments the packaged configuration is read`() throws {
        let options = try options()
        #expect(options.configuration == "/etc/runwatch/runwatch.yaml")
        #expect(options.stateDirectory == nil)
        #expect(options.socket == nil)
    }

    @Test(arguments: [
        ["--config", "a b.yaml"], ["--config=a b.yaml"], ["-c", "a b.yaml"], ["-ca b.yaml"],
        ["-c=a b.yaml"], ["--config", "first.yaml", "-c", "a b.yaml"],
    ])
    func `the file is given in any of the usual ways`(_ arguments: [String]) throws {
        var expected = DaemonArguments.Options()
        expected.configuration = "a b.yaml"
        #expect(try DaemonArguments(arguments) == .run(expected))
    }

    @Test func `every option has its place`() throws {
        let options = try options("--socket=/s=1", "--state-dir", "/d", "-c", "/c")
        #expect(options.configuration == "/c")
        #expect(options.stateDirectory == "/d")
        #expect(options.socket == "/s=1")
    }

    @Test(arguments: [["--help"], ["-h"], ["-c", "x", "--help", "--nonsense"]])
    func `help is given on request`(_ arguments: [String]) throws {
        #expect(try DaemonArguments(arguments) == .help)
    }

    @Test func `the version is given on request`() throws {
        #expect(try DaemonArguments(["--socket", "s", "--version"]) == .version)
    }

    @Test func `an option without its value is told with what it needs`() {
        #expect(complaint("--config") == "'--config' needs a value: --config FILE")
        #expect(complaint("--config=") == "'--config' needs a value: --config FILE")
        #expect(complaint("--state-dir", "") == "'--state-dir' needs a value: --state-dir DIR")
        #expect(complaint("-c") == "'-c' needs a value: -c FILE")
    }

    @Test func `an option is not taken for another one's value, unless it hangs on to it`() throws {
        let missing = complaint("--state-dir", "--socket", "s")
        #expect(missing == "'--state-dir' needs a value: --state-dir DIR")
        #expect(try options("--state-dir=-odd").stateDirectory == "-odd")
    }

    @Test func `an unknown option is told with the nearest one`() {
        #expect(complaint("--confg", "x") == "unknown option '--confg'; did you mean '--config'?")
        #expect(
            complaint("--state_dir=x")
                == "unknown option '--state_dir'; did you mean '--state-dir'?")
        #expect(complaint("--frobnicate") == "unknown option '--frobnicate'")
        #expect(complaint("-x") == "unknown option '-x'")
    }

    @Test(arguments: ["runwatch.yaml", "", "-"])
    func `what is no option is refused`(_ argument: String) {
        #expect(complaint(argument) == "unexpected argument '\(argument)'")
        #expect(complaint("--", argument) == "unexpected argument '\(argument)'")
    }

    @Test func `two hyphens end the options`() throws {
        #expect(try options("--socket", "s", "--").socket == "s")
        #expect(complaint("--", "--version") == "unexpected argument '--version'")
    }

    @Test func `a flag takes no value`() {
        #expect(complaint("--help=yes") == "'--help' takes no value")
        #expect(complaint("-hc") == "'-h' takes no value")
    }

    @Test func `a complaint shows how it is used`() throws {
        let error = try #require(throws: DaemonUsageError.self) { try DaemonArguments(["x"]) }
        let text = DaemonHelp.complaint(error)
        #expect(text.hasPrefix("runwatchd: unexpected argument 'x'\nUsage: runwatchd ["))
        #expect(text.hasSuffix("\n"))
    }

    @Test func `the help names every option and fits eighty columns`() {
        for name in ["-c", "--config", "--state-dir", "--socket", "--version", "-h", "--help"] {
            #expect(DaemonHelp.text.contains(name))
        }
        for line in DaemonHelp.text.split(separator: "\n") {
            #expect(line.count <= 80, "\(line)")
        }
    }
}
