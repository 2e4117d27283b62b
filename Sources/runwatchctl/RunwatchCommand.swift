import ArgumentParser
import Glibc
import RunwatchControl

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
              0    done; for wait: all (with --any: one) complete
              1    wait: a run ended in another final state; check, reload: the configuration has errors
              4    no such watch
              64   wrong usage
              69   no daemon at the socket
              77   permission denied
              124  wait --timeout passed first

            ENVIRONMENT
              RUNWATCH_SOCKET  the socket, when --socket is not given; without either it is \
            $RUNTIME_DIRECTORY/control.sock, /run/runwatch/control.sock if it exists, or \
            ./.runwatch/control.sock
              NO_COLOR         no colours, on a terminal either
            """,
        version: RunwatchVersion.text,
        subcommands: [
            StatusVerb.self, ListVerb.self, ShowVerb.self, EventsVerb.self, WaitVerb.self,
            PollVerb.self, RewatchVerb.self, ReloadVerb.self, CheckVerb.self,
        ])

    static func main() {
        // A reader that leaves (`| head`) shows as an error of the write, and ends the program quietly.
        signal(SIGPIPE, SIG_IGN)
        main(GlobalOptions.movedBehindVerb(Array(CommandLine.arguments.dropFirst())))
    }
}
