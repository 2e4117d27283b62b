package import RunwatchCore

/// `runwatchctl list`: a row a watch.
package struct WatchTableText {
    private var table = TextTable([
        .init("NAME"), .init("STATE"), .init("PROGRESS", isRightAligned: true), .init("SINCE"),
        .init("POLLED"), .init("NEXT POLL"), .init("LABEL"), .init("GROUP"), .init("LAST ERROR"),
    ])
    private let now: Timestamp
    private let nameWidth: Int

    /// - Parameter nameWidth: The most columns of a name; what is longer is cut off.
    package init(now: Timestamp, nameWidth: Int = .max) {
        self.now = now
        self.nameWidth = nameWidth
    }

    package var isEmpty: Bool { table.isEmpty }

    /// Adds a watch; its row is made at once, so that a long list keeps no watches.
    package mutating func append(_ watch: WatchView) {
        let data = watch.data
        table.append([
            .init(name(watch)), .init(data.state.name, data.state.paint),
            .init(data.progress.map { "\($0.done)/\($0.total)" }),
            .init(age(data.observedAt)), .init(age(watch.lastPollAt)),
            .init(next(watch), isAsleep(watch) ? .yellow : .plain), .init(data.label),
            .init(data.group),
            // What is long is for `show`.
            .init(watch.lastError.map { TerminalText.shortened($0, to: 60) }, .yellow),
        ])
    }

    private func name(_ watch: WatchView) -> String {
        guard nameWidth < .max else { return watch.name.description }
        return TerminalText.shortened(
            TerminalText.escape(watch.name.description), to: nameWidth)
    }

    /// When it is asked next, or why it is not; `show` has the whole reason.
    private func next(_ watch: WatchView) -> String {
        if let moment = watch.nextPollAt { return AgeText.planned(moment, now: now) }
        guard !watch.isFinal else { return "-" }
        return switch watch.nextPoll?.reason {
        case "in_flight": "being asked"
        case "unlisted": "not listed"
        case "unserved": "no service"
        case "pipeline": "no pipeline"
        case "ended": "has ended"
        case "stopping": "stopping"
        default: "-"
        }
    }

    /// Nobody asks any more, though the run has not ended.
    private func isAsleep(_ watch: WatchView) -> Bool {
        guard !watch.isFinal, watch.nextPollAt == nil else { return false }
        return ["unlisted", "unserved", "pipeline"].contains(watch.nextPoll?.reason)
    }

    private func age(_ moment: Timestamp?) -> String {
        moment.map { AgeText.relative($0, now: now) } ?? "-"
    }

    package func text(_ style: TextStyle) -> String { table.text(style) }

    /// - Parameter width: Where lines are cut off, in columns.
    package func lines(_ style: TextStyle, width: Int) -> [String] {
        table.lines(style, width: width)
    }
}
