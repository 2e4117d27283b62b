package import RunwatchCore

/// What the store has done since the opening.
package struct StoreFigures: Sendable, Equatable {
    /// Changes of one commit, from one alone to a full one.
    package static let changesBounds = [1.0, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000]

    /// How long `COMMIT` took, in seconds: until all that the transaction holds is on disk.
    package var commits = HistogramMeter()
    /// How many changes a commit held, without counters and phases.
    package var changes = HistogramMeter(bounds: changesBounds)
    /// Transactions that could not be written; what they held is tried again.
    package var failures = 0

    package init() {}
}
