import ArgumentParser
import RunwatchControl
import RunwatchCore

struct AddVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Adds transient watches, which belong to no file.",
        discussion: """
            They are kept in the database, survive restarts and reloads, and end by `remove`. What no \
            option gives follows the configuration's defaults. Adding one again in the same words changes \
            nothing. Only root, the daemon's own user and the members of control.admin_group may.

            An ID is text as it is: quote spaces and what else the shell would touch. Before IDs that \
            begin with '-' write '--'. The ID '-' stands for standard input, one ID a line, where '#' \
            begins a comment as in files of ids_from:

              generate | runwatchctl add warehouse -
            """)

    @Argument(help: "The service.")
    var service: String

    @Argument(help: ArgumentHelp("The runs' own IDs; - for standard input.", valueName: "id"))
    var ids: [String]

    @Option(help: "For people; stands in events.")
    var label: String?

    @Option(help: "What group.finished counts together.")
    var group: String?

    @Option(
        help: ArgumentHelp(
            "Who is told; again, or with commas between, for several. An empty text for nobody.",
            valueName: "receiver"))
    var notify: [String] = []

    @Option(
        help: ArgumentHelp(
            "From the first poll on; the state is timeout then. 'none' for no deadline.",
            valueName: "duration"))
    var deadline: String?

    @Option(help: "Krixik only: the runs' pipeline; by default the service's.")
    var pipeline: String?

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        if service.contains("/") {
            throw ValidationError(
                "'\(TerminalText.escape(service))' is no service; write the service and the IDs apart: "
                    + "add SERVICE ID…")
        }
        if ids.count(where: { $0 == "-" }) > 1 {
            throw ValidationError("'-' stands twice; standard input can be read once.")
        }
    }

    private var receivers: [String]? {
        guard !notify.isEmpty else { return nil }
        return notify.flatMap { $0.split(separator: ",").map(String.init) }
    }

    func run() throws {
        let asked = AskedWatches(
            service: service, label: label, group: group, pipeline: pipeline, notify: receivers,
            deadline: deadline)
        let source = IDSource(ids)
        try global.run { (session) throws(ControlFailure) in
            try session.add(asked) { () throws(ControlFailure) in try source.next() }
        }
    }
}

struct RemoveVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Ends transient watches.",
        discussion: """
            They are polled no more; their history stays until retention deletes it, and `add` takes them \
            up again. A watch of a file ends by an edit of that file. Only root, the daemon's own user \
            and the members of control.admin_group may.
            """)

    @OptionGroup var watches: WatchNames

    @OptionGroup var global: GlobalOptions

    func run() throws {
        try global.run { (session) throws(ControlFailure) in try session.remove(watches.names) }
    }
}
