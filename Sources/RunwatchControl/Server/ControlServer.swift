package import RunwatchCore
package import RunwatchHTTP
import RunwatchLinux
import Synchronization

/// Answers the API's requests: a router over the daemon's parts, bound to no socket.
package final class ControlServer: Sendable {
    /// The API's description: OpenAPI 3.1, as JSON.
    package static var document: [UInt8] { PackageResources.openapi_json }

    let backend: any ControlBackend
    private let time: any TimeSource
    private let heartbeat: Duration
    private let rights: Mutex<ControlRights>
    let meter: ControlMeter

    /// - Parameter heartbeat: How often a stream without events says that it lives; 15 s is below the
    ///   idle limits of the usual proxies.
    package init(
        backend: any ControlBackend, rights: ControlRights, time: any TimeSource = SystemTime(),
        heartbeat: Duration = .seconds(15), meter: ControlMeter = ControlMeter()
    ) {
        self.backend = backend
        self.time = time
        self.heartbeat = heartbeat
        self.rights = Mutex(rights)
        self.meter = meter
    }

    /// Takes new rights, as after a reload; requests under way keep the old ones.
    package func setRights(_ rights: ControlRights) {
        self.rights.withLock { $0 = rights }
    }

    /// Answers one request; every failure is a problem document.
    @concurrent
    package func respond(to request: HTTPServerRequest) async -> HTTPServerResponse {
        var response: HTTPServerResponse
        do throws(Problem) {
            response = try await answer(request)
        } catch {
            response = ControlServer.response(to: error)
        }
        meter.add(
            request.pathParts.flatMap { ControlRoute(parts: $0) }, status: response.status)
        response.headers.append(("cache-control", "no-store"))
        return response
    }

    private func answer(_ request: HTTPServerRequest) async throws(Problem) -> HTTPServerResponse {
        let rights = rights.withLock { $0 }
        guard rights.mayRead(request.peer) else { throw rights.readRefusal }
        guard let parts = request.pathParts else {
            throw Problem(.badPath, "The path holds a broken escape, or is not UTF-8.")
        }
        guard ControlServer.isWhole(request.rawPath), let route = ControlRoute(parts: parts) else {
            throw Problem(.noSuchRoute, "There is nothing at '\(request.rawPath)'.")
        }
        let method = request.method == "HEAD" ? "GET" : request.method
        guard route.methods.contains(method) else {
            var response = ControlServer.response(
                to: Problem(
                    .methodNotAllowed,
                    "'\(request.rawPath)' takes \(route.allow), not \(request.method)."))
            response.headers.append(("allow", route.allow))
            return response
        }
        guard method == "GET" || rights.mayChange(request.peer) else { throw rights.changeRefusal }
        let parameters = try ControlParameters(
            of: request, known: route.parameters(method), repeatable: route.repeatable)
        switch route {
        case _ where method == "GET": return try await read(route, parameters, request)
        case .watches: return try await addWatches(request)
        case .watch(let name): return try await removeWatch(name)
        default: break
        }
        return try await change(route, parameters)
    }

    /// Whether no part is empty: where a script's variable was, there must not be another route.
    private static func isWhole(_ path: String) -> Bool {
        !path.contains("//") && !path.hasSuffix("/")
    }

    func read(
        _ route: ControlRoute, _ parameters: ControlParameters, _ request: HTTPServerRequest
    ) async throws(Problem) -> HTTPServerResponse {
        switch route {
        case .status: return .json(await backend.status().json)
        case .watches: return try await watches(parameters)
        case .watch(let name): return .json(try await backend.watch(name).json)
        case .transitions(let name): return try await transitions(name, parameters)
        case .events: return try await events(parameters)
        case .eventStream: return try await eventStream(parameters, request)
        case .deliveries: return try await deliveries(parameters)
        case .delivery(let id): return .json(try await backend.delivery(id).json)
        case .document: return .json(ControlServer.document)
        case .metrics: return await metrics(request)
        case .health:
            let health = await backend.health()
            guard health.isOK else {
                throw Problem(
                    .notAdvancing, health.reasons.joined(separator: "; "),
                    members: [.init("ok", .bool(false)), .texts("reasons", health.reasons)])
            }
            return .json(health.json)
        case .readiness:
            let readiness = await backend.readiness()
            guard readiness.isOK else {
                throw Problem(
                    .notReady, readiness.reasons.joined(separator: "; "),
                    members: [.init("ok", .bool(false)), .texts("reasons", readiness.reasons)])
            }
            return .json(readiness.json)
        case .poll, .rewatch, .reload, .redeliver, .redeliverAll, .testReceiver:
            preconditionFailure("a route that takes no GET was let through")
        }
    }

    private func change(
        _ route: ControlRoute, _ parameters: ControlParameters
    ) async throws(Problem) -> HTTPServerResponse {
        switch route {
        case .poll(let name):
            try await backend.poll(name)
            // Accepted only: the service's budget decides when the request goes out.
            return .json(try await backend.watch(name).json, status: 202)
        case .rewatch(let name):
            try await backend.rewatch(name)
            return .json(try await backend.watch(name).json)
        case .redeliver(let id):
            // Accepted only: what comes of it is seen later.
            return .json(try await backend.redeliver(id).json, status: 202)
        case .redeliverAll: return try await redeliverAll(parameters)
        case .testReceiver(let name):
            return .json(try await backend.testReceiver(name).json)
        case .reload:
            let reload = await backend.reload()
            guard reload.isOK else {
                throw Problem(
                    .configurationInvalid,
                    "The configuration has \(reload.errors.count) "
                        + "error\(reload.errors.count == 1 ? "" : "s"); nothing was changed.",
                    members: [
                        .init("ok", .bool(false)), .texts("errors", reload.errors),
                        .texts("warnings", reload.warnings),
                    ])
            }
            return .json(reload.json)
        default: preconditionFailure("a route that takes no POST was let through")
        }
    }

    // MARK: Lists

    private func watches(_ parameters: ControlParameters) async throws(Problem)
        -> HTTPServerResponse
    {
        var query = WatchQuery(
            service: try parameters.text("service"), states: try parameters.states(),
            group: try parameters.text("group"), isActiveOnly: try parameters.flag("active"))
        query.names = try parameters.watchNames()
        let limit = try parameters.limit()
        // One more than asked for tells whether there is a next page.
        let found = try await backend.watches(
            query, after: try parameters.watchCursor(), limit: limit + 1)
        let page = Array(found.prefix(limit))
        let next = found.count > limit ? page.last.map { WatchCursor.encode($0.name) } : nil
        guard try parameters.flag("counts") else {
            return ControlServer.list("watches", page, next: next)
        }
        let counts = try await backend.watchCounts(query)
        return ControlServer.list("watches", page, next: next) { writer in
            writer.key("counts")
            StatusView.write(counts, to: &writer)
        }
    }

    private func transitions(
        _ name: WatchName, _ parameters: ControlParameters
    ) async throws(Problem) -> HTTPServerResponse {
        let limit = try parameters.limit()
        let after = try parameters.transitionCursor() ?? 0
        let found = try await backend.transitions(name).filter { $0.sequence > after }
        let page = Array(found.prefix(limit))
        let next =
            found.count > limit ? page.last.map { TransitionCursor.encode($0.sequence) } : nil
        return ControlServer.list("transitions", page, next: next)
    }

    private func events(_ parameters: ControlParameters) async throws(Problem)
        -> HTTPServerResponse
    {
        let query = try ControlServer.eventQuery(parameters)
        let limit = try parameters.limit()
        let cursor = try parameters.eventCursor()
        let after = max(try parameters.number("after") ?? 0, cursor ?? 0)
        let page = try await backend.events(
            query, after: after, since: try parameters.since(now: time.wallClock()), limit: limit)
        return ControlServer.list(
            "events", page.events, next: page.isLast ? nil : EventCursor.encode(page.through))
    }

    private static func eventQuery(_ parameters: ControlParameters) throws(Problem) -> EventQuery {
        EventQuery(
            names: try parameters.names(), service: try parameters.text("service"),
            group: try parameters.text("group"), types: try parameters.eventTypes())
    }

    private func eventStream(
        _ parameters: ControlParameters, _ request: HTTPServerRequest
    ) async throws(Problem) -> HTTPServerResponse {
        var start = EventFeed.Start.now
        if let since = try parameters.since(now: time.wallClock()) { start = .since(since) }
        if let after = try parameters.number("after") { start = .after(after) }
        // Given by a client that reconnects to the URL it began with: it knows best.
        if let text = request.header("last-event-id") {
            guard let number = ControlParameters.digits(text) else {
                throw Problem(
                    .badParameter, "Last-Event-ID is '\(text)'; it must be an event's number.")
            }
            start = .after(number)
        }
        let query = try ControlServer.eventQuery(parameters)
        let headers = [("content-type", "text/event-stream")]
        guard request.method != "HEAD" else {
            return HTTPServerResponse(status: 200, headers: headers, body: .bytes([]))
        }
        let feed = EventFeed(backend: backend, query: query, heartbeat: heartbeat)
        try await feed.open(from: start)
        return HTTPServerResponse(status: 200, headers: headers, body: .stream(feed.chunks))
    }

    static func list(
        _ name: String, _ views: [some WireView], next: String?,
        more: (inout JSONWriter) -> Void = { _ in }
    ) -> HTTPServerResponse {
        var writer = JSONWriter()
        writer.beginObject()
        writer.list(name, views)
        writer.member("next", next)
        more(&writer)
        writer.endObject()
        return .json(writer.bytes)
    }

    static func response(to problem: Problem) -> HTTPServerResponse {
        HTTPServerResponse(
            status: problem.code.status, headers: [("content-type", "application/problem+json")],
            body: .bytes(problem.json))
    }
}

extension JSONValue.Member {
    fileprivate static func texts(_ name: String, _ texts: [String]) -> JSONValue.Member {
        JSONValue.Member(name, .array(texts.map { .string($0) }))
    }
}
