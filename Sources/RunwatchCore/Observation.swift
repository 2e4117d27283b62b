/// What one poll says about one run.
package struct Observation: Hashable, Sendable {
    package enum Finding: Hashable, Sendable {
        /// The service gives this state; never `unknown`, `lost` or `timeout`.
        case state(RunState)
        /// The service does not know the run.
        case notFound
        /// The answer is good, and says nothing about the run's state.
        case nothing
    }

    package var finding: Finding
    package var progress: Progress?
    /// The service's own words, for people; empty when there are none.
    package var message: String
    /// A JSON object with what the kind knows besides, as bytes; empty when there is nothing.
    package var detail: [UInt8]

    package init(
        _ finding: Finding, progress: Progress? = nil, message: String = "", detail: [UInt8] = []
    ) {
        self.finding = finding
        self.progress = progress
        self.message = message
        self.detail = detail
    }
}

/// How much of a run is done: modules or segments finished, of all.
package struct Progress: Hashable, Sendable {
    package var done: Int32
    package var total: Int32

    package init(done: Int32, total: Int32) {
        self.done = done
        self.total = total
    }
}
