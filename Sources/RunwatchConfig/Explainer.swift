package import RunwatchCore

/// Tells of every setting of a configuration what it is and where it comes from.
///
/// The rule that it retraces is the loader's: an entry of a watch list goes before its service, a service
/// before `defaults`, those before what is built in; of `poll` each key by itself.
package struct Explainer {
    let configuration: Configuration
    let places: ConfigurationPlaces

    /// Explains a configuration that was loaded with `LoadOptions.notesPlaces`.
    package static func explain(
        _ configuration: Configuration, _ places: ConfigurationPlaces
    ) -> Explanation {
        let explainer = Explainer(configuration: configuration, places: places)
        return Explanation(
            main: explainer.main(),
            services: configuration.services.map(explainer.service),
            receivers: configuration.receivers.map(explainer.receiver),
            discoveries: explainer.discoveries(), groups: explainer.groups(),
            watches: configuration.watches)
    }

    // MARK: Sources

    /// Where a key of the main file stands.
    func source(_ way: String) -> SettingSource {
        guard let place = places.main[way] else { return .standard }
        return .key(way, file: configuration.file, line: place.line)
    }

    /// A setting of the main file.
    func setting(_ name: String, _ value: JSONValue, under parent: String) -> ExplainedSetting {
        ExplainedSetting(name, value, source("\(parent).\(name)"))
    }

    private func main() -> Explanation.Section {
        let log = configuration.log
        return Explanation.Section(
            name: configuration.file, source: .standard,
            settings: [
                ("retention.finished", ExplainedValue.duration(configuration.retention)),
                ("control.group", ExplainedValue.text(configuration.control.group)),
                ("control.admin_group", ExplainedValue.text(configuration.control.adminGroup)),
                ("log.level", .string(log.level.rawValue)),
                ("log.format", .string(log.format.rawValue)),
            ].map { ExplainedSetting($0, $1, source($0)) })
    }

    // MARK: Settings of watches

    /// What may stand under `defaults:`, for one entry or, without one, for a service.
    func settings(
        _ settings: WatchSettings, of service: String, entry: ConfigurationPlaces.Entry? = nil
    ) -> [ExplainedSetting] {
        let poll = settings.poll
        let values: [(String, JSONValue)] = [
            ("poll.initial", ExplainedValue.duration(poll.initial)),
            ("poll.factor", .number(poll.factor)),
            ("poll.max", ExplainedValue.duration(poll.maximum)),
            ("poll.jitter", ExplainedValue.share(poll.jitter)),
            ("deadline", ExplainedValue.duration(settings.deadline)),
            ("pending_after", ExplainedValue.duration(settings.pendingAfter)),
            ("stall_after", ExplainedValue.duration(settings.stallAfter)),
            ("not_found_grace", ExplainedValue.duration(settings.notFoundGrace)),
            ("notify", ExplainedValue.list(settings.notify)),
        ]
        return values.map { name, value in
            ExplainedSetting(name, value, nearest(name, of: service, entry: entry))
        }
    }

    private func nearest(
        _ name: String, of service: String, entry: ConfigurationPlaces.Entry?
    ) -> SettingSource {
        if let entry, let own = entry.keys[name] {
            return .key(name, file: entry.file, line: own.line)
        }
        let ofService = source("services.\(service).\(name)")
        return ofService == .standard ? source("defaults.\(name)") : ofService
    }

    /// What an entry says of its watches besides settings; what it does not say is left out.
    private func labels(
        _ label: String?, _ group: String?, _ parameters: [String: String], of service: String,
        entry: ConfigurationPlaces.Entry
    ) -> [ExplainedSetting] {
        [("label", label), ("group", group), ("pipeline", parameters["pipeline"])].compactMap {
            (name, value) in
            guard let value else { return nil }
            return ExplainedSetting(
                name, .string(value), nearest(name, of: service, entry: entry))
        }
    }

    // MARK: Entries of watch lists

    private func discoveries() -> [Explanation.Section] {
        places.entries.compactMap { entry in
            guard let index = entry.discovery else { return nil }
            let spec = configuration.discoveries[index]
            return Explanation.Section(
                name: spec.service, runTag: spec.runTag,
                source: .key("discover", file: spec.path, line: spec.line),
                settings: labels(spec.label, spec.group, [:], of: spec.service, entry: entry)
                    + settings(spec.settings, of: spec.service, entry: entry))
        }
    }

    /// What makes the watches of two entries alike.
    private struct Likeness: Hashable {
        let service: String
        let label: String?
        let group: String?
        let parameters: [String: String]
        let settings: WatchSettings
        let idsFile: String?
        /// The entry's number, if it sets anything itself: then its lines are no other's.
        let entry: Int?
    }

    private func groups() -> [Explanation.Group] {
        var groups: [Explanation.Group] = []
        var indexes: [Likeness: Int] = [:]
        for (number, entry) in places.entries.enumerated() where !entry.watches.isEmpty {
            let first = configuration.watches[entry.watches.lowerBound]
            let likeness = likeness(first, entry, number)
            if let index = indexes[likeness] {
                groups[index].members.append(entry.watches)
                groups[index].entries += 1
                continue
            }
            indexes[likeness] = groups.count
            groups.append(group(first, entry, idsFile: likeness.idsFile))
        }
        return groups
    }

    private func likeness(
        _ first: WatchSpec, _ entry: ConfigurationPlaces.Entry, _ number: Int
    ) -> Likeness {
        var idsFile: String?
        if case .file(let path, _) = first.origin, entry.keys["ids_from"] != nil { idsFile = path }
        return Likeness(
            service: first.name.service, label: first.label, group: first.group,
            parameters: first.parameters, settings: first.settings, idsFile: idsFile,
            entry: entry.setsAnything ? number : nil)
    }

    private func group(
        _ first: WatchSpec, _ entry: ConfigurationPlaces.Entry, idsFile: String?
    ) -> Explanation.Group {
        let service = first.name.service
        return Explanation.Group(
            service: service, members: [entry.watches], idsFile: idsFile, file: entry.file,
            line: entry.line,
            settings: labels(
                first.label, first.group, first.parameters, of: service, entry: entry)
                + settings(first.settings, of: service, entry: entry))
    }
}

