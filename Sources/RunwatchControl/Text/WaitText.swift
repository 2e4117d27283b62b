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

    /// `3 of 8 final · 2 running · 3 pending · 1m12s elapsed · next poll in 4s`.
    /// - Parameters:
    ///   - elapsed: Since the wait began.
    ///   - away: For how long the daemon has been away; `nil` when it is there.
    package static func progress(
        _ machine: WaitMachine, elapsed: Duration, away: Duration?, now: Timestamp
    ) -> String {
        let pending = machine.pending.compactMap { machine.seen[$0] }
        let final = machine.names.count - machine.pending.count
        var parts = away.map { ["the daemon is away (\(AgeText.rough($0)))"] } ?? []
        parts.append(
            "\(CountText.grouped(final)) of \(CountText.grouped(machine.names.count)) final")
        let counts = pending.reduce(into: [:]) { $0[$1.data.state, default: 0] += 1 }
        for state in RunState.allCases.reversed() where !state.isFinal {
            guard let count = counts[state] else { continue }
            parts.append("\(CountText.grouped(count)) \(state.name)")
        }
        if machine.names.count == 1, let progress = pending.first?.data.progress {
            parts.append("\(progress.done) of \(progress.total) done")
        }
        let seconds = Duration.seconds(elapsed.wholeMilliseconds / 1000)
        parts.append("\(seconds == .zero ? "0s" : DurationText.glance(seconds)) elapsed")
        if away == nil, let next = pending.compactMap(\.nextPollAt).min() {
            parts.append("next poll \(AgeText.planned(next, now: now))")
        }
        return parts.joined(separator: " · ")
    }

    package static func unsuccessful(_ watches: [WatchView], of total: Int) -> String {
        if total == 1, let watch = watches.first {
            return TerminalText.escape("\(watch.name) did not complete: \(watch.data.state.name)")
        }
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
