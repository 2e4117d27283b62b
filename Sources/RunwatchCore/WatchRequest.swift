/// What is asked of transient watches, checked: all but their IDs.
///
/// It is kept as asked, so that what it leaves open follows the configuration's defaults.
package struct WatchRequest: Hashable, Sendable {
    package var service: String
    package var label: String?
    package var group: String?
    /// `pipeline` for Krixik; empty for the service's own.
    package var parameters: [String: String]
    package var overrides: WatchOverrides

    package init(
        service: String, label: String? = nil, group: String? = nil,
        parameters: [String: String] = [:], overrides: WatchOverrides = WatchOverrides()
    ) {
        self.service = service
        self.label = label
        self.group = group
        self.parameters = parameters
        self.overrides = overrides
    }

    /// Whether nothing is asked but that the runs be watched.
    package var isPlain: Bool { difference(from: WatchRequest(service: service)).isEmpty }

    /// The keys, as the watch list writes them, in which two requests differ; exact to the byte.
    package func difference(from other: WatchRequest) -> [String] {
        let isSamePipeline =
            parameters == other.parameters
            && parameters.allSatisfy {
                ExactText.areSame($0.value, other.parameters[$0.key] ?? "")
            }
        return [
            ("label", WatchRequest.areSame(label, other.label)),
            ("group", WatchRequest.areSame(group, other.group)), ("pipeline", isSamePipeline),
        ].filter { !$0.1 }.map(\.0) + overrides.difference(from: other.overrides)
    }

    private static func areSame(_ one: String?, _ other: String?) -> Bool {
        one.map { ExactText($0) } == other.map { ExactText($0) }
    }
}

/// What a request for transient watches says, as it was written: types are right, values are not checked.
package struct AskedWatches: Hashable, Sendable {
    /// `poll: {initial, factor, max, jitter}`; numbers as text.
    package struct Poll: Hashable, Sendable {
        package var initial: String?
        package var factor: String?
        package var maximum: String?
        package var jitter: String?

        package init(
            initial: String? = nil, factor: String? = nil, maximum: String? = nil,
            jitter: String? = nil
        ) {
            self.initial = initial
            self.factor = factor
            self.maximum = maximum
            self.jitter = jitter
        }
    }

    /// IDs in one request at most; one transaction takes them all.
    package static let longest = 10_000

    package var service: String
    package var ids: [String]
    package var label: String?
    package var group: String?
    package var pipeline: String?
    package var notify: [String]?
    package var poll: Poll?
    package var deadline: String?
    package var pendingAfter: String?
    package var stallAfter: String?
    package var notFoundGrace: String?

    package init(
        service: String, ids: [String] = [], label: String? = nil, group: String? = nil,
        pipeline: String? = nil, notify: [String]? = nil, poll: Poll? = nil,
        deadline: String? = nil, pendingAfter: String? = nil, stallAfter: String? = nil,
        notFoundGrace: String? = nil
    ) {
        self.service = service
        self.ids = ids
        self.label = label
        self.group = group
        self.pipeline = pipeline
        self.notify = notify
        self.poll = poll
        self.deadline = deadline
        self.pendingAfter = pendingAfter
        self.stallAfter = stallAfter
        self.notFoundGrace = notFoundGrace
    }
}
