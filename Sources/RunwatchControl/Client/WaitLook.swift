import RunwatchCore

/// Looks now and then whether the watches of a wait are still watched.
///
/// No event tells that one was removed or has left its list; without a word the wait would just never end.
final class WaitLook {
    private static let limit = Duration.seconds(10)

    private let session: ControlSession
    private let progress: WaitProgress?
    private var lookedAt: Instant
    private var told: Set<WatchName> = []

    init(_ session: ControlSession, _ progress: WaitProgress?) {
        self.session = session
        self.progress = progress
        lookedAt = session.time.now()
    }

    /// Tells once that a watch is polled no more.
    func tell(_ watch: WatchView) {
        guard !watch.isFinal, watch.origin == nil, watch.nextPollAt == nil,
            told.insert(watch.name).inserted
        else { return }
        progress?.erase()
        session.output.warn(
            TerminalText.escape(
                "\(watch.name) has left the watch list, or was removed, and is polled no more"))
    }

    /// Looks when it is time to.
    /// - Parameter pending: The first hundred are looked at.
    /// - Returns: When to be called again.
    /// - Throws: When there is no such watch any more.
    func idle(_ pending: [WatchName], isAway: Bool) throws(ControlFailure) -> Instant {
        let now = session.time.now()
        guard lookedAt.duration(to: now) >= session.lookInterval else {
            return lookedAt.advanced(by: session.lookInterval)
        }
        lookedAt = now
        if !isAway {
            let known = pending.prefix(WaitMachine.mostNamed).filter { !told.contains($0) }
            for name in absent(known) { try look(at: name) }
        }
        return lookedAt.advanced(by: session.lookInterval)
    }

    /// Those that the list of what is watched does not have; none when it cannot be read.
    private func absent(_ names: [WatchName]) -> [WatchName] {
        let path = ControlPath.query(
            "/v1/watches",
            [("limit", String(names.count))] + names.map { ("name", $0.description) })
        // The stream tells when the daemon is away; the next look is as good.
        guard !names.isEmpty, let document = try? client.document(path, within: WaitLook.limit),
            let list = try? client.view(document, as: WatchListView.self)
        else { return [] }
        let listed = Set(list.watches.filter { $0.origin != nil }.map(\.name))
        return names.filter { !listed.contains($0) }
    }

    private func look(at name: WatchName) throws(ControlFailure) {
        do throws(ControlFailure) {
            let document = try client.document(ControlPath.watch(name), within: WaitLook.limit)
            tell(try client.view(document))
        } catch {
            guard error.exit == .noDaemon else { throw error }
        }
    }

    /// A connection of its own: the stream's is busy.
    private var client: ControlClient {
        ControlClient(socket: session.client.socket, time: session.time)
    }
}
