/// How late polls are made, over all time and now.
package struct LatenessMeter: Sendable, Equatable {
    /// In seconds.
    package private(set) var histogram = HistogramMeter()
    package private(set) var latest = Duration.zero

    package init() {}

    /// - Parameter lateness: Made minus due; early counts as zero.
    package mutating func add(_ lateness: Duration) {
        latest = max(.zero, lateness)
        histogram.add(latest)
    }
}
