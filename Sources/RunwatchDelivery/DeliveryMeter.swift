package import RunwatchCore

/// What became of a receiver's attempts and deliveries, since the process began.
package struct DeliveryMeter: Sendable, Equatable {
    /// Attempts, by how they ended; one brings a whole digest.
    package private(set) var attempts = [Int](repeating: 0, count: Attempt.allCases.count)
    /// Events that were delivered; each of a digest counts.
    package private(set) var delivered = 0
    /// Events that were given up.
    package private(set) var failed = 0
    /// How long attempts took, in seconds, whatever came of them.
    package private(set) var durations = HistogramMeter()

    /// How an attempt ended.
    package enum Attempt: Int, CaseIterable, Sendable {
        case delivered
        /// It will be made again.
        case retry
        /// It was the last one.
        case failed
        /// It was given up in the middle, as when the daemon stops; it is made again.
        case abandoned

        package var name: String {
            switch self {
            case .delivered: "delivered"
            case .retry: "retry"
            case .failed: "failed"
            case .abandoned: "abandoned"
            }
        }
    }

    package init() {}

    package func count(_ attempt: Attempt) -> Int { attempts[attempt.rawValue] }

    /// Counts an attempt that has ended.
    /// - Parameter events: How many it brought.
    mutating func ended(_ verdict: DeliveryMachine.Verdict, events: Int, after duration: Duration) {
        durations.add(duration)
        switch verdict {
        case .keep: attempts[Attempt.abandoned.rawValue] += 1
        case .retry, .stillDue: attempts[Attempt.retry.rawValue] += 1
        case .delivered:
            attempts[Attempt.delivered.rawValue] += 1
            delivered += events
        case .failed:
            attempts[Attempt.failed.rawValue] += 1
            failed += events
        }
    }
}
