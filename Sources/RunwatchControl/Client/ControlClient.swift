package import Glibc
package import RunwatchCore
import RunwatchHTTP
import RunwatchLinux

/// Speaks to the daemon over its socket, one request after the other; calls block.
package struct ControlClient {
    /// Lists and one watch's history are far below it.
    private static let maximumAnswer = 64 << 20

    package let socket: String
    private let http: HTTPBlockingClient
    private let time: any TimeSource

    package init(socket: String, time: any TimeSource = SystemTime()) {
        self.socket = socket
        self.time = time
        http = HTTPBlockingClient(options: HTTPConnectionOptions(unixSocket: socket))
    }

    /// The answer's body.
    /// - Parameter within: The limit of the whole exchange.
    package func get(
        _ path: String, within limit: Duration = .seconds(30)
    ) throws(ControlFailure) -> [UInt8] {
        try send(.get, path, limit)
    }

    package func post(
        _ path: String, within limit: Duration = .seconds(30)
    ) throws(ControlFailure) -> [UInt8] {
        try send(.post, path, limit)
    }

    /// - Parameter json: The request's body.
    package func post(
        _ path: String, json: [UInt8], within limit: Duration = .seconds(30)
    ) throws(ControlFailure) -> [UInt8] {
        var request = self.request(.post, path)
        request.headers.append(("content-type", "application/json"))
        request.body = json
        return try send(request, limit)
    }

    package func delete(
        _ path: String, within limit: Duration = .seconds(30)
    ) throws(ControlFailure) -> [UInt8] {
        try send(.delete, path, limit)
    }

    /// The answer as a tree.
    package func document(
        _ path: String, within limit: Duration = .seconds(30)
    ) throws(ControlFailure) -> JSONValue {
        try parse(try get(path, within: limit))
    }

    package func parse(_ bytes: [UInt8]) throws(ControlFailure) -> JSONValue {
        do throws(JSONError) {
            return try JSONValue(parsing: bytes)
        } catch {
            throw stranger("its answer is no JSON: \(error)")
        }
    }

    /// Reads a view; an answer of another form means another program at the socket.
    package func view<View: WireView>(
        _ value: JSONValue, as: View.Type = View.self
    ) throws(ControlFailure) -> View {
        do throws(WireError) {
            return try View(json: value)
        } catch {
            throw stranger("its answer has another form: \(error)")
        }
    }

    /// Why an exchange with the daemon is over before its end.
    package enum StreamEnd: Equatable, Sendable {
        /// A callback said so.
        case stopped
        /// The deadline passed.
        case timedOut
        /// The connection broke, or nothing came for too long; worth another try.
        case broken(ControlFailure)
    }

    /// Follows the event stream until a callback returns `false`, the deadline passes or it breaks.
    /// - Parameters:
    ///   - wake: A descriptor that ends a wait when it can be read; -1 for none.
    ///   - onOpen: Called once, when the daemon has subscribed us.
    ///   - onMessage: Called for each event.
    ///   - onIdle: Called before each wait; gives when to be called again at the latest.
    package func follow(
        _ path: String, lastEventID: inout String?, deadline: Instant?, wake: Int32 = -1,
        onOpen: () throws(ControlFailure) -> Bool,
        onMessage: (EventStreamParser.Message) throws(ControlFailure) -> Bool,
        onIdle: () throws(ControlFailure) -> Instant = { .distantFuture }
    ) throws(ControlFailure) -> StreamEnd {
        var request = self.request(.get, path)
        if let lastEventID { request.headers.append(("last-event-id", lastEventID)) }
        var parser = EventStreamParser(lastEventID: lastEventID)
        var status = 0
        var refusal: [UInt8] = []
        var failure: ControlFailure?
        var isStopped = false
        let step = { (go: () throws(ControlFailure) -> Bool) -> Bool in
            do throws(ControlFailure) {
                if try go() { return true }
                isStopped = true
            } catch {
                failure = error
            }
            return false
        }
        defer { lastEventID = parser.lastEventID }
        do throws(HTTPFailure) {
            try http.stream(
                request, idleTimeout: .seconds(45), deadline: deadline, wake: wake,
                onResponse: { code in
                    status = code
                    return code == 200 ? step(onOpen) : true
                },
                onChunk: { chunk in
                    guard status == 200 else {
                        refusal += chunk
                        return refusal.count < 1 << 20
                    }
                    for message in parser.take(chunk) {
                        guard step({ () throws(ControlFailure) in try onMessage(message) })
                        else { return false }
                    }
                    return !parser.isTooLarge
                },
                onIdle: {
                    do throws(ControlFailure) {
                        return try onIdle()
                    } catch {
                        failure = error
                        return nil
                    }
                })
        } catch {
            if let failure { throw failure }
            if isStopped { return .stopped }
            if let deadline, time.now() >= deadline { return .timedOut }
            return .broken(describe(error))
        }
        if let failure { throw failure }
        if isStopped { return .stopped }
        if let deadline, time.now() >= deadline { return .timedOut }
        guard status == 200 else { throw refused(status, refusal) }
        return .broken(
            ControlFailure(.noDaemon, "the daemon at \(socket) ended the stream of events"))
    }

    // MARK: Inside

    private func send(
        _ method: HTTPRequest.Method, _ path: String, _ limit: Duration
    ) throws(ControlFailure) -> [UInt8] {
        try send(request(method, path), limit)
    }

    private func send(
        _ request: HTTPRequest, _ limit: Duration
    ) throws(ControlFailure) -> [UInt8] {
        var request = request
        request.timeout = limit
        let response: HTTPResponse
        do throws(HTTPFailure) {
            response = try http.perform(request)
        } catch {
            throw describe(error)
        }
        guard (200..<300).contains(response.status) else {
            throw refused(response.status, response.body)
        }
        return response.body
    }

    private func request(_ method: HTTPRequest.Method, _ path: String) -> HTTPRequest {
        HTTPRequest(
            method: method, url: "http://runwatch" + path,
            maximumAnswer: ControlClient.maximumAnswer)
    }

    /// An answer that is no success: the problem's own words.
    private func refused(_ status: Int, _ body: [UInt8]) -> ControlFailure {
        guard let value = try? JSONValue(parsing: body), let problem = Problem(json: value) else {
            // Not one of our problem documents, so it was not our daemon, or a newer one.
            return stranger("it answered HTTP \(status)")
        }
        return ControlFailure(ExitStatus(problem.code), problem.detail, problem: problem)
    }

    func stranger(_ fault: String) -> ControlFailure {
        ControlFailure(
            .noDaemon,
            "what listens at \(socket) does not speak as runwatchd \(RunwatchVersion.text) does: "
                + "\(fault)")
    }

    /// How to get at a socket of that group; `nil` when its folder hides it.
    package static func remedy(group: gid_t?) -> String {
        // Nobody should join root's: it is the daemon's own when `control.group` names none.
        if group == 0 { return "run as root, or have control.group name a group of yours" }
        let name = group.flatMap { SystemGroups.name(of: $0) }
        let words = name.map { "the group '\($0)' and log in again" } ?? "its group"
        return "join \(words), or run as root"
    }

    private func describe(_ failure: HTTPFailure) -> ControlFailure {
        guard failure.code == .connect else {
            return ControlFailure(
                .noDaemon, "the daemon at \(socket) gave no whole answer: \(failure.message)")
        }
        // unix(7): 108 bytes with the closing NUL.
        guard socket.utf8.count <= 107 else {
            return ControlFailure(
                .usage,
                "the socket's path is longer than 107 bytes, which no socket can be: \(socket)")
        }
        // The transport says only that it could not connect; the file says why. connect(2) on a socket
        // needs the right to write.
        if access(socket, F_OK) != 0, errno == ENOENT || errno == ENOTDIR {
            return ControlFailure(
                .noDaemon,
                "there is no socket at \(socket); is runwatchd running? --socket or $RUNWATCH_SOCKET "
                    + "names another")
        }
        if access(socket, W_OK) != 0, errno == EACCES {
            var file = stat()
            // A folder on the way may hide the file and its group.
            let group = stat(socket, &file) == 0 ? file.st_gid : nil
            return ControlFailure(
                .denied,
                "no permission for the socket \(socket); \(ControlClient.remedy(group: group))")
        }
        var file = stat()
        if stat(socket, &file) == 0, file.st_mode & S_IFMT != S_IFSOCK {
            return ControlFailure(
                .noDaemon,
                "\(socket) is no socket; --socket or $RUNWATCH_SOCKET names the daemon's")
        }
        return ControlFailure(
            .noDaemon, "nobody listens at \(socket); is runwatchd running?")
    }
}
