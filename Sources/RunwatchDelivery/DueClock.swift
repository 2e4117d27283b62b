import RunwatchCore

/// The wall clock as deliveries are due by: it never goes back while the process lives.
///
/// When a delivery is due stands in the database, in wall-clock time. Were someone to set the clock back
/// by an hour, everything owed would wait an hour longer; so this one goes on as if nothing had happened.
/// A step forwards is followed: at worst an attempt is made early.
struct DueClock {
    private let time: any TimeSource
    /// The wall clock's lead over the clock that no one can set, in milliseconds; only grows.
    private var lead = Int64.min

    init(_ time: any TimeSource) {
        self.time = time
    }

    mutating func now() -> Timestamp {
        let elapsed = time.now().nanoseconds / 1_000_000
        lead = max(lead, time.wallClock().milliseconds.subtractingSaturating(elapsed))
        return Timestamp(milliseconds: elapsed.addingSaturating(lead))
    }
}
