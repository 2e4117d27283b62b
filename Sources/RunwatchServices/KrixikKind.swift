package import RunwatchCore
package import RunwatchHTTP

/// Krixik: one request a run; what is done is told module by module.
///
/// There is no published protocol: the request is that of the Python client 1.1.19, and answers are read
/// so that no form which a gateway or an older server may send is taken for a state.
package struct KrixikKind: ServiceKind {
    private let url: String
    private let settings: KrixikSettings
    private let timeout: Duration
    private let maximumAnswer: Int
    private let words: ServiceWords

    package init(_ service: ServiceSettings, _ settings: KrixikSettings) {
        url = service.url(of: "/krixik-core-process-status")
        self.settings = settings
        timeout = service.timeout
        maximumAnswer = service.maximumAnswer
        words = ServiceWords(hiding: [settings.apiKey])
    }

    package var coalesces: Bool { false }

    package func request(for scope: PollScope, parameters: [String: String]) -> HTTPRequest {
        var body = JSONWriter()
        body.beginObject()
        body.member("pipeline", parameters["pipeline"] ?? "")
        body.member("version", settings.clientVersion)
        // `tag` and `all` are never asked of a kind that does not coalesce.
        if case .run(let run) = scope { body.member("process_id", run) }
        body.endObject()
        return HTTPRequest(
            method: .post, url: url,
            headers: [
                ("krixikApiKey", settings.apiKey.reveal()),
                // JSON under this type: so the service's own client sends it.
                ("Content-Type", "text/plain"),
            ],
            body: body.bytes, timeout: timeout, maximumAnswer: maximumAnswer)
    }

    package func read(
        _ response: HTTPResponse, scope: PollScope, wanted: (String) -> Bool
    ) -> PollAnswer {
        guard case .run(let run) = scope else {
            return .refused("a Krixik service answers about one run a request")
        }
        guard response.status == 200 else { return readRefusal(response, run: run) }
        let answer: KrixikAnswer
        do {
            answer = try KrixikAnswer(response.body)
        } catch {
            return .unreadable(response.body, error)
        }
        return judge(answer, run: run)
    }

    // MARK: Status 200

    private func judge(_ answer: KrixikAnswer, run: String) -> PollAnswer {
        let message = words.clean(answer.message ?? "", limit: ServiceWords.messageLimit)
        func observed(_ finding: Observation.Finding, _ modules: KrixikAnswer.Modules? = nil)
            -> PollAnswer
        {
            let observation = Observation(
                finding, progress: modules?.progress, message: message,
                detail: detail(answer, modules: modules, failedModule: nil))
            return .observations([RunObservation(run: run, observation: observation)])
        }
        // The failure first: a map beside it says nothing about how the run ended.
        switch (answer.failure, answer.modules) {
        case (.wrong, _):
            return .unreadable("'failure_status' is neither an object nor null")
        case (_, .wrong):
            return .unreadable("'process_status' is neither an object nor null")
        case (.object(let failure), let modules):
            return failed(answer, failure, modules, message: message, run: run)
        case (_, .object(let modules)) where modules.total == 0:
            return observed(.nothing)
        case (_, .object(let modules)):
            return observed(.state(modules.isComplete ? .complete : .running), modules)
        case (.null, .null):
            return observed(.notFound)
        case (.missing, .missing):
            let said = message.isEmpty ? "" : "; it says: \(message)"
            return .unreadable("it has no 'process_status'\(said)")
        case (.missing, .null):
            return .unreadable("it has no 'failure_status'")
        case (.null, .missing):
            return .unreadable("it has no 'process_status'")
        }
    }

    private func failed(
        _ answer: KrixikAnswer, _ failure: KrixikAnswer.Failure,
        _ part: KrixikAnswer.Part<KrixikAnswer.Modules>, message: String, run: String
    ) -> PollAnswer {
        var modules: KrixikAnswer.Modules?
        if case .object(let map) = part { modules = map }
        let module = failure.module.map { words.clean($0, limit: ServiceWords.wordLimit) }
        var text = message
        if let module, !module.isEmpty {
            let named = "module '\(module)' failed"
            text = message.isEmpty ? named : "\(named): \(message)"
        }
        let observation = Observation(
            .state(.error), progress: modules?.progress,
            message: words.clean(text, limit: ServiceWords.messageLimit),
            detail: detail(answer, modules: modules, failedModule: module))
        return .observations([RunObservation(run: run, observation: observation)])
    }

    private func detail(
        _ answer: KrixikAnswer, modules: KrixikAnswer.Modules?, failedModule: String?
    ) -> [UInt8] {
        let file = words.clean(answer.fileID ?? "", limit: ServiceWords.textLimit)
        let named = modules?.named ?? []
        let failedModule = failedModule ?? ""
        guard !named.isEmpty || !file.isEmpty || !failedModule.isEmpty else { return [] }
        var writer = JSONWriter()
        writer.beginObject()
        if !named.isEmpty {
            writer.key("modules")
            writer.beginObject()
            for module in named {
                let name = words.clean(module.name, limit: ServiceWords.wordLimit)
                writer.member(name, module.isDone)
            }
            writer.endObject()
        }
        if !file.isEmpty { writer.member("file_id", file) }
        if !failedModule.isEmpty { writer.member("failure_module", failedModule) }
        writer.endObject()
        return writer.bytes
    }

    // MARK: Any other status

    private func readRefusal(_ response: HTTPResponse, run: String) -> PollAnswer {
        // Gateways and proxies before the service may send anything, or nothing.
        let answer = try? KrixikAnswer(response.body)
        let message = words.clean(answer?.message ?? "", limit: ServiceWords.messageLimit)
        let notFound = PollAnswer.observations([
            RunObservation(run: run, observation: Observation(.notFound, message: message))
        ])
        if let answer, answer.isOfKrixik {
            // Whatever the status: the watch names the wrong pipeline, and the service is well.
            if message.contains("pipeline of process_id does not match") {
                return .refused(message)
            }
            if response.status == 404 { return notFound }
            if response.status == 400 {
                return KrixikKind.saysNotFound(message)
                    ? notFound : .refused(message.isEmpty ? "HTTP 400" : message)
            }
        }
        if response.status == 400 {
            return .refused("HTTP 400\(message.isEmpty ? "" : ": \(message)")")
        }
        return .failure(of: response, words: message)
    }

    private static func saysNotFound(_ message: String) -> Bool {
        let message = message.lowercased()
        return ["not found", "no longer", "does not exist", "unknown", "expired", "deleted"]
            .contains { message.contains($0) }
    }
}
