import ArgumentParser
import RunwatchControl
import RunwatchCore

struct DeliveriesVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deliveries",
        abstract: "The outbox: a row for each event and receiver, the oldest first.",
        discussion: """
            Without --failed and --pending those that were delivered are shown too, as long as retention \
            keeps them; with both, those in either state.
            """)

    @Flag(help: "Only deliveries that were given up.")
    var failed = false

    @Flag(help: "Only deliveries that are not made yet.")
    var pending = false

    @Option(help: "Only deliveries to this receiver.")
    var receiver: String?

    @Option(help: ArgumentHelp("Only the last so many.", valueName: "n"))
    var limit: Int?

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard let limit, limit < 1 else { return }
        throw ValidationError("--limit is \(limit); it must be a whole number from 1.")
    }

    func run() throws {
        var query = DeliveryQuery(receiver: receiver)
        if failed { query.states.insert(.failed) }
        if pending { query.states.insert(.pending) }
        try global.run { [query] (session) throws(ControlFailure) in
            try session.deliveries(query, limit: limit)
        }
    }
}

struct RedeliverVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redeliver",
        abstract: "Tries deliveries again now.",
        discussion: """
            Makes them pending again with a fresh schedule, under their old webhook-id; one of a digest \
            brings the whole digest back. With IDs each is attempted at once, before all others of its \
            receiver, whatever its state was; with --failed all that were given up take their turns. \
            Only root, the daemon's own user and the members of control.admin_group may.
            """)

    @Argument(help: ArgumentHelp("The deliveries, or digests.", valueName: "id"))
    var ids: [String] = []

    @Flag(help: "All deliveries that were given up, instead of IDs.")
    var failed = false

    @Option(help: "With --failed: only those to this receiver.")
    var receiver: String?

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard !ids.contains("") else { throw ValidationError("An empty ID names no delivery.") }
        switch (ids.isEmpty, failed) {
        case (true, false):
            throw ValidationError(
                "Nothing to redeliver; give IDs, as `runwatchctl deliveries` shows them, or --failed."
            )
        case (false, true):
            throw ValidationError("IDs and --failed do not go together; give one of them.")
        case (false, false) where receiver != nil:
            throw ValidationError("--receiver goes with --failed; an ID names its receiver.")
        default: break
        }
    }

    func run() throws {
        try global.run { (session) throws(ControlFailure) in
            if failed { return try session.redeliverFailed(receiver: receiver) }
            return try session.redeliver(ids)
        }
    }
}

struct TestReceiverVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test-receiver",
        abstract: "Sends a receiver.test event, once, and says what came back.",
        discussion: """
            Past the outbox: nothing is recorded, and nothing is tried again. Exits with 1 when it was not \
            delivered, 4 when there is no such receiver. Only root, the daemon's own user and the \
            members of control.admin_group may.
            """)

    @Argument(help: "The receiver.")
    var name: String

    @OptionGroup var global: GlobalOptions

    func validate() throws {
        guard !name.isEmpty else { throw ValidationError("An empty name names no receiver.") }
    }

    func run() throws {
        try global.run { (session) throws(ControlFailure) in try session.testReceiver(name) }
    }
}
