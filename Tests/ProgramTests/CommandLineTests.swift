import Glibc
import TestSupport
import Testing

/// What `runwatchctl` makes of odd command lines, and of descriptors that are full or closed.
@Suite struct CommandLineTests {
    private static func run(
        _ script: String, in folder: TemporaryFolder = TemporaryFolder()
    ) async -> (code: Int32, output: String, errors: String) {
        let program = RunningProgram(
            "/bin/sh", ["-c", "exec \(RunningProgram.products)/runwatchctl \(script)"],
            in: folder.path, output: "shell")
        _ = await eventually { !program.isRunning }
        return (program.exitStatus(), program.output, program.errors)
    }

    @Test(arguments: [
        ("stats", "there is no verb 'stats'; did you mean 'status'?"),
        ("qqqqq", "there is no verb 'qqqqq'; `runwatchctl help` has them all"),
        ("--socket", "no verb follows '--socket'; `runwatchctl help` has them all"),
        ("--json", "no verb follows '--json'; `runwatchctl help` has them all"),
        (
            "add warehouse \"$(printf 'a\\377')\"",
            "argument 3 is not UTF-8: 'a\u{FFFD}'"
        ),
    ])
    func `what is wrong is said in one line`(arguments: String, words: String) async {
        let run = await CommandLineTests.run(arguments)
        #expect(run.code == 64)
        #expect(run.errors == "runwatchctl: \(words)\n")
        #expect(run.output.isEmpty)
    }

    @Test(arguments: ["--socket '' status", "check ''"])
    func `an empty path is wrong usage`(arguments: String) async {
        let run = await CommandLineTests.run(arguments)
        #expect(run.code == 64)
        #expect(run.errors.contains("empty"))
    }

    @Test(arguments: ["help", "check no-such-file --json", "check no-such-file"])
    func `a result that cannot be written is a failure`(arguments: String) async {
        let run = await CommandLineTests.run("\(arguments) >/dev/full")
        // What had failed already keeps its code.
        #expect(run.code == (arguments == "help" ? 74 : 1))
        #expect(
            run.errors
                == "runwatchctl: standard output: No space left on device; not all was written\n")
    }

    @Test func `closed descriptors are never used for something else`() async throws {
        let stage = try await Stage(
            script: """
                {"runs": [{"service": "kinetica", "id": "1", "life": [[0, "running"]]}]}
                """)
        stage.configure()
        stage.watch("- service: warehouse\n  id: 1\n")
        try await stage.start()
        let socket = "--socket \(stage.socket)"
        for closed in [">&-", "<&- >&-", "2>&-", "<&- >&- 2>&-"] {
            for verb in ["status", "list", "status --json"] {
                let run = await CommandLineTests.run("\(verb) \(socket) \(closed)")
                #expect(run.code == 0, "\(verb) \(closed): \(run.errors)")
                #expect(run.errors.isEmpty)
            }
            #expect(await CommandLineTests.run("show w/0 \(socket) \(closed)").code == 4)
        }
        let empty = await CommandLineTests.run("add warehouse - \(socket) <&-")
        #expect(empty.code == 64)
        #expect(empty.errors == "runwatchctl: standard input: Bad file descriptor\n")
        let full = await CommandLineTests.run("list --follow \(socket) >/dev/full")
        #expect(full.code == 74)
        await stage.end()
    }
}
