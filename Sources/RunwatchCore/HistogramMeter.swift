/// Counts values in buckets with fixed bounds, over all time.
///
/// Counting a value makes no memory: the buckets are there from the start.
package struct HistogramMeter: Sendable, Equatable {
    /// From a fast answer on the same machine to a poll that nobody waits for any more, in seconds.
    package static let secondsBounds = [
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]

    /// The upper bounds of the buckets, growing; one more bucket holds the rest.
    package let bounds: [Double]
    /// How many fell into each bucket, not cumulated; one more than there are bounds.
    package private(set) var counts: [Int]
    package private(set) var sum = 0.0

    package init(bounds: [Double] = secondsBounds) {
        self.bounds = bounds
        counts = [Int](repeating: 0, count: bounds.count + 1)
    }

    package var count: Int { counts.reduce(0, +) }

    /// - Parameter value: Below zero counts as zero: clocks that are set must not make a sum fall.
    package mutating func add(_ value: Double) {
        let value = max(0, value)
        var bucket = 0
        while bucket < bounds.count, value > bounds[bucket] { bucket += 1 }
        counts[bucket] += 1
        sum += value
    }

    /// Counts a duration in seconds.
    package mutating func add(_ duration: Duration) { add(duration.inSeconds) }
}
