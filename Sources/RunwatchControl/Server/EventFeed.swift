package import RunwatchCore

/// The events of one open stream, as Server-Sent Events: each once, in the order of their numbers.
///
/// What happens now comes from the hub; what was recorded before, or is missing there because the reader
/// is slow, from the database. The reader pulls: a chunk is made when the one before was taken, so that a
/// slow reader holds one chunk and delays nobody.
package actor EventFeed {
    /// Where a stream begins.
    package enum Start: Hashable, Sendable {
        /// With what happens from now on.
        case now
        /// After the event of that number.
        case after(Int64)
        /// With the recorded events from that moment on.
        case since(Timestamp)
    }

    /// The most events of one chunk.
    static let pageSize = 100
    /// A chunk with so many bytes gets no further event: what a reader that stands still holds is this and
    /// one event more.
    ///
    /// A page of usual events; a thousand readers hold 64 MiB.
    package static let chunkBytes = 64 << 10

    private let backend: any ControlBackend
    private let query: EventQuery
    private let heartbeat: Duration
    private let hub: EventHub
    private var follower: Int?

    /// All events up to this number are given, or not wanted.
    private var after: Int64 = 0
    /// The last number that the reader was told, from which it would resume.
    private var told: Int64 = 0
    /// Set until the events recorded before the stream was opened are read.
    private var since: Timestamp?
    /// The last event that was recorded when the stream was opened.
    private var lastAtOpen: Int64 = 0
    /// There may be events above `after` that the hub does not have.
    private var mustRead = false

    private var wasOpeningSent = false
    private var beatsAt = ContinuousClock.now
    private var clock: Task<Void, Never>?
    private var isCancelled = false

    package init(
        backend: any ControlBackend, query: EventQuery = .all, heartbeat: Duration
    ) {
        self.backend = backend
        self.query = query
        self.heartbeat = heartbeat
        hub = backend.eventHub
    }

    deinit {
        clock?.cancel()
        if let follower { hub.unfollow(follower) }
    }

    /// Subscribes, then settles where the stream begins: what is committed later is in it for sure.
    package func open(from start: Start) async throws(Problem) {
        follower = hub.follow(query)
        lastAtOpen = try await backend.lastEventNumber()
        switch start {
        case .now: after = lastAtOpen
        case .after(let number):
            // A number from before the database was replaced would hide all that happens now.
            after = min(number, lastAtOpen)
            mustRead = true
        case .since(let moment):
            since = moment
            mustRead = true
        }
    }

    /// The stream's chunks, for one reader; ends when the daemon stops, or the database fails.
    package nonisolated var chunks: AsyncStream<[UInt8]> {
        AsyncStream(unfolding: { await self.next() }, onCancel: { Task { await self.cancel() } })
    }

    /// Waits for the next chunk.
    ///
    /// - Returns: `nil` at the end.
    package func next() async -> [UInt8]? {
        guard let follower else { return nil }
        let chunk = await chunk(for: follower)
        beatsAt = .now.advanced(by: heartbeat)
        if chunk == nil { cancel() }
        return chunk
    }

    package func cancel() {
        isCancelled = true
        clock?.cancel()
        guard let follower else { return }
        self.follower = nil
        hub.unfollow(follower)
    }

    // MARK: What goes out

    private func chunk(for follower: Int) async -> [UInt8]? {
        guard wasOpeningSent else { return opening() }
        while !isCancelled {
            if mustRead {
                guard let events = await read() else { return nil }
                if !events.isEmpty { return text(of: events) }
                continue
            }
            switch hub.take(
                follower, after: after, limit: EventFeed.pageSize, bytes: EventFeed.chunkBytes)
            {
            case .events(let events, let through):
                after = through
                return text(of: events)
            case .nothing(let through): after = max(after, through)
            case .behind:
                mustRead = true
                continue
            case .ended: return nil
            }
            guard ContinuousClock.now < beatsAt else { return beat() }
            await sleep(follower)
        }
        return nil
    }

    /// A page of recorded events; `nil` when the database fails, and the reader has to come back.
    private func read() async -> [EventView]? {
        mustRead = false
        var page: EventPage
        do throws(Problem) {
            page = try await backend.events(
                query, after: after, since: since, limit: EventFeed.pageSize)
        } catch {
            return nil
        }
        EventFeed.shorten(&page)
        mustRead = !page.isLast
        guard since != nil, page.through >= lastAtOpen else {
            after = max(after, page.through)
            return page.events
        }
        // What was recorded since the stream was opened is new, whatever its time says.
        since = nil
        after = lastAtOpen
        mustRead = mustRead || page.through > lastAtOpen
        return page.events.filter { $0.number <= lastAtOpen }
    }

    /// Leaves what is too long for a chunk to the next read.
    private static func shorten(_ page: inout EventPage) {
        var bytes = 0
        let end = page.events.firstIndex { event in
            bytes += event.json.count
            return bytes >= chunkBytes
        }
        guard let end, end + 1 < page.events.count else { return }
        page = EventPage(
            Array(page.events[...end]), through: page.events[end].number, isLast: false)
    }

    /// Tells the reader at once that the stream is open, and where it may resume.
    private func opening() -> [UInt8] {
        wasOpeningSent = true
        guard since == nil else { return Array("retry: 1000\n\n".utf8) }
        told = after
        return Array("retry: 1000\nid: \(after)\n\n".utf8)
    }

    /// Says that the stream lives, and where to resume once events went by that are not wanted.
    ///
    /// An `id` without `data` sets the last event ID, and is no event (WHATWG HTML, section 9.2.6).
    private func beat() -> [UInt8] {
        // Should a live event ever be lost unseen, it is found now.
        mustRead = true
        guard after > told else { return Array(": alive\n\n".utf8) }
        told = after
        return Array(": alive\nid: \(after)\n\n".utf8)
    }

    private func text(of events: [EventView]) -> [UInt8] {
        if let last = events.last { told = last.number }
        return events.flatMap {
            StreamEvent.text(number: $0.number, type: $0.type, json: $0.json)
        }
    }

    private func text(of events: [StreamEvent]) -> [UInt8] {
        if let last = events.last { told = last.number }
        // One event is what it nearly always is: its text is everybody's, and not copied.
        return events.count == 1 ? events[0].text : events.flatMap(\.text)
    }

    /// Returns when there is something to take, at the next heartbeat, or when the reader is gone.
    private func sleep(_ follower: Int) async {
        if clock == nil { startClock(follower) }
        await hub.wait(follower)
    }

    /// Wakes the follower whenever it has been silent for long.
    ///
    /// One task for the feed's life, not one for each wait: a sleep that is cancelled holds its memory until
    /// its time has come, and that would be as much as there are events in a heartbeat.
    private func startClock(_ follower: Int) {
        clock = Task { [weak self, hub, heartbeat, beatsAt] in
            var due = beatsAt
            // Cancelled at the feed's end.
            while (try? await Task.sleep(until: due, clock: .continuous)) != nil {
                guard let next = await self?.beatsAt else { return }
                let now = ContinuousClock.now
                if next <= now { hub.wake(follower) }
                due = next > now ? next : now.advanced(by: heartbeat)
            }
        }
    }
}