extension ConfigurationPlaces.Entry {
    /// Whether it has a key beyond those that say which runs are meant.
    fileprivate var setsAnything: Bool {
        let own = ["label", "group", "pipeline", "poll", "deadline", "pending_after"]
        return (own + ["stall_after", "not_found_grace", "notify"]).contains { keys[$0] != nil }
    }
}

/// Values as the configuration would say them.
enum ExplainedValue {
    static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

    static func list(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }

    static func duration(_ duration: Duration?) -> JSONValue {
        text(duration.map(DurationText.format))
    }

    static func share(_ share: Double) -> JSONValue {
        .string(decimal(share * 100) + "%")
    }

    static func size(_ bytes: Int) -> JSONValue {
        for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)]
        where bytes >= 1 << shift && bytes & (1 << shift - 1) == 0 {
            return .string("\(bytes >> shift)\(unit)")
        }
        return .integer(Int64(bytes))
    }

    /// Requests a second, minute or hour: by the first of them that makes a whole number.
    static func rate(_ rate: Double?) -> JSONValue {
        guard let rate else { return .null }
        for (unit, seconds) in [("s", 1.0), ("m", 60), ("h", 3600)] {
            let number = rate * seconds
            if number >= 0.5, abs(number - number.rounded()) < 1e-6 {
                return .string("\(decimal(number.rounded()))/\(unit)")
            }
        }
        return .string("\(decimal(rate))/s")
    }

    /// Without the noise of binary fractions.
    private static func decimal(_ number: Double) -> String {
        let number = (number * 1e6).rounded() / 1e6
        return number == number.rounded() ? "\(Int64(number))" : "\(number)"
    }
}
