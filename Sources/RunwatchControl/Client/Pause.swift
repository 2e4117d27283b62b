import Glibc

/// Sleeps in a program that has nothing else to do; never on a queue or in a task.
enum Pause {
    static func wait(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        // A sleep that a signal cuts short only makes the next try come sooner.
        var wanted = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        nanosleep(&wanted, nil)
    }
}
