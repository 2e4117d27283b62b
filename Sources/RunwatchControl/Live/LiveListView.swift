import RunwatchCore
import RunwatchLinux

/// Draws a live list on a terminal: reads, follows and redraws until the program is interrupted.
///
/// One thread; the callbacks of the stream come one after the other.
final class LiveListView {
    /// Between two readings: what no event tells (progress, the next poll, a reload) is that old at most.
    private static let readInterval = Duration.seconds(2)
    /// The same when events came: their own news are shown at once.
    private static let readIntervalAfterEvent = Duration.seconds(1)
    /// Between two pictures: ages and the clock go on.
    private static let drawInterval = Duration.seconds(1)
    /// The same when something changed: below what an eye tells apart.
    private static let drawIntervalAfterChange = Duration.milliseconds(100)
    /// A daemon that takes longer for a page is shown as one that does not answer.
    private static let readLimit = Duration.seconds(3)

    /// Before any moment that the clock shows.
    private static let atOnce = Instant(nanoseconds: 0)

    private let session: ControlSession
    private let terminal: LiveTerminal
    private var machine: ListFollowMachine
    private var frame = TerminalFrame()
    private var size: TerminalSize

    private var isEntered = false
    private var hasChanged = true
    private var hadEvent = false
    private var readAt: Instant?
    private var drawnAt: Instant?
    private var awaySince: Instant?
    /// Since when readings fail, and how.
    private var failing: (since: Instant, text: String)?

    init(_ session: ControlSession, _ query: WatchQuery, _ terminal: LiveTerminal) {
        self.session = session
        self.terminal = terminal
        size = terminal.size()
        machine = ListFollowMachine(query: query, room: size.rows - LiveTableText.otherLines)
    }

    func run() throws(ControlFailure) -> ExitStatus {
        defer { if isEntered { terminal.leave() } }
        _ = try session.followThroughRestarts(
            machine.query.streamPath, deadline: nil, patience: nil,
            wake: { terminal.newsDescriptor() },
            onOpen: { () throws(ControlFailure) in try opened() },
            onMessage: { message in told(message) },
            onIdle: { (awaySince) throws(ControlFailure) in try idle(awaySince) })
        return .done
    }

    // MARK: What happens

    private func opened() throws(ControlFailure) -> Bool {
        awaySince = nil
        // The first reading may fail as any verb does: nothing is drawn yet.
        if isEntered { readAt = nil } else { try read() }
        return true
    }

    private func told(_ message: EventStreamParser.Message) -> Bool {
        // What is no JSON is no event of ours.
        guard let event = try? JSONValue(parsing: message.data), let change = WatchChange(event),
            change.concerns(machine.query)
        else { return true }
        machine.told(change)
        hasChanged = true
        hadEvent = true
        return true
    }

    /// - Returns: When there is something to do again.
    private func idle(_ awaySince: Instant?) throws(ControlFailure) -> Instant {
        // Before the first connection there is nothing to show.
        guard readAt != nil || isEntered else { return .distantFuture }
        enter()
        if awaySince != self.awaySince {
            self.awaySince = awaySince
            hasChanged = true
        }
        takeNews()
        if awaySince == nil, session.time.now() >= nextReading { try readOrNote() }
        if session.time.now() >= nextDrawing { try draw() }
        // The clock of the next second, at the latest.
        return awaySince == nil ? min(nextReading, nextDrawing) : nextDrawing
    }

    private var nextReading: Instant {
        guard let readAt else { return LiveListView.atOnce }
        return readAt.advanced(
            by: hadEvent ? LiveListView.readIntervalAfterEvent : LiveListView.readInterval)
    }

    private var nextDrawing: Instant {
        guard let drawnAt else { return LiveListView.atOnce }
        return drawnAt.advanced(
            by: hasChanged ? LiveListView.drawIntervalAfterChange : LiveListView.drawInterval)
    }

    private func enter() {
        guard !isEntered else { return }
        isEntered = true
        terminal.enter(TerminalFrame.entering, TerminalFrame.leaving)
    }

    private func takeNews() {
        let news = terminal.takeNews()
        guard news.isAny else { return }
        if news.wasStopped { frame.forget() }
        hasChanged = true
        drawnAt = nil
        let size = terminal.size()
        guard size != self.size else { return }
        self.size = size
        machine.resized(room: size.rows - LiveTableText.otherLines)
        readAt = nil
    }

    // MARK: Reading

    /// Reads; a daemon that cannot answer now is shown as such, and asked again.
    private func readOrNote() throws(ControlFailure) {
        do throws(ControlFailure) {
            try read()
            failing = nil
        } catch {
            guard error.exit == .noDaemon else { throw error }
            readAt = session.time.now()
            var text = error.problem?.detail ?? "the daemon does not answer"
            if text.hasSuffix(".") { text.removeLast() }
            failing = (failing?.since ?? session.time.now(), text)
        }
    }

    private func read() throws(ControlFailure) {
        hadEvent = false
        var page = machine.page(after: nil)
        while let wanted = page {
            let document = try session.client.document(
                ControlPath.query("/v1/watches", machine.parameters(of: wanted)),
                within: LiveListView.readLimit)
            let list: WatchListView = try session.client.view(document)
            machine.read(wanted, list.watches, counts: list.counts)
            page = machine.page(after: wanted)
        }
        readAt = session.time.now()
        hasChanged = true
    }

    // MARK: Drawing

    private func draw() throws(ControlFailure) {
        let now = session.time.now()
        var trouble: LiveTableText.Trouble?
        if let awaySince {
            trouble = .init("the daemon is away", lasts: awaySince.duration(to: now))
        } else if let failing {
            trouble = .init(failing.text, lasts: failing.since.duration(to: now))
        }
        let text = LiveTableText(
            machine.shown, trouble: trouble,
            emptyText: ControlSession.emptyText(machine.query))
        let lines = text.lines(size, now: session.time.wallClock(), style: session.style)
        guard terminal.write(frame.draw(lines, columns: size.columns)) else {
            throw ControlFailure(.interrupted, "the terminal cannot be written to any more")
        }
        drawnAt = now
        hasChanged = false
    }
}
