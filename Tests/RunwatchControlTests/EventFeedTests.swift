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
        _ backend: FakeBackend, _ start: EventFeed.Start, _ query: EventQuery = .all,
        heartbeat: Duration = quiet
    ) async throws -> EventFeed {
        let feed = EventFeed(backend: backend, query: query, heartbeat: heartbeat)
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
        backend.commit()
        backend.commit(skipping: 6)
        backend.commit()
        #expect(await numbers(feed, 3) == [2, 9, 10])
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
        // More than the hub keeps.
        for _ in 0..<9000 { backend.commit() }
        #expect(await numbers(feed, 9000) == Array(1...9000))
        #expect(backend.edit { $0.reads } > 0)
    }

    /// An event of so many bytes and a few more.
    private static func long(_ size: Int) -> [UInt8] {
        Array(#"{"data":{"detail":""#.utf8) + [UInt8](repeating: 0x78, count: size)
            + Array(#""}}"#.utf8)
    }

    @Test func `long events are not kept beyond the hub's bound`() async throws {
        let backend = FakeBackend()
        let feed = try await feed(backend, .now)
        for _ in 0..<300 { backend.commit(EventFeedTests.long(50_000)) }
        #expect(backend.eventHub.keptBytes <= EventHub.byteCapacity)
        #expect(backend.eventHub.keptBytes > EventHub.byteCapacity / 2)
        #expect(await numbers(feed, 300) == Array(1...300))
    }

    @Test(arguments: [EventFeed.Start.now, .after(0), .since(Samples.noon)])
    func `a reader that stands still holds few long events`(_ start: EventFeed.Start) async throws {
        let backend = FakeBackend()
        let count = start == .now ? 0 : 30
        for _ in 0..<count { backend.commit(EventFeedTests.long(30_000)) }
        let feed = try await feed(backend, start)
        for _ in count..<30 { backend.commit(EventFeedTests.long(30_000)) }
        var parser = EventStreamParser()
        var seen: [Int64] = []
        while seen.count < 30, let chunk = await feed.next() {
            #expect(chunk.count < EventFeed.chunkBytes + 31_000)
            seen += parser.take(chunk).compactMap { $0.id.flatMap { Int64($0) } }
        }
        #expect(seen == Array(1...30))
        backend.commit()
        #expect(await numbers(feed, 1) == [31])
    }

    @Test func `what the hub keeps needs no database`() async throws {
        let backend = FakeBackend()
        let feed = try await feed(backend, .now)
        for _ in 0..<1000 { backend.commit() }
        #expect(await numbers(feed, 1000) == Array(1...1000))
        #expect(backend.edit { $0.reads } == 0)
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

    @Test func `a stream says that it lives again and again, between events too`() async throws {
        let backend = FakeBackend()
        let feed = try await feed(backend, .now, heartbeat: .milliseconds(20))
        _ = await feed.next()
        for number in 1...3 {
            for _ in 0..<3 { #expect(await text(feed)?.hasPrefix(": alive\n") == true) }
            backend.commit()
            #expect(await numbers(feed, 1) == [Int64(number)])
        }
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
            for await _ in feed.chunks { count += 1 }
            return count
        }
        reader.cancel()
        #expect(await reader.value <= 1)
    }

    // MARK: Conditions

    private func run(_ name: String, _ state: RunState, group: String? = nil) -> [UInt8] {
        var data = Samples.watch(name, state).data
        data.group = group
        return Event(type: .run(state), timestamp: Samples.noon, data: .run(data)).json
    }

    @Test(arguments: [
        (EventQuery(names: [ExactText("w/1")]), [1, 4] as [Int64]),
        (EventQuery(names: [ExactText("w/1"), ExactText("v/1")]), [1, 3, 4]),
        (EventQuery(names: [ExactText("v")]), [5]),
        (EventQuery(service: "v"), [3, 5]),
        (EventQuery(service: "w"), [1, 2, 4]),
        (EventQuery(group: "g"), [2, 3]),
        (EventQuery(types: [.run(.complete), .serviceDown]), [4, 5]),
        (EventQuery(names: [ExactText("w/1")], types: [.run(.complete)]), [4]),
        (EventQuery(service: "w", group: "g"), [2]),
    ])
    func `a stream has the events that meet its conditions, live or recorded`(
        query: EventQuery, wanted: [Int64]
    ) async throws {
        let backend = FakeBackend()
        let live = try await feed(backend, .now, query)
        backend.commit(run("w/1", .running))
        backend.commit(run("w/2", .running, group: "g"))
        backend.commit(run("v/1", .running, group: "g"))
        backend.commit(run("w/1", .complete))
        backend.commit(Array(#"{"type":"service.down","data":{"service":"v"}}"#.utf8))
        #expect(await numbers(live, wanted.count) == wanted)
        let recorded = try await feed(backend, .after(0), query)
        #expect(await numbers(recorded, wanted.count) == wanted)
    }

    @Test func `names are compared byte by byte`() async throws {
        let backend = FakeBackend()
        let feed = try await feed(backend, .now, EventQuery(names: [ExactText("w/e\u{301}")]))
        backend.commit(run("w/\u{E9}", .running))
        backend.commit(run("w/e\u{301}", .running))
        #expect(await numbers(feed, 1) == [2])
    }

    @Test func `events that are not wanted move the place to resume from, told by a heartbeat`()
        async throws
    {
        let backend = FakeBackend()
        let query = EventQuery(names: [ExactText("w/1")])
        let feed = try await feed(backend, .now, query, heartbeat: .milliseconds(20))
        var parser = EventStreamParser()
        for _ in 0..<5000 { backend.commit(run("w/2", .running)) }
        while parser.lastEventID != "5000" {
            let chunk = try #require(await feed.next())
            #expect(parser.take(chunk).isEmpty)
        }
        backend.commit(run("w/1", .complete))
        #expect(await numbers(feed, 1) == [5001])
        #expect(await text(feed) == ": alive\n\n")
    }

    @Test func `a resumed stream looks past what is not wanted`() async throws {
        let backend = FakeBackend()
        for _ in 0..<500 { backend.commit(run("w/2", .running)) }
        backend.commit(run("w/1", .complete))
        let feed = try await feed(backend, .after(3), EventQuery(names: [ExactText("w/1")]))
        #expect(await numbers(feed, 1) == [501])
    }

    @Test func `who is not concerned is not woken`() async throws {
        let hub = EventHub()
        let mine = hub.follow(EventQuery(names: [ExactText("w/1")]))
        let other = hub.follow(EventQuery(names: [ExactText("w/2")]))
        hub.publish([EventView(number: 1, json: run("w/1", .running))]) { $0.live }
        await hub.wait(mine)
        guard case .events(let events, through: 1) = hub.take(mine, after: 0, limit: 9, bytes: 99)
        else {
            Issue.record("the event is not there")
            return
        }
        #expect(events.map(\.subject) == ["w/1"])
        guard case .nothing(through: 1) = hub.take(other, after: 0, limit: 9, bytes: 99) else {
            Issue.record("an event of somebody else's")
            return
        }
        hub.unfollow(mine)
        hub.unfollow(other)
        #expect(hub.followerCount == 0)
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
