package import RunwatchCore
package import RunwatchLinux

/// `runwatchctl list --follow` on a terminal: a header, the table, and how many more there are.
package struct LiveTableText: Sendable {
    /// Why what is shown may be old.
    package struct Trouble: Sendable, Equatable {
        /// `the daemon is away`.
        package var text: String
        package var lasts: Duration

        package init(_ text: String, lasts: Duration) {
            self.text = text
            self.lasts = lasts
        }
    }

    package var shown: ListFollowMachine.Shown
    package var trouble: Trouble?
    /// What to say when there is no watch to show.
    package var emptyText: String

    package init(
        _ shown: ListFollowMachine.Shown, trouble: Trouble? = nil, emptyText: String
    ) {
        self.shown = shown
        self.trouble = trouble
        self.emptyText = emptyText
    }

    /// Lines that are not watches: the header and the titles.
    package static let otherLines = 2

    /// At most `size.rows` lines, each shorter than `size.columns`.
    package func lines(_ size: TerminalSize, now: Timestamp, style: TextStyle) -> [String] {
        // The last column stays free: a character there makes some terminals begin a new line.
        let width = max(1, size.columns - 1)
        // A name may have 200 characters; the state beside it says more than its end.
        var table = WatchTableText(now: now, nameWidth: max(16, width * 2 / 5))
        for watch in shown.watches { table.append(watch) }
        var lines = [header(width, now, style)] + table.lines(style, width: width)
        if shown.watches.isEmpty, shown.hidden == 0 {
            lines.append(TerminalText.shortened(emptyText, to: width))
        }
        if shown.hidden > 0 {
            var more = FittedLine(style, width: width)
            more.add("… and \(CountText.grouped(shown.hidden)) more", .dim)
            lines.append(more.text)
        }
        return Array(lines.prefix(max(1, size.rows)))
    }

    private func header(_ width: Int, _ now: Timestamp, _ style: TextStyle) -> String {
        var line = FittedLine(style, width: width)
        if let trouble {
            let text = "\(trouble.text) (\(AgeText.rough(trouble.lasts)))"
            line.add(TerminalText.escape(text), .red)
            line.add(" · ")
        }
        // hh:mm:ss of an RFC 3339 time.
        line.add(String(now.description.dropFirst(11).prefix(8)) + "Z", .dim)
        let total = shown.counts.values.reduce(0, +)
        line.add(" · ")
        line.add(CountText.grouped(total) + (total == 1 ? " watch" : " watches"), .bold)
        var separator = ": "
        for state in RunState.allCases {
            guard let count = shown.counts[state], count > 0 else { continue }
            line.add(separator)
            line.add("\(CountText.grouped(count)) \(state.name)", state.paint)
            separator = ", "
        }
        return line.text
    }
}
