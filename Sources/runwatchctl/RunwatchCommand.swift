import ArgumentParser
import Glibc
import RunwatchControl
import RunwatchLinux

/// `runwatchctl`: asks the daemon, and tells it what to do.
@main
struct RunwatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runwatchctl",
        abstract: "Shows and steers what runwatchd watches.",
        discussion: """
            Speaks HTTP with JSON over the daemon's Unix socket, so that \
            `curl --unix-socket PATH http://runwatch/v1/status` can do the same. A watch is named \
            SERVICE/ID; everything after the first slash is the run's own ID.

            EXIT CODES
              0    done; wait: all runs (with --any: one) are complete
              1    wait: a run ended in another final state;
                   check, reload: the configuration has errors;
                   check --probe: a service gave no usable answer;
                   test-receiver: the event was not delivered
              4    no such watch, delivery or receiver
              64   wrong usage
              69   no daemon at the socket, or one that cannot answer
              74   done, but the result could not be written
              77   permission denied
              124  wait: the timeout passed first
              130  Ctrl-C in wait, list --follow or events --follow

            THE SOCKET
              The first of: --socket, $RUNWATCH_SOCKET,
              $RUNTIME_DIRECTORY/control.sock, /run/runwatch/control.sock
              if it exists, ./.runwatch/control.sock

            With NO_COLOR set there are no colours, on a terminal either.
            """,
        version: RunwatchVersion.text,
        subcommands: [
            StatusVerb.self, ListVerb.self, ShowVerb.self, EventsVerb.self, WaitVerb.self,
            AddVerb.self, RemoveVerb.self, PollVerb.self, RewatchVerb.self, DeliveriesVerb.self,
            RedeliverVerb.self,
            TestReceiverVerb.self, ReloadVerb.self, CheckVerb.self,
        ])

    static func main() {
        StandardDescriptors.fill()
        // A reader that leaves (`| head`) shows as an error of the write, and ends the program quietly.
        signal(SIGPIPE, SIG_IGN)
        if CommandLine.arguments.dropFirst().first == CompletionCommand.name { complete() }
        let arguments = GlobalOptions.movedBehindVerb(Array(CommandLine.arguments.dropFirst()))
        let verbs = configuration.subcommands.map { $0._commandName }
        if let fault = CommandLineCheck.fault(count: CommandLine.argc, CommandLine.unsafeArgv)
            ?? CommandLineCheck.fault(arguments, verbs: verbs)
        {
            ControlOutput.standard.warn(fault)
            Glibc.exit(ExitStatus.usage.rawValue)
        }
        do {
            var command = try parseAsRoot(arguments)
            try command.run()
        } catch {
            end(with: error)
        }
    }

    /// Answers a shell's completion script.
    ///
    /// Not the parser's own scripts: theirs for bash has the shell expand what a program answers, so a run
    /// called `$(reboot)` would be run.
    private static func complete() -> Never {
        let answer = CompletionCommand.answer(
            Array(CommandLine.arguments.dropFirst()),
            outline: { CommandOutline(dumpedHelp: _dumpHelp()) }, environment: Environment.all,
            exists: { access($0, F_OK) == 0 })
        _ = ControlOutput.standard.write(Array(answer.utf8))
        Glibc.exit(ExitStatus.done.rawValue)
    }

    /// Ends the program as the parser would, its words in the form of ours.
    private static func end(with error: any Error) -> Never {
        let code = exitCode(for: error)
        let text = fullMessage(for: error)
        if code.isSuccess {
            if !text.isEmpty { _ = ControlOutput.standard.write(Array((text + "\n").utf8)) }
        } else if !text.isEmpty {
            ControlOutput.standard.warn(
                text.hasPrefix("Error: ") ? String(text.dropFirst("Error: ".count)) : text)
        }
        if let failure = ControlOutput.standardFault.failure {
            let reason = String(cString: strerror(failure.errno))
            ControlOutput.standard.warn("standard output: \(reason); not all was written")
            if code.isSuccess { Glibc.exit(ExitStatus.outputLost.rawValue) }
        }
        Glibc.exit(code.rawValue)
    }
}
