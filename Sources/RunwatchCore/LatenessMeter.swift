/// How late polls are made, over all time and by buckets that double.
package struct LatenessMeter: Sendable, Equatable {
    /// The upper bounds of the buckets, in seconds; one more bucket holds the rest.
    package static let bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

    /// How many fell into each bucket, not cumulated.
    package private(set) var counts = [Int](repeating: 0, count: bounds.count + 1)
    package private(set) var sum = 0.0
    package private(set) var latest = Duration.zero

    package init() {}

    package var count: Int { counts.reduce(0, +) }

    /// - Parameter lateness: Made minus due; early counts as zero.
    package mutating func add(_ lateness: Duration) {
        let seconds = max(0, lateness.inSeconds)
        let bucket = LatenessMeter.bounds.firstIndex { seconds <= $0 }
        counts[bucket ?? LatenessMeter.bounds.count] += 1
        sum += seconds
        latest = max(.zero, lateness)
    }
}
