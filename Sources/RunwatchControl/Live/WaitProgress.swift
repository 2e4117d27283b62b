import RunwatchCore
import RunwatchLinux

/// The line on a terminal that says how a wait stands; erased before anything else is written there.
final class WaitProgress {
    /// Between two readings of when the watches are polled next.
    private static let readInterval = Duration.seconds(2)
    private static let drawInterval = Duration.seconds(1)
    private static let readLimit = Duration.seconds(3)

    private let session: ControlSession
    private let terminal: LiveTerminal
    private let startedAt: Instant
    private var isEntered = false
    private var isDrawn = false
    private var readAt: Instant?
    private var drawnAt: Instant?
    /// What was drawn last, to be drawn again only when it differs.
    private var drawn = ""

    init?(_ session: ControlSession) {
        guard let terminal = session.progress else { return nil }
        self.session = session
        self.terminal = terminal
        startedAt = session.time.now()
    }

    /// Brings the line up to date.
    /// - Returns: When to do so again.
    func idle(_ machine: inout WaitMachine, _ awaySince: Instant?) -> Instant {
        // Before the watches are known there is nothing to say.
        guard !machine.seen.isEmpty else { return .distantFuture }
        if !isEntered {
            isEntered = true
            terminal.enter([], ProgressLine.erased)
            // They have just been asked for.
            readAt = session.time.now()
        }
        if terminal.takeNews().isAny { drawn = "" }
        read(&machine, awaySince)
        let now = session.time.now()
        let text = WaitText.progress(
            machine, elapsed: startedAt.duration(to: now),
            away: awaySince.map { $0.duration(to: now) }, now: session.time.wallClock())
        if !isDrawn || text != drawn {
            _ = terminal.write(ProgressLine.draw(text, columns: terminal.size().columns))
            isDrawn = true
            drawn = text
        }
        return now.advanced(by: WaitProgress.drawInterval)
    }

    /// Makes room for a line of something else.
    func erase() {
        guard isDrawn else { return }
        isDrawn = false
        _ = terminal.write(ProgressLine.erased)
    }

    func end() {
        erase()
        if isEntered { terminal.leave() }
    }

    /// Asks when the watches are polled next; an answer that does not come leaves the line as it is.
    private func read(_ machine: inout WaitMachine, _ awaySince: Instant?) {
        let now = session.time.now()
        guard awaySince == nil, let last = readAt,
            last.duration(to: now) >= WaitProgress.readInterval
        else { return }
        readAt = now
        let names = machine.pending.prefix(WaitMachine.mostNamed)
        guard !names.isEmpty else { return }
        let path = ControlPath.query(
            "/v1/watches",
            [("limit", String(names.count))] + names.map { ("name", $0.description) })
        // The stream tells when the daemon is away; this is for the look alone.
        guard let document = try? session.client.document(path, within: WaitProgress.readLimit),
            let list = try? session.client.view(document, as: WatchListView.self)
        else { return }
        for watch in list.watches { machine.read(watch) }
    }
}
