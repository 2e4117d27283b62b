import ArgumentParser
import RunwatchControl
import RunwatchCore

struct StatusVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "The daemon at a glance, what is not well first.",
        discussion: """
            A line with its remedy for each thing that is not well, the most urgent first; then version and \
            uptime, the configuration, watches by state, the health of the services, and what the receivers \
            are still owed. Ends with 0 whatever is not well; a script looks at `problems` of --json.
            """)

    @OptionGroup var global: GlobalOptions

    func run() throws {
        try global.run { (session) throws(ControlFailure) in try session.status() }
    }
}

struct ListVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "The watches, a row each; with --follow, as they change.",
        discussion: """
            States: unknown, pending, running, and the final ones complete, error, killed, lost, \
            timeout. With several conditions a watch must meet them all.

            --follow goes on until Ctrl-C. On a terminal it redraws the table in place, the watches \
            that changed last first when not all fit, and waits for a daemon that is away. Elsewhere it \
            prints the table once and then a line for each change of state; with --json one object a \
            line, each watch first and then each one that changes.
            """)

    @Flag(name: .shortAndLong, help: "Go on showing the watches as they change.")
    var follow = false

    @Option(help: "Only watches of this service.")
    var service: String?

    @Option(
        help: ArgumentHelp(
            "Only watches in these states, with commas between.", valueName: "state,…"),
        transform: RunState.list)
    var state: Set<RunState> = []

    @Option(help: "Only watches of this group.")
    var group: String?

    @Flag(help: "Only watches that are not final.")
    var active = false

    @OptionGroup var global: GlobalOptions

    func run() throws {
        let query = WatchQuery(
            service: service, states: state, group: group, isActiveOnly: active)
        if follow { Interruption.endsProgram() }
        try global.run { (session) throws(ControlFailure) in
            follow ? try session.followList(query) : try session.list(query)
        }
    }
}

struct ShowVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "One watch explained, with its whole history.",
        discussion: """
            The state and since when, between which two moments it changed, what the last poll gave, \
            when the next one is and why then, what happens by time alone, what is owed to which \
            receiver, the settings that hold, every transition, and every delivery.
            """)

    @Argument(
        help: ArgumentHelp("The watch.", valueName: "service/id"), transform: WatchName.argument)
    var name: WatchName

    @OptionGroup var global: GlobalOptions

    func run() throws {
        try global.run { (session) throws(ControlFailure) in try session.show(name) }
    }
}

struct EventsVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Recorded events; with --follow, live ones as they happen.",
        discussion: """
            Without --since all recorded events are shown, or, with --follow, only those to come. \
            Following goes on through restarts of the daemon, without a gap, until Ctrl-C. With --json \
            --follow prints one object a line.
            """)

    @Flag(name: .shortAndLong, help: "Show events as they happen.")
    var follow = false

    @Option(
        help: ArgumentHelp(
            "From how long ago, such as 1h or 2d12h, or from a time such as 2026-11-22T08:30:00Z.",
            valueName: "when"))
    var since: String?

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard let since else { return }
        guard SinceText.parse(since, now: Timestamp(milliseconds: 0)) != nil else {
            throw ValidationError(
                "--since is '\(since)'; it must be a duration such as 1h, or a time such as "
                    + "2026-11-22T08:30:00Z.")
        }
    }

    func run() throws {
        if follow { Interruption.endsProgram() }
        try global.run { (session) throws(ControlFailure) in
            try session.events(since: since, follow: follow)
        }
    }
}

struct WaitVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Blocks until all of the watches (or any) are final.",
        discussion: """
            Prints a line for each run as it ends; with --json one document with all of them at the \
            end. Exits with 0 when all are complete (with --any: one), 1 when a run ended in another \
            final state, 124 when the timeout passed first, 4 when there is no such watch. A restart of \
            the daemon is waited through for 10 seconds. When standard error is a terminal, one line \
            there says how many runs are in which state, and when the next poll is.
            """)

    @OptionGroup var watches: WatchNames

    @Flag(help: "End with the first run that ends.")
    var any = false

    @Option(
        help: ArgumentHelp("Give up after so long, such as 10m.", valueName: "duration"),
        transform: Duration.argument)
    var timeout: Duration?

    @OptionGroup var global: GlobalOptions

    func run() throws {
        Interruption.endsProgram()
        try global.run { (session) throws(ControlFailure) in
            try session.wait(watches.names, isAny: any, timeout: timeout)
        }
    }
}
