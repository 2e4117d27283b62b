import ArgumentParser
import RunwatchControl

struct PollVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "poll",
        abstract: "Polls watches now.",
        discussion: """
            As soon as the service's limits allow; `show` tells what came back. Only root, the daemon's \
            own user and the members of control.admin_group may.
            """)

    @OptionGroup var watches: WatchNames

    @OptionGroup var global: GlobalOptions

    func run() throws {
        try global.run { (session) throws(ControlFailure) in try session.poll(watches.names) }
    }
}

struct RewatchVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rewatch",
        abstract: "Starts watches afresh.",
        discussion: """
            A final state is final, and its watch is polled no more; this starts it again from unknown, \
            with its history kept. Only root, the daemon's own user and the members of \
            control.admin_group may.
            """)

    @OptionGroup var watches: WatchNames

    @OptionGroup var global: GlobalOptions

    func run() throws {
        try global.run { (session) throws(ControlFailure) in try session.rewatch(watches.names) }
    }
}

struct ReloadVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Makes the daemon read its configuration now, and reports.",
        discussion: """
            A configuration with an error changes nothing: every error is printed, the daemon goes on \
            with the last good one, and the exit code is 1. Only root, the daemon's own user and the \
            members of control.admin_group may.
            """)

    @OptionGroup var global: GlobalOptions

    func run() throws {
        try global.run { (session) throws(ControlFailure) in try session.reload() }
    }
}
