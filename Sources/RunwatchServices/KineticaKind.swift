package import RunwatchCore
package import RunwatchHTTP

/// Kinetica: one request for one run, for a tag or for all runs (`/show/proc/status`).
///
/// `clear_complete` is never sent: it takes results from everyone, also when the answer is lost.
package struct KineticaKind: ServiceKind {
    private let url: String
    private let settings: KineticaSettings
    private let timeout: Duration
    private let maximumAnswer: Int
    private let words: ServiceWords

    package init(_ service: ServiceSettings, _ settings: KineticaSettings) {
        url = service.url(of: "/show/proc/status")
        self.settings = settings
        timeout = service.timeout
        maximumAnswer = service.maximumAnswer
        words = ServiceWords(hiding: settings.credentials.secrets)
    }

    package var coalesces: Bool { settings.coalesce != .never }

    package func request(for scope: PollScope, parameters: [String: String]) -> HTTPRequest {
        var headers = [
            (name: "Content-Type", value: "application/json"),
            (name: "Accept", value: "application/json"),
        ]
        if let authorization = settings.credentials.authorization {
            headers.append(("Authorization", authorization.reveal()))
        }
        var isAboutOne = false
        if case .run = scope { isAboutOne = true }
        return HTTPRequest(
            method: .post, url: url, headers: headers, body: KineticaKind.body(for: scope),
            timeout: timeout,
            maximumAnswer: isAboutOne ? maximumAnswer : settings.maximumAllAnswer)
    }

    /// Both members always, in this order: the server decodes them one by one.
    private static func body(for scope: PollScope) -> [UInt8] {
        var run = ""
        var tag: String?
        switch scope {
        // The empty ID means all runs: were a watch ever without an ID, it must not ask so.
        case .run(let id): run = id.isEmpty ? " " : id
        case .tag(let wanted): tag = wanted
        case .all: break
        }
        var body = JSONWriter()
        body.beginObject()
        body.member("run_id", run)
        body.key("options")
        body.beginObject()
        body.member("run_tag", tag)
        body.endObject()
        body.endObject()
        return body.bytes
    }

    package func read(
        _ response: HTTPResponse, scope: PollScope, wanted: (String) -> Bool
    ) -> PollAnswer {
        if case .run("") = scope { return .refused("the run's ID is empty") }
        let isGood = response.status == 200
        if isGood, response.contentType == "text/html" {
            return .unreadable("it is a web page instead of JSON: check the service's url")
        }
        let wrapper: KineticaWrapper
        do {
            wrapper = try KineticaWrapper(response.body, readsContent: isGood)
        } catch {
            // Anything but the database itself, such as the web server before it.
            return isGood
                ? .unreadable(response.body, error) : KineticaKind.failure(response, words: "")
        }
        let message = words.clean(wrapper.message, limit: ServiceWords.messageLimit)
        if wrapper.status == "ERROR" {
            return readError(wrapper, message: message, response, scope: scope)
        }
        guard isGood else { return KineticaKind.failure(response, words: message) }
        guard wrapper.status == "OK" else {
            let status = words.clean(wrapper.status ?? "", limit: ServiceWords.wordLimit)
            return .unreadable(
                status.isEmpty ? "it has no 'status'" : "its 'status' is '\(status)'")
        }
        guard let content = wrapper.content else { return .unreadable("it has no 'data_str'") }
        do {
            var runs = KineticaRuns(scope: scope, words: words)
            try runs.read(content, wanted: wanted)
            return .observations(runs.observations())
        } catch {
            return .unreadable("'data_str': \(error)")
        }
    }

    private static func failure(_ response: HTTPResponse, words: String) -> PollAnswer {
        .failure(
            of: response, words: words,
            missing: "check the path of the service's url; servers before 5.4 have no such answer")
    }

    /// What the database refuses, by itself or for its whole cluster.
    private func readError(
        _ wrapper: KineticaWrapper, message: String, _ response: HTTPResponse, scope: PollScope
    ) -> PollAnswer {
        if wrapper.isGoingAway {
            return .failed(.unavailable, message: message, retryAfter: response.retryAfter)
        }
        if wrapper.isUnauthorized {
            return .failed(.unauthorized, message: message, retryAfter: response.retryAfter)
        }
        guard response.status == 200 || response.status == 400 else {
            return KineticaKind.failure(response, words: message)
        }
        let text = message.isEmpty ? "the service answers ERROR without a reason" : message
        guard case .run = scope else {
            return .failed(.refused, message: text, retryAfter: response.retryAfter)
        }
        return .refused(text)
    }
}

extension KineticaSettings.Credentials {
    /// The value of the header; `nil` for none.
    fileprivate var authorization: Secret? {
        switch self {
        case .none: nil
        case .basic(let username, let password):
            Secret("Basic " + Base64.encode("\(username):\(password.reveal())".utf8))
        case .bearer(let token): Secret("Bearer " + token.reveal())
        }
    }

    /// What must never be shown, in every form that is sent.
    fileprivate var secrets: [Secret] {
        switch self {
        case .none: []
        case .basic(let username, let password):
            [password, Secret(Base64.encode("\(username):\(password.reveal())".utf8))]
        case .bearer(let token): [token]
        }
    }
}
