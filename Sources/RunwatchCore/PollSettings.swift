/// How often a watch is polled: `poll: {initial: 2s, factor: 1.6, max: 60s, jitter: 10%}`.
package struct PollSettings: Hashable, Sendable {
    /// The wait after the first poll, and after each transition; at least 50 ms.
    package var initial: Duration
    /// What each further wait is multiplied with; at least 1.
    package var factor: Double
    /// The longest wait; at least `initial`.
    package var maximum: Duration
    /// The random share of a wait, from 0 to 1.
    package var jitter: Double

    /// Two seconds find a short run soon; a minute is what a person would still call prompt.
    package static let standard = PollSettings(
        initial: .seconds(2), factor: 1.6, maximum: .seconds(60), jitter: 0.1)

    package init(initial: Duration, factor: Double, maximum: Duration, jitter: Double) {
        self.initial = initial
        self.factor = factor
        self.maximum = maximum
        self.jitter = jitter
    }
}
