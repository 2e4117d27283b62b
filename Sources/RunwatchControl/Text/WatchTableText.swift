package import RunwatchCore

/// `runwatchctl list`: a row a watch.
package struct WatchTableText {
    private var table = TextTable([
        .init("NAME"), .init("STATE"), .init("PROGRESS", isRightAligned: true), .init("SINCE"),
        .init("POLLED"), .init("NEXT POLL"), .init("LABEL"), .init("GROUP"), .init("LAST ERROR"),
    ])
    private let now: Timestamp

    package init(now: Timestamp) {
        self.now = now
    }

    package var isEmpty: Bool { table.isEmpty }

    /// Adds a watch; its row is made at once, so that a long list keeps no watches.
    package mutating func append(_ watch: WatchView) {
        let data = watch.data
        table.append([
            .init(watch.name.description), .init(data.state.name, data.state.paint),
            .init(data.progress.map { "\($0.done)/\($0.total)" }),
            .init(age(data.observedAt)), .init(age(watch.lastPollAt)),
            .init(watch.nextPollAt.map { AgeText.planned($0, now: now) } ?? "-"), .init(data.label),
            .init(data.group),
            // What is long is for `show`.
            .init(watch.lastError.map { TerminalText.shortened($0, to: 60) }, .yellow),
        ])
    }

    private func age(_ moment: Timestamp?) -> String {
        moment.map { AgeText.relative($0, now: now) } ?? "-"
    }

    package func text(_ style: TextStyle) -> String { table.text(style) }
}
