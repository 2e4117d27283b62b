import RunwatchControl
import RunwatchCore
import RunwatchPolling
import RunwatchStore

// How a watch is polled.
extension DaemonBackend {
    /// Adds to a watch what the poller knows of it alone.
    func explain(_ view: inout WatchView) async {
        if !view.isFinal, let explanation = await poller.explain(view.name) {
            let live = explanation.live
            DaemonBackend.add(live, to: &view)
            view.data.polls = max(view.data.polls, live.polls)
            view.lastPollAt = live.lastPollAt ?? view.lastPollAt
            view.lastError = live.lastError
            view.settings = WatchSettingsView(explanation.settings)
            view.prospects = explanation.prospects.map {
                ProspectView(what: $0.what.rawValue, at: $0.at, detail: $0.detail)
            }
        } else if let settings = await poller.settings(of: view.name) {
            view.settings = WatchSettingsView(settings)
        }
    }

    static func add(_ live: LiveWatch, to view: inout WatchView) {
        view.nextPollAt = live.nextPollAt
        view.nextPollReason = live.nextPollReason
        view.nextPoll = NextPollView(
            at: live.nextPoll.at, reason: live.nextPoll.reason.rawValue,
            detail: live.nextPoll.detail)
        view.lastPoll = live.lastPoll.map { poll in
            LastPollView(
                at: poll.at, outcome: poll.outcome, reason: poll.reason?.rawValue,
                status: poll.status, duration: poll.duration, isCommon: poll.isCommon,
                message: poll.message)
        }
    }

    /// Says why a watch that has not ended is not polled.
    /// - Parameter services: Those that are configured.
    static func addAbsence(to view: inout WatchView, services: Set<String>) {
        let (reason, detail) =
            if view.origin == nil {
                ("unlisted", "not watched any more")
            } else if services.contains(view.name.service) {
                ("ended", "it has ended, and that is on its way into the record")
            } else {
                ("unserved", "service '\(view.name.service)' is not configured")
            }
        view.nextPollReason = detail
        view.nextPoll = NextPollView(at: nil, reason: reason, detail: detail)
    }
}
