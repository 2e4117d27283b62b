import RunwatchCore

/// What `show` says in its first line: how the run is, and whether something keeps that from being known.
enum WatchHeadlineText {
    static func text(_ watch: WatchView, _ now: Timestamp, _ style: TextStyle) -> String {
        let data = watch.data
        let name = style.paint(TerminalText.escape(watch.name.description), .bold)
        let state = style.paint(data.state.name, data.state.paint)
        if watch.isFinal { return "\(name) is \(state)\(ended(data, now))" }
        guard watch.origin != nil, watch.nextPoll?.reason != "unlisted" else {
            return "\(name) is watched no more; it was \(state) when it left the watch list"
        }
        var text: String
        if let observedAt = data.observedAt {
            text = "\(name) has been \(state) for \(AgeText.rough(observedAt.duration(to: now)))"
        } else {
            text = "\(name) has not been seen yet"
        }
        if let lastPollAt = watch.lastPollAt {
            text += "; last asked \(AgeText.relative(lastPollAt, now: now))"
        }
        return text + obstacle(watch, now, style)
    }

    private static func ended(_ data: RunEventData, _ now: Timestamp) -> String {
        guard let observedAt = data.observedAt else { return "" }
        let watched = DurationText.glance(data.watchedSince.duration(to: observedAt))
        return "; it ended \(AgeText.relative(observedAt, now: now)), after \(watched) of watching"
    }

    /// Why it is not asked by its own plan; when it is, for the others.
    private static func obstacle(
        _ watch: WatchView, _ now: Timestamp, _ style: TextStyle
    ) -> String {
        let again = watch.nextPollAt.map { ", asked again \(AgeText.planned($0, now: now))" } ?? ""
        func warning(_ words: String) -> String { "; " + style.paint(words, .yellow) }
        switch watch.nextPoll?.reason {
        case "service", "probe": return warning("its service does not answer") + again
        case "credentials": return warning("its service refuses the credentials") + again
        case "retry_after": return warning("its service asked to be left alone") + again
        case "rate", "concurrency": return warning("it is late by the service's limits")
        case "database": return warning("it is late, for the disk does not keep up")
        case "unserved": return warning("its service is not configured, and nobody asks")
        case "pipeline": return warning("it has no pipeline, and nobody asks")
        case "ended": return "; it has ended, and that is on its way into the record"
        case "in_flight": return ", and not answered yet"
        case "stopping": return warning("the daemon is stopping")
        default: break
        }
        let next = watch.nextPollAt.map { "; next \(AgeText.planned($0, now: now))" } ?? ""
        switch watch.lastPoll?.outcome {
        case "failed", "refused": return ", " + style.paint("in vain", .yellow) + next
        case "not_found": return ", " + style.paint("and not found", .yellow) + next
        default: return next
        }
    }
}
