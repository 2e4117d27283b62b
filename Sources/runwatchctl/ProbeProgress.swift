import Glibc
import RunwatchLinux
import Synchronization

/// A line on standard error, for people who wait at a terminal, that goes when it is over.
final class ProbeProgress: Sendable {
    private let isShown = isatty(STDERR_FILENO) == 1
    private let answered = Mutex(0)

    init() {
        show("asking the services…")
    }

    /// One more service is done.
    func answered(of count: Int) {
        let done = answered.withLock { answered in
            answered += 1
            return answered
        }
        show("\(done) of \(count) services answered")
    }

    func end() {
        show("")
    }

    private func show(_ text: String) {
        guard isShown else { return }
        // To the line's beginning, and nothing of what stood there.
        _ = DescriptorWriter.write(Array("\r\u{1B}[K\(text)".utf8), to: STDERR_FILENO)
    }
}
