import RunwatchControl
import RunwatchCore
import RunwatchHTTP
import RunwatchLinux
import TestSupport
import Testing

/// Pages of every list while rows come, change and go between them.
@Suite struct ListPageTests {
    private let backend = FakeBackend()

    private func page(
        _ path: String, _ query: [(String, String)]
    ) async throws -> (status: Int, body: JSONValue) {
        let server = ControlServer(
            backend: backend, rights: ControlRights(ownUser: 500, adminGroup: nil),
            time: ManualTime())
        let response = await server.respond(
            to: HTTPServerRequest(
                method: "GET", rawPath: path, query: query.map { (name: $0.0, value: $0.1) },
                peer: PeerCredentials(processID: 1, userID: 0, groupID: 0)))
        guard case .bytes(let bytes) = response.body else { return (response.status, .null) }
        return (response.status, try JSONValue(parsing: bytes))
    }

    /// Walks through a list by pages of two.
    /// - Parameter between: What happens after each page; its number, from 1.
    private func walk(
        _ path: String, _ list: String, _ key: String, query: [(String, String)] = [],
        between: (Int) -> Void
    ) async throws -> [String] {
        var met: [String] = []
        var cursor: [(String, String)] = []
        for number in 1...100 {
            let page = try await page(path, query + [("limit", "2")] + cursor)
            #expect(page.status == 200)
            met += (page.body[list]?.arrayValue ?? []).map {
                $0[key].map { $0.stringValue ?? $0.text } ?? "?"
            }
            guard let next = page.body["next"]?.stringValue else { return met }
            cursor = [("cursor", next)]
            between(number)
        }
        Issue.record("the walk has no end")
        return met
    }

    @Test func `watches that are there all along are met once, in their order`() async throws {
        let names = ["a/1", "a/2", "a/3", "b/1", "b/2", "b/3", "c/1"]
        backend.edit { $0.watches = names.map { Samples.watch($0) } }
        let met = try await walk("/v1/watches", "watches", "name") { number in
            backend.edit { state in
                switch number {
                case 1:
                    // The one that the cursor was made from goes; one comes before it, one after it.
                    state.watches.removeAll { $0.name == WatchName("a/2") }
                    state.watches += [Samples.watch("a/0"), Samples.watch("b/15")]
                case 2:
                    state.watches.removeAll { $0.name == WatchName("b/3") }
                    for index in state.watches.indices {
                        state.watches[index].data.state = .complete
                    }
                default: break
                }
                state.watches.sort { $0.name < $1.name }
            }
        }
        #expect(met == ["a/1", "a/2", "a/3", "b/1", "b/15", "b/2", "c/1"])
    }

    @Test func `watches that meet the condition all along are met once`() async throws {
        let names = ["a/1", "a/2", "a/3", "b/1", "b/2"]
        backend.edit { $0.watches = names.map { Samples.watch($0, .running) } }
        let met = try await walk(
            "/v1/watches", "watches", "name", query: [("state", "running")]
        ) { number in
            guard number == 1 else { return }
            backend.edit { state in
                // Two that were met, and one that was not, are running no more.
                for index in [0, 1, 2] { state.watches[index].data.state = .complete }
            }
        }
        #expect(met == ["a/1", "a/2", "b/1", "b/2"])
    }

    @Test func `events are met once while old ones go and new ones come`() async throws {
        for _ in 0..<5 { backend.commit() }
        let met = try await walk("/v1/events", "events", "number") { number in
            guard number < 3 else { return }
            backend.edit { $0.events.removeAll { $0.number <= 2 * number + 1 } }
            backend.commit()
        }
        // The third went before its page came, the fifth after.
        #expect(met == ["1", "2", "4", "5", "6", "7"])
    }

    @Test(arguments: ["asc", "desc"])
    func `deliveries are met once while they change and new ones come`(
        order: String
    ) async throws {
        backend.edit { state in
            state.deliveries = (1...6).map { Samples.delivery("msg_\($0)", .pending) }
        }
        let met = try await walk(
            "/v1/deliveries", "deliveries", "id", query: [("order", order)]
        ) { number in
            backend.edit { state in
                for index in state.deliveries.indices { state.deliveries[index].state = .delivered }
                if number == 1 { state.deliveries.append(Samples.delivery("msg_7")) }
            }
        }
        let all = (1...6).map { "msg_\($0)" }
        #expect(met == (order == "asc" ? all + ["msg_7"] : all.reversed()))
    }

    @Test func `transitions are met once while further ones are made`() async throws {
        func transition(_ sequence: Int) -> TransitionView {
            TransitionView(sequence: sequence, state: .running, observedAt: Samples.noon)
        }
        var watch = Samples.watch("a/1")
        watch.transitions = (1...4).map(transition)
        backend.edit { [watch] in $0.watches = [watch] }
        let met = try await walk(
            "/v1/watches/a/1/transitions", "transitions", "sequence"
        ) { number in
            let more = transition(4 + number)
            if number < 3 { backend.edit { $0.watches[0].transitions?.append(more) } }
        }
        #expect(met == ["1", "2", "3", "4", "5", "6"])
    }

    @Test(arguments: [
        "/v1/watches", "/v1/events", "/v1/deliveries", "/v1/watches/a/1/transitions",
    ])
    func `a cursor of another list, or of none, is a problem`(path: String) async throws {
        backend.edit { $0.watches = [Samples.watch("a/1")] }
        let cursors = ["w61.31", "e1", "d1.6f7073", "t1"]
        var statuses: [Int] = []
        for cursor in cursors + ["", "1", "x", "w", "e-1", "7b7d", "%00"] {
            let page = try await page(path, [("cursor", cursor)])
            statuses.append(page.status)
            guard page.status != 200 else { continue }
            #expect(page.body["type"] == .string(Problem.Code.badParameter.type))
        }
        #expect(statuses.filter { $0 == 200 }.count == 1)
        #expect(statuses.filter { $0 == 400 }.count == statuses.count - 1)
    }
}
