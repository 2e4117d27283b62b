package import RunwatchCore

/// What changes from one configuration to the next.
package struct ConfigurationDifference: Equatable, Sendable, CustomStringConvertible {
    package struct Names<Name: Equatable & Sendable>: Equatable, Sendable {
        /// In the order of the new configuration.
        package var added: [Name] = []
        /// In the order of the old configuration.
        package var removed: [Name] = []
        /// In the order of the new configuration.
        package var changed: [Name] = []

        package var isEmpty: Bool { added.isEmpty && removed.isEmpty && changed.isEmpty }
    }

    package var services: Names<String>
    package var receivers: Names<String>
    /// A watch that only moved to another line is unchanged.
    package var watches: Names<WatchName>
    /// `SERVICE, run_tag TAG`.
    package var discoveries: Names<String>
    /// Whether `retention`, `control`, `http` or `log` changed.
    package var hasOtherChanges: Bool

    package init(from old: Configuration, to new: Configuration) {
        services = ConfigurationDifference.names(
            old.services, new.services, name: \.name
        ) { one, other in
            one == other && old.serviceDefaults[one.name] == new.serviceDefaults[one.name]
                && old.serviceParameters[one.name] == new.serviceParameters[one.name]
        }
        receivers = ConfigurationDifference.names(
            old.receivers, new.receivers, name: \.name, isSame: ==)
        watches = ConfigurationDifference.names(old.watches, new.watches, name: \.name) {
            $0.label == $1.label && $0.group == $1.group && $0.parameters == $1.parameters
                && $0.settings == $1.settings
        }
        discoveries = ConfigurationDifference.names(
            old.discoveries, new.discoveries, name: { "\($0.service), run_tag \($0.runTag)" },
            isSame: {
                $0.label == $1.label && $0.group == $1.group && $0.settings == $1.settings
            })
        hasOtherChanges =
            old.retention != new.retention || old.control != new.control
            || old.http.listen != new.http.listen || old.log != new.log
    }

    package var isEmpty: Bool {
        services.isEmpty && receivers.isEmpty && watches.isEmpty && discoveries.isEmpty
            && !hasOtherChanges
    }

    /// For the log: `watches: 3 added, 1 removed, 2 changed`.
    package var description: String {
        let parts = [
            text("services", services), text("receivers", receivers), text("watches", watches),
            text("discoveries", discoveries),
            hasOtherChanges ? "retention, control, http or log changed" : nil,
        ].compactMap { $0 }
        return parts.isEmpty ? "nothing changed" : parts.joined(separator: "; ")
    }

    private func text<Name>(_ what: String, _ names: Names<Name>) -> String? {
        let parts = [
            (names.added.count, "added"), (names.removed.count, "removed"),
            (names.changed.count, "changed"),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        return parts.isEmpty ? nil : "\(what): \(parts.joined(separator: ", "))"
    }

    private static func names<Element, Name: Hashable & Sendable>(
        _ old: [Element], _ new: [Element], name: (Element) -> Name,
        isSame: (Element, Element) -> Bool
    ) -> Names<Name> {
        var names = Names<Name>()
        var indexes: [Name: Int] = Dictionary(minimumCapacity: old.count)
        for (index, element) in old.enumerated() { indexes[name(element)] = index }
        var isKept = Array(repeating: false, count: old.count)
        for element in new {
            let name = name(element)
            guard let index = indexes[name] else {
                names.added.append(name)
                continue
            }
            isKept[index] = true
            if !isSame(old[index], element) { names.changed.append(name) }
        }
        for (index, element) in old.enumerated() where !isKept[index] {
            names.removed.append(name(element))
        }
        return names
    }
}
