package import RunwatchCore

/// A watch as the record has it, with what was asked of it.
package struct WatchRow: Sendable, Equatable {
    /// The service's kind: `krixik`, `kinetica`.
    package var kind: String
    package var label: String?
    package var group: String?
    /// For people: `FILE:LINE`, `FILE:LINE (discovered)` or `transient`.
    package var origin: String
    /// `false` once the watch left the list or was removed: it is no longer polled.
    package var isListed: Bool
    /// When a final state was observed.
    package var finishedAt: Timestamp?
    package var watch: SavedWatch

    package init(
        kind: String, label: String?, group: String?, origin: String, isListed: Bool,
        finishedAt: Timestamp?, watch: SavedWatch
    ) {
        self.kind = kind
        self.label = label
        self.group = group
        self.origin = origin
        self.isListed = isListed
        self.finishedAt = finishedAt
        self.watch = watch
    }
}

/// Which watches to give; what is left out does not matter.
package struct WatchFilter: Sendable, Equatable {
    /// Empty for all.
    package var names: Set<WatchName> = []
    package var service: String?
    /// Empty for all.
    package var states: Set<RunState>
    package var group: String?
    /// Only those that have not ended.
    package var activeOnly: Bool

    package init(
        service: String? = nil, states: Set<RunState> = [], group: String? = nil,
        activeOnly: Bool = false
    ) {
        self.service = service
        self.states = states
        self.group = group
        self.activeOnly = activeOnly
    }
}

/// A row of a watch's history.
package struct TransitionRow: Sendable, Equatable {
    /// From 1, over all lives of the watch.
    package var sequence: Int
    package var state: RunState
    package var previousState: RunState
    package var observedAt: Timestamp
    /// The last poll that still saw the earlier state.
    package var notBefore: Timestamp?
    package var message: String
    /// A JSON object as bytes; empty for none.
    package var detail: [UInt8]
    package var polls: Int

    package init(
        sequence: Int, state: RunState, previousState: RunState, observedAt: Timestamp,
        notBefore: Timestamp?, message: String, detail: [UInt8], polls: Int
    ) {
        self.sequence = sequence
        self.state = state
        self.previousState = previousState
        self.observedAt = observedAt
        self.notBefore = notBefore
        self.message = message
        self.detail = detail
        self.polls = polls
    }
}

/// What became of a delivery so far.
package enum DeliveryState: String, Sendable, Hashable, CaseIterable {
    case pending
    case delivered
    case failed
}

/// A delivery with its attempts.
package struct DeliveryRow: Sendable, Equatable {
    /// The `webhook-id`.
    package var id: String
    package var receiver: String
    package var eventNumber: Int64
    package var type: EventType
    /// `SERVICE/ID`, or what else the event is about.
    package var subject: String
    package var state: DeliveryState
    /// How many were made.
    package var attempts: Int
    /// `nil` while one before it of the same subject is pending, and at the end.
    package var dueAt: Timestamp?
    package var createdAt: Timestamp
    package var finishedAt: Timestamp?
    /// The `webhook-id` of the digest that it went into; `nil` for a message of its own.
    package var digest: String?
    /// The last 50 attempts, the oldest first.
    package var history: [AttemptRow]

    package init(
        id: String, receiver: String, eventNumber: Int64, type: EventType, subject: String,
        state: DeliveryState, attempts: Int, dueAt: Timestamp?, createdAt: Timestamp,
        finishedAt: Timestamp?, digest: String? = nil, history: [AttemptRow]
    ) {
        self.id = id
        self.receiver = receiver
        self.eventNumber = eventNumber
        self.type = type
        self.subject = subject
        self.state = state
        self.attempts = attempts
        self.dueAt = dueAt
        self.createdAt = createdAt
        self.finishedAt = finishedAt
        self.digest = digest
        self.history = history
    }
}

/// An attempt at a delivery.
package struct AttemptRow: Sendable, Equatable {
    /// From 1.
    package var number: Int
    package var at: Timestamp
    /// `delivered`, `retry` or `failed`.
    package var outcome: String
    /// The HTTP status; `nil` when there was none.
    package var status: Int?
    package var duration: Duration
    package var message: String

    package init(
        number: Int, at: Timestamp, outcome: String, status: Int?, duration: Duration,
        message: String
    ) {
        self.number = number
        self.at = at
        self.outcome = outcome
        self.status = status
        self.duration = duration
        self.message = message
    }
}

/// Which deliveries to give; what is left out does not matter.
package struct DeliveryFilter: Sendable, Equatable {
    /// Empty for all.
    package var states: Set<DeliveryState>
    package var receiver: String?
    package var subject: String?

    package init(
        states: Set<DeliveryState> = [], receiver: String? = nil, subject: String? = nil
    ) {
        self.states = states
        self.receiver = receiver
        self.subject = subject
    }
}

/// Where a delivery stands among all of them: by its event, and for each event by receivers.
///
/// No two have the same place, it never changes, and what is recorded later comes behind.
package struct DeliveryPlace: Sendable, Hashable, Comparable {
    package var eventNumber: Int64
    package var receiver: String

    package init(eventNumber: Int64, receiver: String) {
        self.eventNumber = eventNumber
        self.receiver = receiver
    }

    /// As SQLite compares: names byte by byte.
    package static func < (left: DeliveryPlace, right: DeliveryPlace) -> Bool {
        guard left.eventNumber == right.eventNumber else {
            return left.eventNumber < right.eventNumber
        }
        return left.receiver.utf8.lexicographicallyPrecedes(right.receiver.utf8)
    }
}

extension DeliveryRow {
    package var place: DeliveryPlace {
        DeliveryPlace(eventNumber: eventNumber, receiver: receiver)
    }
}

extension WatchFilter {
    /// Of a `SELECT` from `watch`; their values are bound by `Statement.bind`.
    var conditions: [String] {
        var conditions = ["is_listed = 1"]
        if !names.isEmpty {
            // Each by the index of names; a list of pairs would be compared with every row.
            let pairs = repeatElement("service = ? AND run = ?", count: names.count)
            conditions.append("(\(pairs.joined(separator: " OR ")))")
        }
        if service != nil { conditions.append("service = ?") }
        if group != nil { conditions.append("group_name = ?") }
        var states = states.isEmpty ? Set(RunState.allCases) : states
        if activeOnly { states = states.filter { !$0.isFinal } }
        if states.count < RunState.allCases.count {
            let words = states.map { "'\($0.name)'" }.sorted()
            conditions.append("state IN (\(words.joined(separator: ", ")))")
        }
        return conditions
    }
}

extension Statement {
    /// Binds the values of `WatchFilter.conditions`, in their order.
    mutating func bind(_ filter: WatchFilter) throws(StoreError) {
        for name in filter.names {
            try bind(name.service)
            try bind(name.run)
        }
        if let service = filter.service { try bind(service) }
        if let group = filter.group { try bind(group) }
    }
}
