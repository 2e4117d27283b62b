package import RunwatchCore

/// The events of one open stream, as Server-Sent Events: each once, in the order of their numbers.
///
/// What comes in live is held in a small buffer. Whenever the numbers show a gap, or the buffer ran over
/// because its reader is slow, the database gives what is missing. The reader pulls: a chunk is made
/// when the one before was taken, so that a slow reader costs one buffer and delays nobody.
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

    /// Enough for the burst of one large commit; beyond it the database is read.
    static let bufferSize = 1000
    /// Also the most events of one chunk: what a reader that stands still holds.
    static let pageSize = 100

    private let backend: any ControlBackend
    private let heartbeat: Duration

    /// The number of the last event that the reader has got, or does not want.
    private var after: Int64 = 0
    /// Set until the events recorded before the stream was opened are read.
    private var since: Timestamp?
    /// The last event that was recorded when the stream was opened.
    private var lastAtOpen: Int64 = 0
    /// There may be events above `after` that are not in the buffer.
    private var mustRead = false
    /// The live event before which a gap was found and looked into.
    private var lookedBefore: Int64 = 0
    private var buffer: [EventView] = []

    private var live: Task<Void, Never>?
    /// The live stream brought something; one that ends at once is not opened again.
    private var liveBrought = false
    private var wasOpeningSent = false
    private var isHeartbeatDue = false
    private var isCancelled = false
    private var sleeper: CheckedContinuation<Void, Never>?

    package init(backend: any ControlBackend, heartbeat: Duration) {
        self.backend = backend
        self.heartbeat = heartbeat
    }

    deinit {
        live?.cancel()
    }

    /// Subscribes, then settles where the stream begins: what is committed later is in it for sure.
    package func open(from start: Start) async throws(Problem) {
        await subscribe()
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
        if !wasOpeningSent {
            wasOpeningSent = true
            return opening()
        }
        while !isCancelled {
            if live == nil {
                guard liveBrought else { break }
                await subscribe()
                mustRead = true
            }
            if mustRead {
                guard let page = await read() else { break }
                if !page.isEmpty { return EventFeed.text(of: page) }
                continue
            }
            let ready = takeReady()
            if !ready.isEmpty { return EventFeed.text(of: ready) }
            if mustRead { continue }
            if isHeartbeatDue {
                isHeartbeatDue = false
                // Should a live event ever be lost unseen, it is found now.
                mustRead = true
                return Array(": alive\n\n".utf8)
            }
            await sleep()
        }
        live?.cancel()
        return nil
    }

    package func cancel() {
        isCancelled = true
        live?.cancel()
        wake()
    }

    // MARK: What comes in

    private func subscribe() async {
        let events = await backend.liveEvents()
        liveBrought = false
        live = Task { [weak self] in
            for await event in events {
                guard let self else { return }
                await self.offer(event)
            }
            await self?.liveEnded()
        }
    }

    private func offer(_ event: EventView) {
        liveBrought = true
        if buffer.count >= EventFeed.bufferSize {
            buffer.removeAll()
            mustRead = true
        } else {
            buffer.append(event)
        }
        wake()
    }

    private func liveEnded() {
        live = nil
        wake()
    }

    // MARK: What goes out

    /// A page of recorded events; `nil` when the database fails, and the reader has to come back.
    private func read() async -> [EventView]? {
        // Before the await: what runs over meanwhile asks for another look.
        mustRead = false
        let page: [EventView]
        do throws(Problem) {
            page = try await backend.events(
                after: after, since: since, limit: EventFeed.pageSize)
        } catch {
            return nil
        }
        if let last = page.last { after = max(after, last.number) }
        if page.count < EventFeed.pageSize {
            after = max(after, lastAtOpen)
            since = nil
        } else {
            mustRead = true
        }
        return page
    }

    /// The buffer's events up to the next gap in the numbers.
    private func takeReady() -> [EventView] {
        buffer.removeAll { $0.number <= after }
        guard let first = buffer.first else { return [] }
        if first.number != after + 1, lookedBefore != first.number {
            lookedBefore = first.number
            mustRead = true
            return []
        }
        var ready: [EventView] = []
        after = first.number - 1
        while ready.count < min(buffer.count, EventFeed.pageSize),
            buffer[ready.count].number == after + 1
        {
            after += 1
            ready.append(buffer[ready.count])
        }
        buffer.removeFirst(ready.count)
        return ready
    }

    /// Tells the reader at once that the stream is open, and where it may resume.
    private func opening() -> [UInt8] {
        Array((since == nil ? "retry: 1000\nid: \(after)\n\n" : "retry: 1000\n\n").utf8)
    }

    private static func text(of events: [EventView]) -> [UInt8] {
        var text: [UInt8] = []
        for event in events {
            text.append(contentsOf: "id: \(event.number)\n".utf8)
            if let type = event.type { text.append(contentsOf: "event: \(type)\n".utf8) }
            // An event is one line; should a detail ever hold a line break, it stays one event.
            for line in event.json.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
                text.append(contentsOf: "data: ".utf8)
                text.append(contentsOf: line)
                text.append(0x0A)
            }
            text.append(0x0A)
        }
        return text
    }

    // MARK: Waiting

    /// Returns when something came in, at the next heartbeat, or when the reader is gone.
    private func sleep() async {
        let timer = Task { [weak self, heartbeat] in
            // Cancelled when something came in first; then there is nothing to say.
            guard (try? await Task.sleep(for: heartbeat)) != nil else { return }
            await self?.beat()
        }
        await withCheckedContinuation { sleeper = $0 }
        timer.cancel()
    }

    private func beat() {
        isHeartbeatDue = true
        wake()
    }

    private func wake() {
        sleeper?.resume()
        sleeper = nil
    }
}
