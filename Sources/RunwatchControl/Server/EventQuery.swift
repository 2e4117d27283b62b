package import RunwatchCore

/// Which events a list or a stream has: those that meet every condition given.
package struct EventQuery: Hashable, Sendable {
    /// What they are about: `SERVICE/ID`, or a service, a group, a receiver; empty for anything.
    package var names: Set<ExactText>
    /// Only events of this service and of its runs.
    package var service: String?
    /// Only events of this group and of its runs.
    package var group: String?
    /// Empty for any type.
    package var types: Set<EventType>

    /// All events.
    package static let all = EventQuery()

    package init(
        names: Set<ExactText> = [], service: String? = nil, group: String? = nil,
        types: Set<EventType> = []
    ) {
        self.names = names
        self.service = service
        self.group = group
        self.types = types
    }

    package func matches(_ event: StreamEvent) -> Bool {
        if !names.isEmpty, !names.contains(ExactText(event.subject)) { return false }
        if !types.isEmpty {
            guard let type = event.type, types.contains(type) else { return false }
        }
        if let service, !event.concerns(service: service) { return false }
        if let group { return event.group.map { ExactText.areSame($0, group) } ?? false }
        return true
    }
}

/// A page of recorded events, and how far it looked for them.
package struct EventPage: Sendable {
    /// In the order of their numbers.
    package var events: [EventView]
    /// All events up to this number are in the page, or in one before, or do not meet the conditions.
    package var through: Int64
    /// There is no event above `through`.
    package var isLast: Bool

    package init(_ events: [EventView], through: Int64, isLast: Bool) {
        self.events = events
        self.through = through
        self.isLast = isLast
    }
}
