import RunwatchControl
import RunwatchCore
import RunwatchHTTP
import RunwatchLinux
import TestSupport
import Testing

@Suite struct EventFeedTests {
    /// Never in these tests, but where a test asks for a shorter one.
    private static let quiet = Duration.seconds(3600)

    private func feed(
        _ backend: FakeBackend, _ start: EventFeed.Start, heartbeat: Duration = quiet
    ) async throws -> EventFeed {
        let feed = EventFeed(backend: backend, heartbeat: heartbeat)
        try await feed.open(from: start)
        return feed
    }

    /// Reads until so many events came; gives their numbers.
    private func numbers(_ feed: EventFeed, _ count: Int) async -> [Int64] {
        var parser = EventStreamParser()
        var numbers: [Int64] = []
        while numbers.count < count, let chunk = await feed.next() {
            numbers += parser.take(chunk).compactMap { $0.id.flatMap { Int64($0) } }
        }
        return numbers
    }

    private func text(_ feed: EventFeed) async -> String? {
        await feed.next().map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `a stream opens with where it may be resumed`() async throws {
        let feed = try await feed(FakeBackend(events: 3), .now)
        #expect(await text(feed) == "retry: 1000\nid: 3\n\n")
    }

    @Test func `an event is its number, its type and itself`() async throws {
        let backend = FakeBackend()
        let feed = try await feed(backend, .now)
        backend.commit(Array(#"{"type":"run.lost","data":{}}"#.utf8))
        _ = await feed.next()
        #expect(
            await text(feed)
                == "id: 1\nevent: run.lost\ndata: {\"type\":\"run.lost\",\"data\":{}}\n\n")
    }

    @Test func `a line break in an event stays within its event`() async throws {
        let backend = FakeBackend()
        let feed = try await feed(backend, .now)
        backend.commit(Array("{\"type\":\"run.lost\",\r\n\"data\":{}}".utf8))
        _ = await feed.next()
        let chunk = try #require(await feed.next())
        var parser = EventStreamParser()
        let message = try #require(parser.take(chunk).first)
        let value = try JSONValue(parsing: message.data)
        #expect(value["type"] == .string("run.lost"))
    }

    @Test func `a stream from now on has only what comes`() async throws {
        let backend = FakeBackend(events: 3)
        let feed = try await feed(backend, .now)
        backend.commit()
        backend.commit()
        #expect(await numbers(feed, 2) == [4, 5])
    }

    @Test func `a stream after a number has what is recorded, then what comes`() async throws {
        let backend = FakeBackend(events: 3)
        let feed = try await feed(backend, .after(1))
        backend.commit()
        #expect(await numbers(feed, 3) == [2, 3, 4])
        backend.commit()
        #expect(await numbers(feed, 1) == [5])
    }

    @Test func `a stream since a moment has what is recorded since, then what comes`()
        async throws
    {
        let backend = FakeBackend(events: 5)
        let feed = try await feed(backend, .since(Samples.noon.advanced(by: .seconds(4))))
        #expect(await text(feed) == "retry: 1000\n\n")
        #expect(await numbers(feed, 2) == [4, 5])
        // Older than the moment by its time, but new: it is told all the same.
        backend.commit(Array(#"{"timestamp":"2020-01-01T00:00:00.000Z"}"#.utf8))
        #expect(await numbers(feed, 1) == [6])
    }

    @Test func `a stream since a moment after all events has only what comes`() async throws {
        let backend = FakeBackend(events: 5)
        let feed = try await feed(backend, .since(Samples.noon.advanced(by: .seconds(100))))
        backend.commit()
        #expect(await numbers(feed, 1) == [6])
    }

    @Test func `what is committed between the pages of history comes once, in its place`()
        async throws
    {
        let backend = FakeBackend(events: 1234)
        let feed = try await feed(backend, .after(0))
        backend.edit { $0.beforeRead = { for _ in 0..<50 { backend.commit() } } }
        let seen = await numbers(feed, 1284)
        #expect(seen == Array(1...1284))
        backend.commit()
        #expect(await numbers(feed, 1) == [1285])
    }

    @Test func `what is committed while the stream opens is not lost`() async throws {
        let backend = FakeBackend(events: 2)
        // Between the subscription and the first read, where a naive stream has its gap.
        let feed = try await feed(backend, .after(2))
        backend.edit { $0.beforeRead = { backend.commit() } }
        backend.commit()
        #expect(await numbers(feed, 2) == [3, 4])
    }

    @Test func `a gap in the live numbers is filled from the database`() async throws {
        let backend = FakeBackend()
        let feed = try await feed(backend, .now)
        backend.edit { $0.losesLive = true }
        for _ in 0..<5 { backend.commit() }
        backend.edit { $0.losesLive = false }
        backend.commit()
        #expect(await numbers(feed, 6) == Array(1...6))
    }

    @Test func `a live event whose number leaps is told once, when nothing is in between`()
        async throws
    {
        let backend = FakeBackend(events: 1)
        let feed = try await feed(backend, .now)
        backend.edit { state in
            let event = Samples.event(9)
            state.events.append(event)
            for stream in state.live.values { stream.yield(event) }
        }
        backend.commit()
        #expect(await numbers(feed, 2) == [9, 10])
    }

    @Test func `a live stream that ended is taken up again without gap or double`() async throws {
        let backend = FakeBackend()
        let feed = try await feed(backend, .now)
        backend.commit()
        #expect(await numbers(feed, 1) == [1])
        backend.endLive()
        backend.commit()
        backend.commit()
        #expect(await numbers(feed, 2) == [2, 3])
        backend.commit()
        #expect(await numbers(feed, 1) == [4])
        #expect(backend.edit { $0.subscriptions } == 2)
    }

    @Test func `a stream ends when the live stream ends for good`() async throws {
        let backend = FakeBackend()
        let feed = try await feed(backend, .now)
        _ = await feed.next()
        backend.endLive()
        #expect(await feed.next() == nil)
    }

    @Test func `a slow reader gets all, however far it falls behind`() async throws {
        let backend = FakeBackend()
        let feed = try await feed(backend, .now)
        for _ in 0..<5000 { backend.commit() }
        #expect(await numbers(feed, 5000) == Array(1...5000))
    }

    @Test func `a quiet stream says that it lives, and looks for what it missed`() async throws {
        let backend = FakeBackend()
        let feed = try await feed(backend, .now, heartbeat: .milliseconds(20))
        _ = await feed.next()
        #expect(await text(feed) == ": alive\n\n")
        backend.edit { $0.losesLive = true }
        backend.commit()
        #expect(await numbers(feed, 1) == [1])
    }

    @Test func `a number from another database does not hide what happens`() async throws {
        let backend = FakeBackend(events: 2)
        let feed = try await feed(backend, .after(1_000_000))
        backend.commit()
        #expect(await numbers(feed, 1) == [3])
    }

    @Test func `a database that fails ends the stream`() async throws {
        let backend = FakeBackend(events: 2)
        let feed = try await feed(backend, .after(0))
        backend.edit { $0.failure = Problem(.unavailable, "busy") }
        _ = await feed.next()
        #expect(await feed.next() == nil)
    }

    @Test(.timeLimit(.minutes(1)))
    func `a reader that goes away ends the stream`() async throws {
        let feed = try await feed(FakeBackend(), .now)
        let reader = Task {
            var count = 0
            for await _ in feed.chunks {
                count += 1
            }
            return count
        }
        reader.cancel()
        #expect(await reader.value <= 1)
    }

    @Test func `the route resumes by Last-Event-ID before the parameters`() async throws {
        let server = ControlServer(
            backend: FakeBackend(events: 9), rights: ControlRights(ownUser: 0, adminGroup: nil),
            time: ManualTime())
        let response = await server.respond(
            to: HTTPServerRequest(
                method: "GET", rawPath: "/v1/events/stream",
                query: [(name: "since", value: "1h"), (name: "after", value: "2")],
                headers: [(name: "Last-Event-ID", value: "7")],
                peer: PeerCredentials(processID: 1, userID: 0, groupID: 0)))
        guard case .stream(let stream) = response.body else {
            Issue.record("no stream: \(response.status)")
            return
        }
        var parser = EventStreamParser()
        var seen: [String] = []
        for await chunk in stream {
            seen += parser.take(chunk).compactMap(\.id)
            if seen.count == 2 { break }
        }
        #expect(seen == ["8", "9"])
        #expect(response.headers.contains { $0 == ("content-type", "text/event-stream") })
    }
}
