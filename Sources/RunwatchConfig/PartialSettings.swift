import RunwatchCore

/// What may stand under `defaults:`, at a service and at a watch.
enum SettingsKey: String, SchemaKey {
    case poll, deadline, notify
    case pendingAfter = "pending_after"
    case stallAfter = "stall_after"
    case notFoundGrace = "not_found_grace"
}

private enum PollKey: String, SchemaKey {
    case initial, factor, max, jitter
}

/// The settings that one level gives; `nil` leaves the outer level's.
struct PartialSettings: Hashable {
    var initial: Duration?
    var factor: Double?
    var maximum: Duration?
    var jitter: Double?
    var deadline: Limit?
    var pendingAfter: Limit?
    var stallAfter: Limit?
    var notFoundGrace: Duration?
    var notify: [String]?

    /// These settings over those of the level around; `poll` key by key.
    func over(_ outer: WatchSettings) -> WatchSettings {
        WatchSettings(
            poll: PollSettings(
                initial: initial ?? outer.poll.initial, factor: factor ?? outer.poll.factor,
                maximum: maximum ?? outer.poll.maximum, jitter: jitter ?? outer.poll.jitter),
            deadline: deadline.map(\.duration) ?? outer.deadline,
            pendingAfter: pendingAfter.map(\.duration) ?? outer.pendingAfter,
            stallAfter: stallAfter.map(\.duration) ?? outer.stallAfter,
            notFoundGrace: notFoundGrace ?? outer.notFoundGrace,
            notify: notify ?? outer.notify)
    }
}

extension Schema {
    /// Reads one level's settings.
    ///
    /// - Parameters:
    ///   - outer: The settings of the level around, for checks of one key against another.
    ///   - receivers: The names that `notify` may hold.
    func settings<Key: SchemaKey>(
        _ fields: Fields<Key>, over outer: WatchSettings, receivers: [String]
    ) -> PartialSettings {
        var partial = PartialSettings()
        for field in fields.all {
            guard let key = SettingsKey(rawValue: field.key.rawValue) else { continue }
            let value = field.value
            let what = "'\(key.rawValue)'"
            switch key {
            case .poll: poll(value, into: &partial, over: outer)
            case .deadline: partial.deadline = limit(value, what, atLeast: .milliseconds(1))
            case .pendingAfter: partial.pendingAfter = limit(value, what, atLeast: .milliseconds(1))
            case .stallAfter: partial.stallAfter = limit(value, what, atLeast: .milliseconds(1))
            case .notFoundGrace:
                partial.notFoundGrace = duration(value, what, atLeast: .zero)
            case .notify: partial.notify = notify(value, receivers: receivers)
            }
        }
        return partial
    }

    private func poll(
        _ node: YAMLNode, into partial: inout PartialSettings, over outer: WatchSettings
    ) {
        guard let fields = fields(node, "'poll'", PollKey.self) else { return }
        if let node = fields[.initial] {
            partial.initial = duration(node, "'poll.initial'", atLeast: .milliseconds(50))
        }
        if let node = fields[.max] {
            partial.maximum = duration(node, "'poll.max'", atLeast: .milliseconds(50))
        }
        if let node = fields[.factor] {
            partial.factor = parsed(
                node, "'poll.factor'", "it is a number from 1 to 100, such as 1.6"
            ) { text in NumberText.decimal(text).flatMap { (1...100).contains($0) ? $0 : nil } }
        }
        if let node = fields[.jitter] {
            partial.jitter = parsed(
                node, "'poll.jitter'", "it is a share from 0% to 100%, such as 10% or 0.1",
                NumberText.share)
        }
        checkOrder(fields, partial, outer.poll)
    }

    /// A wait cannot begin above its own maximum.
    private func checkOrder(
        _ fields: Fields<PollKey>, _ partial: PartialSettings, _ outer: PollSettings
    ) {
        // A value that was refused has its own diagnostic.
        if fields[.initial] != nil, partial.initial == nil { return }
        if fields[.max] != nil, partial.maximum == nil { return }
        guard let place = fields[.max] ?? fields[.initial] else { return }
        let initial = partial.initial ?? outer.initial
        let maximum = partial.maximum ?? outer.maximum
        guard maximum < initial else { return }
        func source(_ own: Duration?) -> String { own == nil ? " by default" : "" }
        error(
            place,
            "'poll.max' (\(DurationText.format(maximum))\(source(partial.maximum))) is shorter "
                + "than 'poll.initial' (\(DurationText.format(initial))\(source(partial.initial)))"
        )
    }

    private func notify(_ node: YAMLNode, receivers: [String]) -> [String]? {
        if node.isBlank {
            error(
                node, "'notify' has no value; write [] for nobody, or leave it out for the default")
            return nil
        }
        guard let elements = list(node, "'notify'", example: "[\(receivers.first ?? "log")]") else {
            return nil
        }
        var names: [String] = []
        for element in elements {
            guard let name = text(element, "a receiver in 'notify'") else { continue }
            guard receivers.contains(name) else {
                error(element, unknownName(name, "receiver", among: receivers))
                continue
            }
            guard !names.contains(name) else {
                warning(element, "'\(name)' stands twice; it is told once")
                continue
            }
            names.append(name)
        }
        return names
    }
}
