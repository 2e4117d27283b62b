import ArgumentParser
import Glibc
import Logging
import RunwatchControl
import RunwatchDaemon

/// `runwatchd`: reads its arguments, runs the daemon, gives its exit code.
@main struct RunwatchDaemonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runwatchd",
        abstract: "Polls runs at remote services to their end, and tells.",
        discussion: """
            Reads a YAML configuration and its watch lists, polls every watched run with backoff, writes \
            each change of state to a SQLite database, and tells receivers when a run has ended. It runs \
            in the foreground: events of a stdout receiver go to standard output, the log to standard \
            error. An edit of a file takes effect by itself within a second; so do SIGHUP and \
            `runwatchctl reload`. SIGTERM and SIGINT let what is in flight finish, for up to ten \
            seconds; a second one stops at once. Nothing is lost either way.

            Exit codes: 0 stopped as asked; 64 wrong usage; 69 the database or the socket cannot be \
            had; 74 a write to the database is uncertain, start again; 75 another daemon is at work in \
            the state directory; 78 the configuration has errors.
            """,
        version: RunwatchVersion.text)

    @Option(name: .shortAndLong, help: "The main file of the configuration.")
    var config = "/etc/runwatch/runwatch.yaml"

    @Option(
        name: .customLong("state-dir"),
        help: ArgumentHelp(
            "Where runwatch.db lives.",
            discussion: "$STATE_DIRECTORY by default; outside systemd, ./.runwatch."))
    var stateDirectory: String?

    @Option(
        help: ArgumentHelp(
            "The control socket.",
            discussion:
                "$RUNWATCH_SOCKET or $RUNTIME_DIRECTORY/control.sock by default; outside systemd, "
                + "control.sock in the state directory."))
    var socket: String?

    func run() async throws {
        let environment = DaemonEnvironment.current
        let sink = DaemonLogHandler.Sink()
        let logger = Logger(label: "runwatch") { DaemonLogHandler(label: $0, sink: sink) }
        let paths = DaemonPaths(
            environment: environment, stateDirectory: stateDirectory, socket: socket)
        let daemon = Daemon(
            options: DaemonOptions(
                configuration: config, paths: paths, environment: environment),
            logger: logger, logSink: sink)
        let code = await daemon.run()
        guard code == .success else { throw ExitCode(code.rawValue) }
    }
}
