import Glibc
import RunwatchCore

/// Sleeps in a program that has nothing else to do; never on a queue or in a task.
enum Pause {
    /// - Parameter descriptor: Ends the sleep when it can be read; -1 for none.
    static func wait(_ duration: Duration, orUntilReadable descriptor: Int32 = -1) {
        // Rounded up, so that who asks for a moment does not ask again and again. A sleep that a signal cuts
        // short only makes the next try come sooner.
        let milliseconds = max(0, min(duration.wholeMilliseconds, 3_600_000)) + 1
        // poll(2) leaves out a descriptor below zero.
        var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        poll(&wanted, 1, Int32(milliseconds))
    }
}
