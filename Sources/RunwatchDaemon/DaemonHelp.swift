/// What `runwatchd` says of itself to people, at most 80 columns wide.
package enum DaemonHelp {
    package static let usage = "runwatchd [--config FILE] [--state-dir DIR] [--socket PATH]"

    /// The answer to `--help`.
    package static let text = """
        OVERVIEW: Polls runs at remote services to their end, and tells.

        Reads a YAML configuration and its watch lists, polls every watched run with
        backoff, writes each change of state to a SQLite database, and tells receivers
        when a run has ended. It runs in the foreground: events of a stdout receiver go
        to standard output, the log to standard error. An edit of a file takes effect
        by itself within a second; so do SIGHUP and `runwatchctl reload`. SIGTERM and
        SIGINT let what is in flight finish, for up to ten seconds; a second one stops
        at once. Nothing is lost either way.

        USAGE: \(usage)

        OPTIONS:
          -c, --config FILE   The main file of the configuration.
                              (default: \(DaemonArguments.Options().configuration))
          --state-dir DIR     Where runwatch.db lives.
                              (default: $STATE_DIRECTORY; outside systemd, ./.runwatch)
          --socket PATH       The control socket.
                              (default: $RUNWATCH_SOCKET, or control.sock in
                              $RUNTIME_DIRECTORY; without these, in the folder
                              of --state-dir, or in ./.runwatch)
          --version           Show the version.
          -h, --help          Show this help.

        EXIT CODES:
          0         stopped as asked
          64        wrong usage
          69        the database or the socket cannot be had
          74        a write to the database is uncertain: start again
          75        another daemon is at work in the state directory
          78        the configuration has errors
          130, 143  a second SIGINT or SIGTERM

        """

    /// What is said of a command line that cannot be understood.
    package static func complaint(_ error: DaemonUsageError) -> String {
        """
        runwatchd: \(error.message)
        Usage: \(usage)
          See 'runwatchd --help' for more information.

        """
    }
}
