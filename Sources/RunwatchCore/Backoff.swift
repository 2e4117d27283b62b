/// The growing wait between two polls, and where in it a watch begins.
package enum Backoff {
    /// The wait before the next poll.
    ///
    /// Grows by `factor` from `initial` to `maximum`; jitter comes last and never lifts it above `maximum`.
    /// - Parameters:
    ///   - step: Polls since the last transition or progress; 0 right after one.
    ///   - unit: The random share, in [0, 1).
    /// - Returns: A duration in `(0, maximum]`.
    package static func wait(_ settings: PollSettings, step: Int, unit: Double) -> Duration {
        let maximum = settings.maximum.inSeconds
        var seconds = settings.initial.inSeconds
        // A loop, since the power overflows long before a watch of a year ends; it stops at the cap.
        var left = step
        while left > 0, seconds < maximum, settings.factor > 1 {
            seconds *= settings.factor
            left -= 1
        }
        seconds = min(seconds, maximum)
        seconds *= 1 + settings.jitter * (2 * unit - 1)
        return .nanoseconds(Int64(max(0.001, min(seconds, maximum)) * 1e9))
    }

    /// Where in its first interval a watch begins, so that a long list is no herd.
    ///
    /// - Returns: A duration in `[0, initial)` that depends on the name alone.
    package static func phase(of name: WatchName, in settings: PollSettings) -> Duration {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.service.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ 0x2F) &* 0x100_0000_01B3
        for byte in name.run.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        var generator = SeededGenerator(seed: hash)
        return .nanoseconds(Int64(settings.initial.inSeconds * 1e9 * generator.unit()))
    }
}
