/// Where the value of a setting comes from.
package enum SettingSource: Hashable, Sendable {
    /// Nobody set it: it is the built-in default.
    case standard
    /// A key of a file.
    ///
    /// In the main file it is the whole way to it (`services.warehouse.poll.max`), in an entry of a watch
    /// list the way within the entry (`poll.max`).
    case key(String, file: String, line: Int)
}

/// One setting as it holds, and where it comes from.
package struct ExplainedSetting: Hashable, Sendable {
    /// As the configuration's pages name it: `poll.max`.
    package var name: String
    /// As the configuration would say it; `null` for none.
    ///
    /// Never a secret: that is told as the place that it is read from, or as `***`.
    package var value: JSONValue
    package var source: SettingSource

    package init(_ name: String, _ value: JSONValue, _ source: SettingSource) {
        self.name = name
        self.value = value
        self.source = source
    }
}

/// Every setting of a configuration as it holds, and where each comes from.
package struct Explanation: Hashable, Sendable {
    /// What has settings of its own: a service, a receiver, a discovery, or the configuration itself.
    package struct Section: Hashable, Sendable {
        /// The name in the configuration; of a discovery its service's.
        package var name: String
        /// Of a discovery alone.
        package var runTag: String?
        package var source: SettingSource
        /// In the order in which people look for them.
        package var settings: [ExplainedSetting]

        package init(
            name: String, runTag: String? = nil, source: SettingSource,
            settings: [ExplainedSetting]
        ) {
            self.name = name
            self.runTag = runTag
            self.source = source
            self.settings = settings
        }
    }

    /// Watches of one service whose settings are the same and come from the same places.
    package struct Group: Hashable, Sendable {
        package var service: String
        /// Indexes in `watches`, ascending; never empty.
        package var members: [Range<Int>]
        /// The file that `ids_from` names, when all of them come from there.
        package var idsFile: String?
        /// The place of the first entry that asks for some of them.
        package var file: String
        package var line: Int
        /// How many entries ask for them.
        package var entries: Int
        package var settings: [ExplainedSetting]

        package init(
            service: String, members: [Range<Int>], idsFile: String?, file: String, line: Int,
            entries: Int = 1, settings: [ExplainedSetting]
        ) {
            self.service = service
            self.members = members
            self.idsFile = idsFile
            self.file = file
            self.line = line
            self.entries = entries
            self.settings = settings
        }

        package var count: Int { members.reduce(0) { $0 + $1.count } }
    }

    /// What holds for the daemon as a whole; `nil` when only one watch was asked for.
    package var main: Section?
    package var services: [Section]
    package var receivers: [Section]
    package var discoveries: [Section]
    /// Each watch is in exactly one of them.
    package var groups: [Group]
    /// All watches of the configuration, which the groups point into.
    package var watches: [WatchSpec]

    package init(
        main: Section? = nil, services: [Section] = [], receivers: [Section] = [],
        discoveries: [Section] = [], groups: [Group] = [], watches: [WatchSpec] = []
    ) {
        self.main = main
        self.services = services
        self.receivers = receivers
        self.discoveries = discoveries
        self.groups = groups
        self.watches = watches
    }

    /// What it says of one watch alone; `nil` when no list has that watch.
    package func only(_ name: WatchName) -> Explanation? {
        guard let index = watches.firstIndex(where: { $0.name == name }),
            var group = groups.first(where: { group in
                group.members.contains { $0.contains(index) }
            })
        else { return nil }
        group.members = [index..<index + 1]
        return Explanation(groups: [group], watches: watches)
    }
}
