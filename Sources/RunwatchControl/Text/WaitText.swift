package import RunwatchCore

/// `runwatchctl wait`: a line for each run that ended, and a word about how the wait did.
package enum WaitText {
    /// `warehouse/12  complete  after 12m`.
    package static func line(_ watch: WatchView, style: TextStyle) -> String {
        let data = watch.data
        var text =
            TerminalText.escape(watch.name.description) + "  "
            + style.paint(data.state.name, data.state.paint)
        if let observedAt = data.observedAt {
            text += "  after \(DurationText.glance(data.watchedSince.duration(to: observedAt)))"
        }
        if !data.message.isEmpty {
            text += "  (\(TerminalText.escape(TerminalText.shortened(data.message, to: 200))))"
        }
        return text
    }

    package static func unsuccessful(_ watches: [WatchView], of total: Int) -> String {
        let names = some(watches.map { "\($0.name) (\($0.data.state.name))" })
        return "\(watches.count) of \(CountText.count(total, "run")) did not complete: \(names)"
    }

    package static func timedOut(after timeout: Duration, pending: [WatchName]) -> String {
        "not final after \(DurationText.format(timeout)): "
            + some(pending.map(\.description))
    }

    /// The first ten; a thousand names help nobody.
    private static func some(_ names: [String]) -> String {
        let shown = names.prefix(10).map(TerminalText.escape).joined(separator: ", ")
        return names.count > 10 ? "\(shown) and \(names.count - 10) more" : shown
    }
}
